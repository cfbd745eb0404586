"""Analyses and segments are asked for when outdated, not more often than allowed, and in a pause if there is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.defs.automation.analyses import ANALYSES_TAG, JOB
from event_assets.defs.automation.turns import RUN_TAG
from event_assets.pipeline.product import analysis_step, outdated
from event_assets.pipeline.segments import memberships_step
from event_assets.rules.analysis import Analyses
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.defs.automation.test_sensors import begin, event
from event_assets_tests.defs.automation.ticks import Tick, tick
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.pipeline.runs import a_run

pytestmark = pytest.mark.slow

RULES = SessionRules()


class Platform:
    """A pipeline with one analysis and one segment, and ticks of their sensor."""

    def __init__(self, spark: SparkSession, folder: Path, instance: dg.DagsterInstance, seconds: int = 5) -> None:
        self.pipeline = Pipeline(spark, folder / "home")
        (folder / "analyses").mkdir()
        (folder / "analyses" / "active.yaml").write_text("{kind: active_users, name: active}")
        self.analyses = Analyses.load(folder / "analyses")
        (folder / "segments").mkdir()
        (folder / "segments" / "buyers.yaml").write_text("{name: buyers, who: {did: {event: purchase}}}")
        self.segments = Segments.load(folder / "segments")
        self.instance = instance
        (folder / "anomalies.yaml").write_text("metrics: {}")
        self.settings = Settings(
            home=folder / "home",
            analytics_dir=folder / "analyses",
            segments_dir=folder / "segments",
            anomalies_file=folder / "anomalies.yaml",
            analytics_interval_seconds=seconds,
        )

    def tick(self) -> Tick:
        return tick(build_defs(self.settings), self.instance, "product_analyses_sensor")

    def analyse(self) -> None:
        [analysis] = self.analyses.usable
        analysis_step(a_run(self.pipeline.lake, self.pipeline.spark, sessions=RULES), analysis)

    def segment(self) -> None:
        memberships_step(a_run(self.pipeline.lake, self.pipeline.spark, segments=self.segments, sessions=RULES))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def platform(spark: SparkSession, tmp_path: Path, instance: dg.DagsterInstance) -> Platform:
    return Platform(spark, tmp_path, instance)


def test_they_are_asked_for_when_there_is_something_new_and_not_again_when_they_are_made(platform: Platform) -> None:
    assert platform.tick().requests == []
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    [request] = platform.tick().requests
    assert request.job_name == JOB and not request.asset_selection
    platform.analyse()
    assert len(platform.tick().requests) == 1
    platform.segment()
    assert platform.tick().skipped == "All analyses and segments are of the lake as it is."


def test_another_definition_makes_an_analysis_outdated(platform: Platform) -> None:
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    platform.analyse()
    file = platform.settings.analytics / "active.yaml"
    file.write_text("{kind: active_users, name: active, description: Other words}")
    assert outdated(platform.pipeline.lake, Analyses.load(file.parent), RULES) == []
    file.write_text("{kind: active_users, name: active, event: {event: click}}")
    assert outdated(platform.pipeline.lake, Analyses.load(file.parent), RULES) == ["active"]


def test_the_removal_of_the_last_analysis_is_asked_for(platform: Platform) -> None:
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    platform.analyse()
    platform.segment()
    (platform.settings.analytics / "active.yaml").unlink()
    assert len(platform.tick().requests) == 1


@pytest.mark.representative
def test_they_wait_for_new_events_to_be_in_but_not_for_ever(platform: Platform, instance: dg.DagsterInstance) -> None:
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    platform.pipeline.put([event(2, 0)])
    said = platform.tick().skipped or ""
    assert said.startswith("New events come first"), said
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=11)
    run = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS, tags={RUN_TAG: "arrival"})
    instance.run_storage.add_historical_run(run, long_ago)
    assert len(platform.tick().requests) == 1
    analysed = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS, tags={ANALYSES_TAG: "true"})
    instance.run_storage.add_historical_run(analysed, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=11))
    assert (platform.tick().skipped or "").startswith("New events come first")
    instance.delete_run(analysed.run_id)
    instance.run_storage.add_historical_run(analysed, dt.datetime.now(dt.UTC) - dt.timedelta(seconds=61))
    assert len(platform.tick().requests) == 1


def test_not_more_often_than_allowed_and_never_twice_at_once(
    spark: SparkSession, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    platform = Platform(spark, tmp_path, instance, seconds=3600)
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    begin(instance, dg.DagsterRunStatus.FAILURE, **{ANALYSES_TAG: "true"})
    assert (platform.tick().skipped or "").startswith("The next look is in")
    begin(instance, dg.DagsterRunStatus.STARTED, **{ANALYSES_TAG: "true"})
    assert platform.tick().skipped == "A run of the analyses is in flight."


@pytest.mark.representative
def test_a_damaged_table_is_named_and_nothing_is_asked_for(platform: Platform) -> None:
    platform.pipeline.put([event(1, 0)])
    platform.pipeline.run()
    for path in (platform.settings.home / "lake" / "enriched_events" / "_delta_log").glob("*.json"):
        path.write_bytes(b"{")
    asked = platform.tick()
    assert asked.requests == [] and (asked.skipped or "").startswith("What is outdated cannot be told: ")
