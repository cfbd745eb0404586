"""The truth of days that went by retention is not missed, and what is left is judged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from event_assets.lake.horizons import raise_horizons
from event_assets.lake.storage import Storage
from event_assets.settings import Settings
from event_assets.verification.expired import leave_out_expired, of_days_that_are_left
from event_assets.verification.report import Expectation

DAY = 86_400.0


def test_events_of_days_that_went_are_left_out(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    rows = [("old", 1 * DAY, 1 * DAY), ("arrived long ago", 9 * DAY, 3 * DAY), ("new", 9 * DAY, 9 * DAY)]
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE submissions (who, occurred_at, acknowledged_at, sent_at)")
    connection.executemany("INSERT INTO submissions VALUES (?, ?, ?, NULL)", rows)
    assert not leave_out_expired(connection, settings)

    raise_horizons(Storage(settings.lake), {"enriched_events": "1970-01-06", "clean_events": "1970-01-06"})
    assert leave_out_expired(connection, settings)
    assert [who for (who,) in connection.execute("SELECT who FROM submissions")] == ["new"]


def test_only_what_knows_of_more_days_is_not_judged() -> None:
    lines = [Expectation(name, "rows", 2, 1, False) for name in ("users", "enriched_events")]
    assert [line.ok for line in of_days_that_are_left(lines)] == [True, False]
