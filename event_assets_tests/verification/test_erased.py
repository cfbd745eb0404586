"""The truth of erased people is not missed, and nobody else's is left out."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, write_tombstones
from event_assets.settings import Settings
from event_assets.verification.erased import COUNTING, leave_out_erased, without_counts
from event_assets.verification.report import Expectation

THEN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_events_of_before_are_left_out_by_the_hashes_that_the_lake_has(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, privacy_key="a key of this test")
    rows = [
        ("gone", "u1", "d9", THEN.timestamp() - 1),
        ("gone", None, "d1", THEN.timestamp()),
        ("back", "u1", None, THEN.timestamp() + 1),
        ("neighbour", "u2", "d1", THEN.timestamp() - 1),
        ("nobody", None, None, None),
    ]
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE submissions (who, user_id, anonymous_id, occurred_at)")
    connection.executemany("INSERT INTO submissions VALUES (?, ?, ?, ?)", rows)
    assert leave_out_erased(connection, settings) == 0

    write_tombstones(Storage(settings.lake), ErasureRules.of(settings), "one", THEN, ["u1"], ["d1"])
    assert leave_out_erased(connection, settings) == 2
    assert [who for (who,) in connection.execute("SELECT who FROM submissions")] == ["back", "neighbour", "nobody"]


def test_only_what_counts_many_people_is_not_judged_by_them() -> None:
    counts, rows = (Expectation(name, "rows", 2, 1, False) for name in ("daily_metrics", "users"))
    judged = list(without_counts([counts, rows]))
    assert [line.ok for line in judged] == [True, False]
    assert judged[0].late
    assert "users" not in COUNTING
