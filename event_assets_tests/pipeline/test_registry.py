"""The graph says of each step what the step itself does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.pipeline.domains import GROUPS
from event_assets.pipeline.registry import STEPS
from event_assets.pipeline.run import GivenRules
from event_assets.transforms.attribution.attribution import AttributionRules
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.pipeline.runs import NO_PLAN

WITHOUT_VERSION = {"raw_events", "duplicate_events", "event_ledger"}
"""Steps that make nothing again: they copy or count what is there."""

NOT_REMEMBERED = {"quarantined_events": {"clean_events"}, "event_ledger": {"raw_events"}}
"""What a step reads at the version that another table has taken in."""


def test_every_table_has_one_step_and_every_step_comes_after_what_it_reads() -> None:
    made: list[str] = []
    for step in STEPS:
        upstream = {table.name for table in step.upstream} - {table.name for table in step.tables}
        assert upstream <= set(made), step.name
        made += [table.name for table in step.tables]
    assert sorted(made) == sorted(table.name for table in LAKE_TABLES)
    places = [GROUPS.index(step.group) for step in STEPS]
    assert places == sorted(places)


@pytest.mark.slow
def test_the_version_of_a_step_is_the_one_that_its_tables_remember(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps(event()).encode()])
    pipeline.run()
    rules = GivenRules(CleanRules(pipeline.plan, pipeline.settings.first_day), pipeline.enriching)
    remembered = {
        step.name: pipeline.lake.table(step.name).snapshot().progress.code for step in STEPS if step.pace != "pauses"
    }
    told = {step.name: step.version(rules) for step in STEPS if step.pace != "pauses"}
    assert remembered == told | dict.fromkeys(WITHOUT_VERSION, "")


@pytest.mark.slow
def test_a_step_follows_what_its_tables_remember_to_have_taken_in(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps(event()).encode()])
    pipeline.run()
    for step in STEPS:
        if step.pace == "pauses":  # an analysis, and a segment, remembers for itself
            continue
        progress = [pipeline.lake.table(table.name).snapshot().progress for table in step.tables]
        taken_in = {name for each in progress for name in each.upstreams} - {table.name for table in step.tables}
        assert taken_in == {table.name for table in step.upstream} - NOT_REMEMBERED.get(step.name, set()), step.name


def test_another_rule_is_another_version_of_those_that_go_by_it_alone() -> None:
    def versions(**rules: object) -> dict[str, str]:
        given = GivenRules(NO_PLAN, **rules)  # type: ignore[arg-type]
        return {step.name: step.version(given) for step in STEPS}

    def changed(**rules: object) -> set[str]:
        before, after = versions(), versions(**rules)
        return {name for name in before if before[name] != after[name]}

    assert changed(attribution=AttributionRules(lookback_days=7)) == {
        "conversion_paths",
        "attribution",
        "channel_performance",
    }
    assert changed(sessions=SessionRules(timeout_minutes=10)) == {
        "session_issues",
        "users",
        "daily_metrics",
        "daily_events",
        "hourly_events",
    }
