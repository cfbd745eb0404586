"""Every check that Dagster knows has a state of lake and warehouse here in which it fails, run as Dagster runs it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from pydantic import SecretStr
from pyspark.sql import SparkSession

from event_assets.contract.tables.anomalies import METRIC_INCIDENTS
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_LEDGER
from event_assets.contract.tables.features import TRAINED_MODELS
from event_assets.contract.tables.people import OUTLIER_VISITORS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.definitions import build_defs
from event_assets.defs.checks.alarms import check_name
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.settings import Settings
from event_assets.telemetry.alarms import ALARMS
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests import engines
from event_assets_tests.factories import enriched_event, frame, row_of
from event_assets_tests.postgres import new_database


@cache
def now() -> dt.datetime:
    """The time of these tests."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Scene:
    """A lake and a warehouse, both empty, and the settings that lead to them."""

    spark: SparkSession
    settings: Settings

    @property
    def lake(self) -> Lake:
        return Lake(Storage(self.settings.lake))

    @property
    def warehouse(self) -> Warehouse:
        assert self.settings.warehouse_url is not None
        return Warehouse.from_settings(self.settings, self.settings.warehouse_url.get_secret_value())

    def put(self, table: Table, **fields: Any) -> None:
        """A row of these fields; of the others what their types allow, so that any table can have one."""
        row, schema = row_of(table, **fields), table.arrow_schema()
        lake_table = self.lake.table(table.name)
        base = lake_table.snapshot()
        partition = {name: str(row[name]) for name in table.partition_by}
        staged = lake_table.stage_arrow(pa.Table.from_pylist([row], schema), f"row-{base.version}", partition)
        lake_table.commit(base, base.progress, add=[staged])

    def ledger(self, hours_ago: int, **counts: Any) -> None:
        """The ledger of one hour."""
        at = now() - dt.timedelta(hours=hours_ago)
        zero = {column.name: 0 for column in EVENT_LEDGER.columns if column.type == "long"}
        hour = {"arrival_date": at.date(), "arrival_hour": at.hour, "quarantined_by_reason": "{}", "balanced": True}
        self.put(EVENT_LEDGER, **zero | hour | counts)

    def evaluation(self, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
        """What the check says now."""
        jobs = jobs_of_checks(
            self.settings.home, self.settings.spark_remote, self.settings.spend_file, self.settings.anomalies_file
        )
        done = jobs[key].execute_in_process(raise_on_error=False)
        evaluations = done.get_asset_check_evaluations()
        assert len(evaluations) == 1, [event.message for event in done.all_events if event.is_failure]
        return evaluations[0]


def an_hour_does_not_balance(scene: Scene) -> None:
    scene.ledger(1, landed=3, clean=2, balanced=False)


def an_event_counts_twice(scene: Scene) -> None:
    table = scene.lake.table(ENRICHED_EVENTS.name)
    base, rows = table.snapshot(), [enriched_event(event_id="same"), enriched_event(event_id="same")]
    table.commit(base, base.progress, add=table.stage(frame(scene.spark, rows), 1, 2))


def two_of_a_hundred_events_are_quarantined(scene: Scene) -> None:
    scene.ledger(1, landed=100, clean=98, quarantined=2, quarantined_by_reason=json.dumps({"wrong_type": 2}))


def an_hour_has_a_tenth_of_the_hour_a_day_before(scene: Scene) -> None:
    scene.ledger(26, landed=1000)
    scene.ledger(2, landed=100)


def an_event_is_not_in_the_plan(scene: Scene) -> None:
    scene.put(CLEAN_EVENTS, plan_violations="the tracking plan has no event 'teleport'")


def an_event_waits_for_a_quarter_of_an_hour(scene: Scene) -> None:
    scene.put(CLEAN_EVENTS, event_date=now().date())
    log = Path(scene.settings.lake) / CLEAN_EVENTS.name / "_delta_log" / f"{1:020d}.json"
    earlier = int((now() - dt.timedelta(minutes=16)).timestamp() * 1000)
    log.write_text(re.sub(r'"timestamp":\d+', f'"timestamp":{earlier}', log.read_text()))


def the_spend_file_names_no_channel(scene: Scene) -> None:
    spend = scene.settings.home / "spend.csv"
    spend.write_text("date,channel_group,spend,currency\n2026-03-02,Mail,5,EUR\n")
    scene.settings = scene.settings.model_copy(update={"spend_file": spend})


def the_file_of_anomalies_names_no_column(scene: Scene) -> None:
    file = scene.settings.home / "anomalies.yaml"
    file.write_text("metrics: {visits: {table: daily_sessions, sum: visits}}")
    scene.settings = scene.settings.model_copy(update={"anomalies_file": file})


def an_incident_is_open(scene: Scene) -> None:
    scene.put(
        METRIC_INCIDENTS, incident_id="a", period="day", is_open=True, is_muted=False, was_real=None, metrics="[]"
    )


def those_who_come_differ_from_those_that_a_model_learned_from(scene: Scene) -> None:
    scene.put(TRAINED_MODELS, name="comes_back", number=1, card=json.dumps({"drift": {"events_ever": 0.4}}))


def one_of_two_visitors_is_an_outlier(scene: Scene) -> None:
    scene.put(OUTLIER_VISITORS, anonymous_id="a", is_outlier=True)
    scene.put(OUTLIER_VISITORS, anonymous_id="b", is_outlier=False)


def a_row_is_lost_in_the_warehouse(scene: Scene) -> None:
    assert scene.settings.warehouse_url is not None
    url = scene.settings.warehouse_url.get_secret_value()
    scene.warehouse.ensure()
    for table in WAREHOUSE_TABLES:
        if not scene.lake.table(table.lake.name).exists():
            scene.put(table.lake)
        load_step(scene.lake, scene.warehouse, table, EVERYTHING)
        with psycopg.connect(url) as session:
            session.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(scene.warehouse.schema, table.name)))


