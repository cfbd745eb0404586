"""minute_events counts what came in each minute, and ends in the same counts however it came."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS
from event_assets.contract.tables.minutes import MINUTE_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.minute_events import minute_events_step
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.factories import row_of
from event_assets_tests.pipeline.runs import a_run

BEGIN = dt.datetime(2026, 11, 29, 23, 58, tzinfo=dt.UTC)


class Arrived:
    """A lake to which clean and quarantined events come."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(Storage(str(folder)))
        for table in (CLEAN_EVENTS, QUARANTINED_EVENTS):
            self.lake.table(table.name).snapshot()

    def put(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """In a file an hour."""
        lake_table = self.lake.table(table.name)
        base = lake_table.snapshot()
        files = []
        for hour in sorted({row["arrived_at"].replace(minute=0, second=0) for row in rows}):
            own = [
                row_of(table, **row, arrival_date=hour.date(), arrival_hour=hour.hour, event_date=hour.date())
                for row in rows
                if row["arrived_at"].replace(minute=0, second=0) == hour
            ]
            partition = {"arrival_date": str(hour.date()), "arrival_hour": str(hour.hour)}
            schema = table.arrow_schema()
            given = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in own], schema)
            files.append(lake_table.stage_arrow(given, uuid.uuid4().hex, partition))
        lake_table.commit(base, base.progress, add=files)

    def compact(self) -> None:
        """All files of an hour become one."""
        lake_table = self.lake.table(CLEAN_EVENTS.name)
        base = lake_table.snapshot()
        for partition in {tuple(file.partition.items()) for file in base.files}:
            own = [file for file in base.files if tuple(file.partition.items()) == partition]
            one = lake_table.stage_arrow(base.arrow(own), uuid.uuid4().hex, dict(partition))
            base = lake_table.at(lake_table.compact(base, [one], own))

    def refresh(self, *, rebuild: bool = False, **rules: Any) -> int:
        return minute_events_step(a_run(self.lake, None, rebuild=rebuild, **rules)).version

    def counts(self) -> list[dict[str, Any]]:
        rows = self.lake.table(MINUTE_EVENTS.name).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: [str(row[name]) for name in MINUTE_EVENTS.key])


def came(minute: int, event: str = "click", delay: float = 0.0, **fields: Any) -> dict[str, Any]:
    at = BEGIN + dt.timedelta(minutes=minute, seconds=5)
    return {
        "arrived_at": at,
        "received_at": at,
        "derived_at": at - dt.timedelta(minutes=delay),
        "properties": "{}",
        "event": event,
        "platform": "ios",
        "app_id": None,
        **fields,
    }


def test_each_minute_tells_what_came_by_app_platform_and_event(tmp_path: Path) -> None:
    arrived = Arrived(tmp_path)
    arrived.put(CLEAN_EVENTS, [came(0), came(0, "purchase", 2), came(0, "app_error", 90), came(3, "app_error")])
    arrived.put(QUARANTINED_EVENTS, [{"arrived_at": came(0)["arrived_at"], "event": None}])
    arrived.refresh()
    rows = {(row["minute"], row["dimension"], row["value"]): row for row in arrived.counts()}
    first = rows[BEGIN, "all", "(all)"]
    assert first["hour"] == "2026-11-29T23"
    assert {name: first[name] for name in ("landed", "quarantined", "events", "errors", "conversions", "delayed")} == {
        "landed": 4,
        "quarantined": 1,
        "events": 2,
        "errors": 0,
        "conversions": 1,
        "delayed": 1,
    }
    assert rows[BEGIN, "platform", "ios"]["landed"] == 3 and rows[BEGIN, "app_id", "(none)"]["landed"] == 3
    assert rows[BEGIN, "event", "app_error"]["events"] == 0 and rows[BEGIN, "event", "(none)"]["quarantined"] == 1
    later = rows[BEGIN + dt.timedelta(minutes=3), "all", "(all)"]
    assert (later["hour"], later["errors"]) == ("2026-11-30T00", 1)


def test_how_late_events_are_and_how_slow_pages_are_is_told_of_those_that_had_just_happened(tmp_path: Path) -> None:
    at = came(0)["arrived_at"]
    paints = ['{"lcp_ms": 4001}', '{"lcp_ms": "900.5"}', '{"lcp_ms": "fast"}', '{"cls": 0.1}', "{"]
    views = [came(0, "page_view", properties=properties) for properties in paints]
    late = came(0, "web_vitals", 90, properties='{"lcp_ms": 9000}', received_at=at - dt.timedelta(minutes=80))
    other = came(0, "click", properties='{"lcp_ms": 9000}', received_at=at - dt.timedelta(seconds=6))
    arrived = Arrived(tmp_path)
    arrived.put(CLEAN_EVENTS, [*views, late, other, came(0, "purchase", 2)])
    arrived.refresh()
    (row,) = (row for row in arrived.counts() if row["dimension"] == "all")
    told = {name: row[name] for name in ("events", "delayed", "lagged", "timed", "slow")}
    assert told == {"events": 7, "delayed": 1, "lagged": 1, "timed": 2, "slow": 1}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_any_split_with_files_that_are_written_again_ends_in_the_counts_of_one(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    every = [
        came(rng.randrange(200), rng.choice(["click", "purchase", "app_error"]), rng.choice([0, 2, 90]))
        for _ in range(120)
    ]
    whole, split = Arrived(tmp_path / "whole"), Arrived(tmp_path / "split")
    whole.put(CLEAN_EVENTS, every)
    whole.refresh()
    for begin in range(0, len(every), 40):
        split.put(CLEAN_EVENTS, every[begin : begin + 20])
        if rng.random() < 0.5:
            split.refresh()
        split.put(CLEAN_EVENTS, every[begin + 20 : begin + 40])
        if rng.random() < 0.5:
            split.compact()
        split.refresh()
    assert split.counts() == whole.counts() and whole.counts()
    version = split.refresh()
    assert split.refresh() == version
    split.refresh(rebuild=True)
    assert split.counts() == whole.counts()


def test_rows_that_went_are_taken_off_again_and_another_rule_counts_anew(tmp_path: Path) -> None:
    arrived = Arrived(tmp_path)
    arrived.put(CLEAN_EVENTS, [came(0), came(0, "purchase")])
    arrived.put(CLEAN_EVENTS, [came(1)])
    arrived.refresh()
    table = arrived.lake.table(CLEAN_EVENTS.name)
    base = table.snapshot()
    (gone,) = [file for file in base.files if base.arrow([file]).num_rows == 1]
    table.commit(base, base.progress, remove=[gone])
    arrived.refresh()
    assert {row["minute"] for row in arrived.counts()} == {BEGIN}
    arrived.refresh(sessions=SessionRules(conversion_events=("click",)))
    (total,) = [row for row in arrived.counts() if row["dimension"] == "all"]
    assert (total["landed"], total["conversions"]) == (2, 1)


def test_only_the_last_days_are_kept(tmp_path: Path) -> None:
    arrived = Arrived(tmp_path)
    arrived.put(CLEAN_EVENTS, [came(0)])
    arrived.refresh()
    arrived.put(CLEAN_EVENTS, [came(11 * 1440)])
    arrived.refresh()
    assert {row["hour"] for row in arrived.counts()} == {"2026-12-10T23"}
