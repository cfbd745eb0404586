"""The checks: each fails for what it is there for, and passes else."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_LEDGER
from event_assets.defs.checks import events
from event_assets.defs.resources.lake import LakeResource
from event_assets.lake.table import LakeTable
from event_assets.pipeline.window import EVERYTHING
from event_assets.settings import Settings
from event_assets_tests.factories import enriched_event, frame, row_of


@pytest.fixture
def lake(tmp_path: Path) -> LakeResource:
    return LakeResource(url=str(tmp_path / "lake"))


def keep(lake: LakeResource, *rows: dict[str, Any]) -> None:
    """Writes rows of the ledger."""
    keep_in(lake.open().table(EVENT_LEDGER.name), *rows)


def keep_in(table: LakeTable, *rows: dict[str, Any]) -> None:
    for row in rows:
        counts = dict.fromkeys(("clean", "quarantined", "enriched", "duplicates", "conflicts", "pending"), 0)
        full = {"landed": 0, **counts, "quarantined_by_reason": "{}", "balanced": True, **row}
        arrow = pa.Table.from_pylist([full], EVENT_LEDGER.arrow_schema())
        base = table.snapshot()
        name = f"{full['arrival_date']}-{full['arrival_hour']}"
        staged = table.stage_arrow(arrow, name, {"arrival_date": str(full["arrival_date"])})
        table.commit(base, base.progress, add=[staged])


def outcome(check: dg.AssetChecksDefinition, lake: LakeResource) -> dg.AssetCheckResult:
    """What a check says of a lake."""
    result = check(lake=lake)
    assert isinstance(result, dg.AssetCheckResult)
    return result


def shown(result: dg.AssetCheckResult, name: str) -> Any:
    """A value of the metadata."""
    value: Any = (result.metadata or {})[name]
    return value.value


def hour(ago: int, **counts: Any) -> dict[str, Any]:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=ago)
    return {"arrival_date": at.date(), "arrival_hour": at.hour, **counts}


def test_the_books_balance_when_every_hour_does(lake: LakeResource) -> None:
    keep(lake, hour(1, landed=3, clean=3, enriched=3))
    assert outcome(events.books_balance, lake).passed


def test_one_hour_that_does_not_balance_fails_and_is_named(lake: LakeResource) -> None:
    keep(lake, hour(1, landed=3, clean=3, enriched=3), hour(2, landed=3, clean=2, balanced=False))
    result = outcome(events.books_balance, lake)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert "1 of 2 hours" in str(result.description)


def test_the_check_of_the_ledger_opens_only_the_files_with_hours_that_do_not_balance(
    lake: LakeResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(lake, *(hour(24 * days, landed=7, clean=7, enriched=7) for days in range(1, 6)))
    keep(lake, hour(24 * 400, landed=3, clean=2, balanced=False))
    opened = opened_files(monkeypatch)
    result = outcome(events.books_balance, lake)
    assert not result.passed and shown(result, "hours") == 6
    assert len(opened) == 1 and str(hour(24 * 400)["arrival_date"]) in opened[0]


def test_an_hour_of_a_file_that_the_log_says_nothing_of_is_looked_at(lake: LakeResource) -> None:
    columns = (
        replace(column, bounded=False) if column.name == "balanced" else column for column in EVENT_LEDGER.columns
    )
    plain = replace(EVENT_LEDGER, columns=tuple(columns))
    before = LakeTable(lake.open().storage, plain)
    keep_in(before, hour(30, landed=3, clean=2, balanced=False))
    assert not before.snapshot().files[0].low.keys() & {"balanced"}
    assert not outcome(events.books_balance, lake).passed


def test_more_than_one_percent_in_quarantine_warns_with_the_reasons(lake: LakeResource) -> None:
    keep(lake, hour(1, landed=100, clean=98, quarantined=2, quarantined_by_reason=json.dumps({"wrong_type": 2})))
    result = outcome(events.few_events_are_quarantined, lake)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert shown(result, "by_reason") == {"wrong_type": 2}


def test_one_percent_in_quarantine_does_not_warn(lake: LakeResource) -> None:
    keep(lake, hour(1, landed=100, clean=99, quarantined=1))
    assert outcome(events.few_events_are_quarantined, lake).passed


def test_an_hour_with_far_fewer_events_than_a_day_before_warns(lake: LakeResource) -> None:
    keep(lake, hour(2, landed=100), hour(26, landed=1000))
    result = outcome(events.volume_is_as_usual, lake)
    assert not result.passed
    assert [odd["events"] for odd in shown(result, "hours")] == [100]


def test_hours_like_those_a_day_before_do_not_warn(lake: LakeResource) -> None:
    keep(lake, hour(2, landed=900), hour(26, landed=1000), hour(3, landed=5), hour(27, landed=90))
    assert outcome(events.volume_is_as_usual, lake).passed


def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Parquet files that are opened from now on."""
    opened: list[str] = []
    read = pq.read_table

    def noted(path: str, **how: Any) -> pa.Table:
        opened.append(path)
        return read(path, **how)

    monkeypatch.setattr(pq, "read_table", noted)
    return opened


@pytest.mark.parametrize("check", [events.few_events_are_quarantined, events.volume_is_as_usual])
def test_checks_of_the_last_hours_open_no_file_of_days_before(
    lake: LakeResource, check: dg.AssetChecksDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(lake, hour(1, landed=100, clean=100), *(hour(24 * days, landed=7) for days in (4, 30, 400)))
    opened = opened_files(monkeypatch)
    assert outcome(check, lake).passed
    assert len(opened) == 1 and str(hour(1)["arrival_date"]) in opened[0]


def test_which_events_are_unknown_is_not_read_from_what_is_said_of_them(
    spark: SparkSession, lake: LakeResource
) -> None:
    said = "the tracking plan has no event 'search', or so it seems"
    broken = [("search", said), ("teleport", "?"), ("warp", None)]
    rows = [row_of(CLEAN_EVENTS, event=name, plan_violations=words) for name, words in broken]
    table = lake.open().table(CLEAN_EVENTS.name)
    base = table.snapshot()
    partition = {name: str(rows[0][name]) for name in CLEAN_EVENTS.partition_by}
    staged = table.stage_arrow(pa.Table.from_pylist(rows, CLEAN_EVENTS.arrow_schema()), "rows", partition)
    table.commit(base, base.progress, add=[staged])
    plan = TrackingPlan.load(Settings().plan)
    assert "search" in plan.events and "teleport" not in plan.events
    assert events.unknown_events(spark, lake.open(), EVERYTHING, plan) == {"teleport": 1}


def test_an_id_that_counts_twice_fails(spark: SparkSession, lake: LakeResource) -> None:
    table = lake.open().table(ENRICHED_EVENTS.name)
    rows = [enriched_event(event_id="same"), enriched_event(event_id="same"), enriched_event(event_id="other")]
    base = table.snapshot()
    table.commit(base, base.progress, add=table.stage(frame(spark, rows), 1, 3))
    assert events.repeated_ids(spark, lake.open(), EVERYTHING) == ["same"]
