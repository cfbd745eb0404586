"""A run of late days shows each day, and little else is kept of it in Dagster's storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.defs.assets.days import DAYS_TAG
from event_assets.defs.automation.late_days import JOB
from event_assets.defs.automation.turns import ARRIVAL, PAST, RUN_TAG
from event_assets_tests.defs.automation.test_sensors import begin
from event_assets_tests.end_to_end.profile import Profile
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.pipeline.test_late_days import behind, still_behind
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow

OTHERS = 20
"""Events of a run of one step, whatever it does."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


class Days:
    """A home with days that are behind, and runs of the job."""

    def __init__(self, spark: SparkSession, home: Path, url: str, patch: pytest.MonkeyPatch) -> None:
        self.pipeline, self.url = Pipeline(spark, home), url
        variables = {"HOME": str(home), "WAREHOUSE_URL": url, "FIRST_DAY": "2020-01-01", "PRIVACY_KEY": "k" * 44}
        profile = Profile(patch, variables)
        for name, value in profile.variables.items():
            patch.setenv(name, value)
        self.definitions = build_defs(profile.settings)

    def run(self, instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(JOB).execute_in_process(
            instance=instance, tags=tags, raise_on_error=False
        )


@pytest.fixture
def days(spark: SparkSession, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(spark, tmp_path / "home", new_database(postgres_url), monkeypatch)


@pytest.mark.representative
def test_alone_it_shows_every_table_and_day_and_beside_new_records_the_days_alone(
    days: Days, instance: dg.DagsterInstance
) -> None:
    first, second = behind(days.pipeline, 101, 100)
    tags = {RUN_TAG: PAST, DAYS_TAG: first}
    alone = days.run(instance, tags)
    assert alone.success and still_behind(days.pipeline) == {second}
    shown = alone.get_asset_materialization_events()
    assert {dg.AssetKey("users"), dg.AssetKey(["warehouse", "fct_events"])} <= {each.asset_key for each in shown}
    assert len(instance.all_logs(alone.run_id)) <= len(shown) + OTHERS
    begin(instance, dg.DagsterRunStatus.STARTED, **{RUN_TAG: ARRIVAL})
    beside = days.run(instance, tags | {DAYS_TAG: second})
    assert beside.success and still_behind(days.pipeline) == set()
    enriched, loaded = dg.AssetKey("enriched_events"), dg.AssetKey(["warehouse", "fct_events"])
    assert instance.get_materialized_partitions(enriched) == {first, second}
    assert instance.get_materialized_partitions(loaded) == {first, second}
    rows = [each.asset_key for each in beside.get_asset_materialization_events() if each.partition != second]
    assert dg.AssetKey("users") not in rows


def test_started_by_hand_it_takes_what_waits_longest_and_a_check_that_does_not_pass_fails_it(
    days: Days, instance: dg.DagsterInstance
) -> None:
    _, past = behind(days.pipeline, 3, 100)
    assert days.run(instance, {}).success and still_behind(days.pipeline) == set()
    with psycopg.connect(days.url, autocommit=True) as session:
        session.execute("DELETE FROM analytics.fct_events")
    failed = days.run(instance, {DAYS_TAG: past})
    assert not failed.success
    found = {(each.asset_key, each.check_name, each.passed) for each in failed.get_asset_check_evaluations()}
    assert found == {(dg.AssetKey(["warehouse", "fct_events"]), "equals_the_lake", False)}
