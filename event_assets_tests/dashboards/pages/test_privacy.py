"""The page of privacy tells requests, deadlines, what is erased, holds and retention, and names nobody."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.dashboards.pages.privacy import erased, held, kept, requests_of
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Named
from event_assets.privacy.expiring import apply_retention
from event_assets.privacy.holds import add_hold, release_hold
from event_assets.privacy.receipts import signed, write_receipt
from event_assets.privacy.requests import request_erasure
from event_assets.rules.retention import Retention
from event_assets.settings import Settings
from event_assets_tests.factories import row_of

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)


def test_requests_say_when_they_are_due_and_why_they_wait(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, privacy_key="a key of this test")
    lake = Lake(Storage(settings.lake))
    assert requests_of(lake.storage, NOW).is_empty
    add_hold(lake.storage, NOW, "case 7", people=("held",))
    for user, ago in (("late", 40), ("held", 3)):
        request_erasure(lake, settings, Named(users=(user,)), NOW - dt.timedelta(days=ago))
    shown = [(row[1], row[4], row[5]) for row in requests_of(lake.storage, NOW).rows]
    assert shown == [("open", -10, 1), ("held", 27, 1)]
    assert "case 7" in requests_of(lake.storage, NOW).rows[1][-1]


def test_receipts_and_holds_are_told_without_names(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    receipt = {"batch": "b", "requests": {"r": {}}, "events": 7, "scan": {"found": {}}, "ended_at": NOW.isoformat()}
    write_receipt(storage, signed(receipt, ErasureRules(b"key")))
    [row] = erased(storage).rows
    assert row[:4] == (NOW, 1, 7, 0)
    first, second = (add_hold(storage, NOW, why, people=("anna",)) for why in ("one", "two"))
    release_hold(storage, first.id, NOW)
    rows = held(storage).rows
    assert [(row[1], row[3], row[-1]) for row in rows] == [("two", 1, "in force"), ("one", 0, "released 2026-03-31")]
    assert "anna" not in json.dumps(rows, default=str) and second.is_active


def test_retention_tells_which_day_goes_when_and_what_is_wrong_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "retention.yaml"
    file.write_text("aggregates: 30\n")
    settings = Settings(home=tmp_path, retention_file=file)
    lake = Lake(Storage(settings.lake))
    table, base = lake.table(DAILY_METRICS.name), lake.table(DAILY_METRICS.name).snapshot()
    staged = [
        table.stage_arrow(
            pa.Table.from_pylist([row_of(DAILY_METRICS, event_date=day)], DAILY_METRICS.arrow_schema()),
            "rows",
            {"event_date": str(day)},
        )
        for day in (dt.date(2026, 1, 1), dt.date(2026, 3, 30))
    ]
    table.commit(base, base.progress, add=staged)
    [row] = kept(lake, settings, NOW.date()).rows
    assert row[:5] == ("daily_metrics", 30, "2026-01-01", "the next night", "")
    add_hold(lake.storage, NOW, "case 7", people=("anna",))  # marts name nobody
    apply_retention(lake, Retention(aggregates=30), ErasureRules(), NOW)
    [row] = kept(lake, settings, NOW.date()).rows
    assert row == ("daily_metrics", 30, "2026-03-30", "2026-04-30", "2026-03-01", 1, 0, "")
    file.write_text("aggregates: 3\n")
    broken = kept(lake, settings, NOW.date())
    assert broken.is_empty and "retention.yaml:1" in broken.empty
