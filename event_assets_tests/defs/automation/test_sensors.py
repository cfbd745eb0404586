"""The sensor asks for exactly the runs that are needed, never for more than are allowed, and never gives up."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.defs.assets.days import DAYS_TAG
from event_assets.defs.automation.turns import ARRIVAL, CHECKS, LATE, MOST_DAYS, PAST, RUN_TAG, STAYS
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.window import Window
from event_assets.settings import Settings
from event_assets.streams import StreamRecord
from event_assets_tests.defs.automation.ticks import tick
from event_assets_tests.pipeline.pipeline import BY_DAY, Pipeline, today

UP_TO_DATE = "Everything on the stream is landed, and no day is behind."


@pytest.fixture(scope="module")
def storage() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """Dagster's storage, empty."""
    yield storage
    storage.wipe()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pipeline's folder is while there is one."""
    return tmp_path_factory.mktemp("sensors") / "home"


@pytest.fixture(scope="module")
def definitions(home: Path) -> dg.Definitions:
    """The definitions for the pipeline's folder."""
    return build_defs(Settings(home=home))


@pytest.fixture
def pipeline(spark: SparkSession, home: Path) -> Iterator[Pipeline]:
    """A stream and a lake, both empty."""
    made = Pipeline(spark, home)
    yield made
    made.stream.close()
    shutil.rmtree(home)


def event(number: int, days_ago: int) -> bytes:
    happened = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)).isoformat()
    fields = {"event_id": f"e{number}", "event": "click", "anonymous_id": "a", "platform": "web"}
    return json.dumps({**fields, "derived_at": happened, "received_at": happened}).encode()


def days(*days_ago: int) -> list[str]:
    return [str(today() - dt.timedelta(days=each)) for each in days_ago]


def land_late_events(pipeline: Pipeline, *days_ago: int) -> None:
    """Brings everything up to date for today only, so that the events of these days are behind."""
    pipeline.put([event(number, each) for number, each in enumerate(days_ago)])
    pipeline.run(Window(today(), today()), steps=BY_DAY)


def begin(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of the sensor's that is on its way."""
    run = dg.DagsterRun(job_name="__ASSET_JOB", run_id=str(uuid.uuid4()), status=status, tags=tags)
    return instance.add_run(run)


def test_without_a_stream_it_says_how_to_start_one(definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    said = tick(definitions, instance)
    assert said.requests == []
    assert said.skipped is not None
    assert "event-assets up" in said.skipped and "make demo" in said.skipped


def test_it_skips_while_nothing_is_new(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    assert tick(definitions, instance) == ([], UP_TO_DATE)
    pipeline.put([event(1, 0)])
    pipeline.run(steps=BY_DAY)
    assert tick(definitions, instance) == ([], UP_TO_DATE)


def test_it_asks_for_the_run_that_stays_when_the_stream_holds_something_new(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    [request] = tick(definitions, instance).requests
    assert (request.job_name, request.tags[RUN_TAG]) == ("arrivals", ARRIVAL)
    assert request.partition_key is None and not request.asset_selection and not request.run_config


def test_several_runs_land_side_by_side_each_the_part_of_the_shards_that_its_config_names(
    pipeline: Pipeline, home: Path, instance: dg.DagsterInstance
) -> None:
    pipeline.put_records([StreamRecord(f"k{number}", event(number, 0)) for number in range(20)])
    definitions = build_defs(Settings(home=home, landing_runs=2, sensor_interval_seconds=1))
    arrival, landing = tick(definitions, instance).requests
    assert (arrival.job_name, landing.job_name) == ("arrivals", "landing")
    stay = {"idle_seconds": 0, **landing.run_config["ops"]["land_events"]["config"]}
    config = {"ops": {"land_events": {"config": stay}}}
    done = definitions.resolve_job_def("landing").execute_in_process(config, tags=landing.tags, instance=instance)
    assert done.success
    raw = pipeline.lake.table("raw_events").snapshot()
    [landed] = raw.progress.positions[pipeline.stream.name]
    assert 0 < raw.rows < 20 and landed == pipeline.stream.shards()[1].shard_id
    begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: ARRIVAL})
    assert tick(definitions, instance).requests == [], "what is left is the other run's"
    pipeline.put_records([StreamRecord(f"k{number}", event(number, 0)) for number in range(20)])
    [request] = tick(definitions, instance).requests
    assert request.tags[RUN_TAG] == landing.tags[RUN_TAG]
    begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: landing.tags[RUN_TAG]})
    assert tick(definitions, instance).requests == []


