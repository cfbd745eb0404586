"""Days that are behind are brought along in rounds, none of them twice, and what fails of one table stops no other."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.pipeline import late_days as module
from event_assets.pipeline.arrivals import FollowingFailed
from event_assets.pipeline.following import FCT_EVENTS, OF_EVENT_DATES, Following
from event_assets.pipeline.late_days import ROUND_SECONDS, STAYS_SECONDS, LateDays, days_after
from event_assets.pipeline.pending_days import BY_EVENT_DATE, pending
from event_assets.pipeline.registry import STEPS
from event_assets.pipeline.window import Window
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import BY_DAY, Pipeline, today

pytestmark = pytest.mark.slow


@pytest.fixture
def pipeline(spark: SparkSession, tmp_path: Path) -> Pipeline:
    return Pipeline(spark, tmp_path)


def behind(pipeline: Pipeline, *days_ago: int) -> list[str]:
    """An event on each of these days, which are behind."""
    days = [today() - dt.timedelta(days=ago) for ago in days_ago]
    events = [
        event(event_id=f"of-{day}", derived_at=f"{day}T12:00:00Z", received_at=f"{today()}T00:00:00Z") for day in days
    ]
    pipeline.put([json.dumps(each).encode() for each in events])
    pipeline.run(Window(today(), today()), steps=BY_DAY)
    return [str(day) for day in days]


def still_behind(pipeline: Pipeline) -> set[str]:
    return set(pending(pipeline.lake, BY_EVENT_DATE).days)


def test_every_table_of_event_dates_follows_and_no_other() -> None:
    names = {table.name for step in OF_EVENT_DATES for table in step.tables}
    in_pauses = [table.name for step in STEPS if step.pace == "pauses" for table in step.tables]
    assert {"enriched_events", "sessions", "users", "daily_metrics"} <= names
    assert names.isdisjoint({"raw_events", "clean_events", *in_pauses})


@pytest.mark.representative
def test_rounds_go_on_while_they_may_none_of_a_day_twice_and_what_is_not_by_days_follows_once(
    pipeline: Pipeline, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_DAYS", 2)
    recent, *past = behind(pipeline, 3, 100, 101, 102, 103)
    rounds = iter([True] * 9)
    late = LateDays(Following(pipeline.refresh(), warehouse, 90), past[:1], lambda: next(rounds), lambda: 0.0)
    told = Counter("/".join(each.asset) for each in late.stay())
    assert {told[name] for name in ("enriched_events", "sessions", "daily_metrics", "warehouse/fct_events")} == {2}
    assert {told[name] for name in ("visitors", "users", "touches", "pages", "warehouse/dim_users")} == {1}
    assert still_behind(pipeline) == {recent} and len([*rounds]) == 9 - 2 and late.rounds == 2
    with warehouse.connect() as session:
        [(loaded,)] = session.execute("SELECT count(*) FROM analytics.fct_events").fetchall()
    assert loaded == len(past)


def test_alone_a_run_brings_the_days_it_was_asked_for_and_no_other(pipeline: Pipeline, warehouse: Warehouse) -> None:
    recent, past = behind(pipeline, 3, 100)
    list(LateDays(Following(pipeline.refresh(), warehouse, 90), [recent], lambda: False).stay())
    assert still_behind(pipeline) == {past}


def test_rounds_grow_as_long_as_they_are_short_and_shrink_to_the_days_of_a_run() -> None:
    assert [days_after(most, 1.0) for most in (30, 120, 240, 365)] == [60, 240, 365, 365]
    assert [days_after(most, ROUND_SECONDS) for most in (365, 60, 30)] == [182, 30, 30]


def test_a_run_that_has_stayed_long_enough_begins_no_round(pipeline: Pipeline, warehouse: Warehouse) -> None:
    first, second = behind(pipeline, 100, 101)
    times = iter((0.0, 0.0, STAYS_SECONDS))
    list(LateDays(Following(pipeline.refresh(), warehouse, 90), [first], lambda: True, lambda: next(times)).stay())
    assert still_behind(pipeline) == {second}


def test_ids_that_would_count_twice_are_not_loaded_and_fail_the_run(pipeline: Pipeline, warehouse: Warehouse) -> None:
    [day] = behind(pipeline, 100)
    following = Following(pipeline.refresh(), warehouse, 90)
    list(LateDays(following, [day], lambda: False).stay())
    enriched = pipeline.lake.table("enriched_events")
    before = enriched.snapshot()
    twice = enriched.stage_arrow(before.arrow().take([0, 0]), "twice", {"event_date": day})
    enriched.commit(before, before.progress, add=[twice])
    late = LateDays(following, [day], lambda: False)
    with pytest.raises(FollowingFailed, match="would count more than once"):
        list(late.stay())
    assert set(late.faults) == {"enriched_events"}
    assert warehouse.loaded_versions(FCT_EVENTS, before.id)[dt.date.fromisoformat(day)] == before.version