FAILS: dict[str, Callable[[Scene], None]] = {
    "books_balance": an_hour_does_not_balance,
    "event_ids_are_unique": an_event_counts_twice,
    "few_events_are_quarantined": two_of_a_hundred_events_are_quarantined,
    "volume_is_as_usual": an_hour_has_a_tenth_of_the_hour_a_day_before,
    "events_are_in_the_plan": an_event_is_not_in_the_plan,
    "days_are_fresh": an_event_waits_for_a_quarter_of_an_hour,
    "anomalies_file_is_usable": the_file_of_anomalies_names_no_column,
    "nothing_is_unusual": an_incident_is_open,
    "features_are_as_learned": those_who_come_differ_from_those_that_a_model_learned_from,
    "outliers_are_few": one_of_two_visitors_is_an_outlier,
    "spend_file_is_usable": the_spend_file_names_no_channel,
    "equals_the_lake": a_row_is_lost_in_the_warehouse,
}
"""For each check, by its name, what lets it fail."""


@cache
def jobs_of_checks(
    home: Path, spark_remote: str | None, spend_file: Path | None = None, anomalies_file: Path | None = None
) -> dict[dg.AssetCheckKey, dg.JobDefinition]:
    """For each check a job of it alone. Whichever database is the warehouse they read when they run."""
    settings = Settings(
        home=home,
        spark_remote=spark_remote,
        spend_file=spend_file,
        anomalies_file=anomalies_file,
        warehouse_url=SecretStr("postgresql://any"),
    )
    definitions = build_defs(settings)
    names = {f"check_{number}": key for number, key in enumerate(keys_of_checks())}
    jobs = [
        dg.define_asset_job(name, dg.AssetSelection.checks(key), executor_def=dg.in_process_executor)
        for name, key in names.items()
    ]
    both = dg.Definitions.merge(definitions, dg.Definitions(jobs=jobs))
    return {key: both.resolve_job_def(name) for name, key in names.items()}


@cache
def keys_of_checks() -> list[dg.AssetCheckKey]:
    """All but those of alarms, which are on no table: each rings by its own fault in `telemetry/test_alarms.py`."""
    of_alarms = {check_name(alarm) for alarm in ALARMS}
    keys = build_defs(Settings()).resolve_asset_graph().asset_check_keys
    return sorted(key for key in keys if key.name not in of_alarms)


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with engines.sail_server() as remote:
        yield remote


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checks")


@pytest.fixture
def scene(
    spark: SparkSession, folder: Path, postgres_url: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    url = new_database(postgres_url)
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", url)  # where Dagster's resource takes it from
    home = folder / "home"
    home.mkdir()
    yield Scene(spark, Settings(home=home, spark_remote=engine, warehouse_url=SecretStr(url)))
    shutil.rmtree(home)


def test_every_check_has_a_state_in_which_it_fails() -> None:
    assert {key.name for key in keys_of_checks()} == set(FAILS)


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) if each == "equals_the_lake" else each for each in FAILS]
)
def test_each_check_fails_for_what_it_is_there_for(name: str, scene: Scene) -> None:
    keys = [key for key in keys_of_checks() if key.name == name]
    FAILS[name](scene)
    passed = [key.asset_key.to_user_string() for key in keys if scene.evaluation(key).passed]
    assert passed == []


@pytest.mark.parametrize("name", sorted(FAILS.keys() - {"equals_the_lake"}))
def test_no_check_fails_where_nothing_is(name: str, scene: Scene) -> None:
    [key] = [key for key in keys_of_checks() if key.name == name]
    assert scene.evaluation(key).passed