def test_a_run_of_new_records_that_has_stayed_for_long_is_followed_by_one_more_and_no_other(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    old = dg.DagsterRun("arrivals", status=dg.DagsterRunStatus.STARTED, tags={RUN_TAG: ARRIVAL})
    instance.run_storage.add_historical_run(old, dt.datetime.now(dt.UTC) - STAYS - dt.timedelta(minutes=1))
    assert ARRIVAL in [request.tags[RUN_TAG] for request in tick(definitions, instance).requests]
    begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: ARRIVAL})
    assert ARRIVAL not in [request.tags[RUN_TAG] for request in tick(definitions, instance).requests]


def test_checks_look_at_what_came_every_half_hour_and_once_more_when_nothing_does(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    def asked() -> list[str]:
        return [request.tags[RUN_TAG] for request in tick(definitions, instance).requests]

    def add(kind: str, minutes: int, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS) -> None:
        run = dg.DagsterRun("__ASSET_JOB", status=status, tags={RUN_TAG: kind})
        instance.run_storage.add_historical_run(run, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes))

    assert asked() == []
    add(ARRIVAL, 32, dg.DagsterRunStatus.STARTED)
    [request] = tick(definitions, instance).requests
    assert (request.job_name, request.tags[RUN_TAG]) == ("checks", CHECKS)
    assert request.tags[DAYS_TAG].split(",") == sorted(days(0, 1))
    add(CHECKS, 31)
    assert asked() == [CHECKS]
    add(CHECKS, 28)
    assert asked() == []
    [arrival] = instance.get_runs(dg.RunsFilter(tags={RUN_TAG: ARRIVAL}))
    ended = dg.DagsterEvent(event_type_value="PIPELINE_SUCCESS", job_name=arrival.job_name)
    instance.run_storage.handle_run_event(arrival.run_id, ended, dt.datetime.now(dt.UTC))
    assert asked() == [CHECKS]
    add(CHECKS, 0)
    assert asked() == []


def test_late_days_are_one_run_of_exactly_these_days_however_far_apart_they_lie(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, 80, 8, 7, 3)
    [request] = tick(definitions, instance).requests
    assert request.tags[RUN_TAG] == LATE
    assert request.tags[DAYS_TAG].split(",") == days(80, 8, 7, 3)
    assert request.job_name == "late_days" and not any("range" in name for name in request.tags)
    assert request.partition_key is None and not request.asset_selection


@pytest.mark.slow
def test_days_further_back_than_a_client_may_date_come_after_the_others_and_never_with_them(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, 4000, 91, 90, 2)
    [request] = tick(definitions, instance).requests
    assert (request.tags[RUN_TAG], request.tags[DAYS_TAG].split(",")) == (LATE, days(90, 2))
    pipeline.run(Window.of_days(days(90, 2)), steps=BY_DAY)
    [request] = tick(definitions, instance).requests
    assert (request.tags[RUN_TAG], request.tags[DAYS_TAG].split(",")) == (PAST, days(4000, 91))


@pytest.mark.slow
def test_a_run_takes_a_bounded_number_of_days_and_what_waits_longest_comes_first(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, *range(50, 50 + MOST_DAYS))
    land_late_events(pipeline, *range(2, 40))
    [in_a_pause] = tick(definitions, instance).requests
    assert len(in_a_pause.tags[DAYS_TAG].split(",")) == MOST_DAYS + 38
    pipeline.run(Window.of_days(days(*range(2, 40))), steps=BY_DAY)
    [waiting_longest] = tick(definitions, instance).requests
    assert waiting_longest.tags[DAYS_TAG].split(",") == sorted(days(*range(50, 50 + MOST_DAYS)))


def test_while_new_records_keep_coming_days_long_past_are_few_at_a_time(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, *range(150, 160 + MOST_DAYS))
    pipeline.put([event(1, 0)])
    [request] = [each for each in tick(definitions, instance).requests if each.tags[RUN_TAG] == PAST]
    assert request.tags[DAYS_TAG].split(",") == sorted(days(*range(150, 150 + MOST_DAYS)))


