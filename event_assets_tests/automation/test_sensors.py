"""The sensor asks for exactly the runs that are needed, never for more than are allowed, and never gives up."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.automation.sensors import MOST_RANGES, RANGE_END, RANGE_START, RUN_TAG
from event_assets.contract.tables import PRODUCT_TABLES
from event_assets.definitions import build_defs
from event_assets.settings import Settings
from event_assets.steps.window import Window
from event_assets_tests.automation.ticks import tick
from event_assets_tests.steps.pipeline import Pipeline, today

UP_TO_DATE = "Everything on the stream is landed, and no day is behind."


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def pipeline(spark: SparkSession, tmp_path: Path) -> Pipeline:
    """A stream and a lake, both empty."""
    return Pipeline(spark, tmp_path / "home")


@pytest.fixture
def definitions(tmp_path: Path) -> dg.Definitions:
    """The definitions for the pipeline's folder."""
    return build_defs(Settings(home=tmp_path / "home"))


def event(number: int, days_ago: int) -> bytes:
    happened = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)).isoformat()
    fields = {"event_id": f"e{number}", "event": "click", "anonymous_id": "a", "platform": "web"}
    return json.dumps({**fields, "derived_at": happened, "received_at": happened}).encode()


def days(*days_ago: int) -> list[str]:
    return [str(today() - dt.timedelta(days=each)) for each in days_ago]


def land_late_events(pipeline: Pipeline, *days_ago: int) -> None:
    """Brings everything up to date for today only, so that the events of these days are behind."""
    pipeline.put([event(number, each) for number, each in enumerate(days_ago)])
    pipeline.run(Window(today(), today()))


def begin(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of the sensor's that is on its way."""
    run = dg.DagsterRun(job_name="__ASSET_JOB", run_id=str(uuid.uuid4()), status=status, tags=tags)
    return instance.add_run(run)


def test_without_a_stream_it_says_how_to_start_one(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    said = tick(build_defs(Settings(home=tmp_path / "nothing")), instance)
    assert said.requests == []
    assert said.skipped is not None
    assert "event-assets up" in said.skipped and "make demo" in said.skipped


def test_it_skips_while_nothing_is_new(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    assert tick(definitions, instance) == ([], UP_TO_DATE)
    pipeline.put([event(1, 0)])
    pipeline.run()
    assert tick(definitions, instance) == ([], UP_TO_DATE)


def test_it_asks_for_a_run_of_today_and_of_all_assets_but_analyses_and_segments_when_the_stream_holds_something_new(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    [request] = tick(definitions, instance).requests
    assert request.tags[RUN_TAG] == "arrival"
    assert request.partition_key == str(dt.datetime.now(dt.UTC).date())
    everything = definitions.resolve_asset_graph().materializable_asset_keys
    of_rules = {table.name for table in PRODUCT_TABLES}
    assert set(request.asset_selection or ()) == {
        key for key in everything if key.path[0] != "product" and key.path[-1] not in of_rules
    }


def test_days_on_which_late_events_happened_become_exact_ranges(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, 9, 8, 7, 3)
    (first,) = tick(definitions, instance).requests[:1]
    assert first.tags[RUN_TAG] == "event_date"
    asked = [
        (request.tags.get(RANGE_START, request.partition_key), request.tags.get(RANGE_END, request.partition_key))
        for request in tick(definitions, instance).requests
    ]
    assert asked == [(*days(9), *days(7)), (*days(3), *days(3))]
    for request in tick(definitions, instance).requests:
        names = {key.to_user_string() for key in request.asset_selection or ()}
        assert not names & {"raw_events", "clean_events", "quarantined_events"} and "enriched_events" in names


def test_many_separate_late_days_become_one_range(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    apart = [2 * number + 2 for number in range(MOST_RANGES + 1)]
    land_late_events(pipeline, *apart)
    [request] = tick(definitions, instance).requests
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (*days(max(apart)), *days(min(apart)))


def test_it_asks_again_for_what_a_run_has_not_done(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    assert [r.tags for r in tick(definitions, instance).requests] == [
        r.tags for r in tick(definitions, instance).requests
    ]


def test_no_run_is_asked_for_while_as_many_as_allowed_are_in_flight(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    for _ in range(Settings().max_runs_in_flight):
        begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: "event_date"})
    assert tick(definitions, instance) == ([], "2 runs are in flight; 2 are allowed.")


def test_shards_are_never_landed_by_two_runs_at_once(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED):
        run = begin(instance, status, **{RUN_TAG: "arrival"})
        assert tick(definitions, instance).requests == [], status
        instance.delete_run(run.run_id)
    assert len(tick(definitions, instance).requests) == 1


def test_other_peoples_runs_do_not_count(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    for _ in range(5):
        begin(instance, dg.DagsterRunStatus.STARTED)
    assert len(tick(definitions, instance).requests) == 1


def fail(instance: dg.DagsterInstance, ended: dt.datetime) -> None:
    """A run of the sensor's that failed at this time."""
    run = begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: "arrival"})
    event = dg.DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name=run.job_name)
    instance.run_storage.handle_run_event(run.run_id, event, ended)


def test_after_a_failure_it_waits_and_then_tries_again(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    fail(instance, dt.datetime.now(dt.UTC))
    said = tick(definitions, instance)
    assert said.requests == [] and said.skipped is not None
    assert said.skipped.startswith("The last run failed; the next try is in ")


def test_after_the_wait_it_tries_again(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    fail(instance, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=30))
    assert len(tick(definitions, instance).requests) == 1


def test_the_wait_grows_with_each_failure_in_a_row_but_has_an_end(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    for _ in range(4):
        fail(instance, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=10))
    assert tick(definitions, instance).requests == []
    for _ in range(12):
        fail(instance, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6))
    assert len(tick(definitions, instance).requests) == 1