def test_new_records_are_asked_for_whatever_late_days_do(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, 4000, 3)
    pipeline.put([event(1, 0)])
    asked = [request.tags[RUN_TAG] for request in tick(definitions, instance).requests]
    assert sorted(asked) == [ARRIVAL, PAST]
    for kind in (LATE, PAST):
        run = begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: kind})
        assert [request.tags[RUN_TAG] for request in tick(definitions, instance).requests] == [ARRIVAL], kind
        instance.delete_run(run.run_id)
    fail(instance, dt.datetime.now(dt.UTC), PAST)
    assert [request.tags[RUN_TAG] for request in tick(definitions, instance).requests] == [ARRIVAL]


def test_while_new_records_keep_coming_days_long_past_have_their_turn_every_hour(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, 4000)
    pipeline.put([event(1, 0)])
    assert sorted(r.tags[RUN_TAG] for r in tick(definitions, instance).requests) == [ARRIVAL, PAST]
    for minutes, asked in ((59, [ARRIVAL]), (61, [ARRIVAL, PAST])):
        run = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS, tags={RUN_TAG: PAST})
        instance.run_storage.add_historical_run(run, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes))
        assert sorted(r.tags[RUN_TAG] for r in tick(definitions, instance).requests) == asked
        instance.delete_run(run.run_id)


def test_more_days_long_past_than_a_run_takes_have_half_of_the_time_while_new_records_keep_coming(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    land_late_events(pipeline, *range(150, 151 + MOST_DAYS))
    pipeline.put([event(1, 0)])
    for rested, asked in ((5, [ARRIVAL]), (7, [ARRIVAL, PAST])):
        run, ended = begin(instance, dg.DagsterRunStatus.NOT_STARTED, **{RUN_TAG: PAST}), minutes_ago(rested)
        for name, at in (("PIPELINE_START", ended - dt.timedelta(minutes=6)), ("PIPELINE_SUCCESS", ended)):
            instance.run_storage.handle_run_event(run.run_id, dg.DagsterEvent(name, run.job_name), at)
        assert sorted(r.tags[RUN_TAG] for r in tick(definitions, instance).requests) == asked
        instance.delete_run(run.run_id)


def minutes_ago(minutes: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)


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


def fail(instance: dg.DagsterInstance, ended: dt.datetime, kind: str = ARRIVAL) -> None:
    """A run of the sensor's that failed at this time."""
    run = begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: kind})
    event = dg.DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name=run.job_name)
    instance.run_storage.handle_run_event(run.run_id, event, ended)


def test_after_a_failure_it_waits_and_then_tries_again(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    pipeline.put([event(1, 0)])
    fail(instance, dt.datetime.now(dt.UTC))
    said = tick(definitions, instance)
    assert said.requests == [] and said.skipped is not None
    assert said.skipped.startswith("The last run of new records failed; the next try is in ")


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


def test_a_run_that_failed_is_asked_for_again_though_nothing_new_came(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    fail(instance, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6))
    assert [request.tags[RUN_TAG] for request in tick(definitions, instance).requests] == [ARRIVAL]
    done = dg.DagsterRun("arrivals", status=dg.DagsterRunStatus.SUCCESS, tags={RUN_TAG: ARRIVAL})
    instance.add_run(done)
    assert ARRIVAL not in [request.tags[RUN_TAG] for request in tick(definitions, instance).requests]


def test_days_long_past_have_their_turn_once_the_run_that_stays_has_had_nothing_for_a_while(
    pipeline: Pipeline, definitions: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_late_events(pipeline, *range(150, 160 + MOST_DAYS))
    before = dg.DagsterRun("late_days", status=dg.DagsterRunStatus.SUCCESS, tags={RUN_TAG: PAST})
    instance.run_storage.add_historical_run(before, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2))
    begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: ARRIVAL})

    def asked(idle: int) -> list[str]:
        at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=idle)
        monkeypatch.setattr(Snapshot, "committed_at", lambda *_: at)
        return [r.tags[DAYS_TAG] for r in tick(definitions, instance).requests if r.tags[RUN_TAG] == PAST]

    assert asked(idle=2) == []
    [days_asked] = asked(idle=20)
    assert len(days_asked.split(",")) == MOST_DAYS
