"""Runs that are over are forgotten with all that they took; what tells of tables, days and checks stays."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
import yaml
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._core.storage.tags import SCHEDULE_NAME_TAG, SENSOR_NAME_TAG
from sqlalchemy.engine import make_url

from event_assets.defs.automation import forgetting
from event_assets.defs.automation.forgetting import forget, give_back_disk, old_runs
from event_assets.stack.instance import instance_settings
from event_assets_tests.postgres import new_database

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-03-01")
AUTOMATIC = {SENSOR_NAME_TAG: "some_sensor"}


@dg.asset(partitions_def=DAYS)
def sessions(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    print("made")
    return dg.MaterializeResult(metadata={"of": context.run.run_id}, data_version=dg.DataVersion(context.run.run_id))


@dg.asset
def users(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    if context.run.tags.get("fails"):
        raise RuntimeError("as it was told")
    return dg.MaterializeResult(metadata={"of": context.run.run_id})


@dg.asset_check(asset=users)
def users_are_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


DEFINITIONS = dg.Definitions([sessions, users], asset_checks=[users_are_right])
SESSIONS, USERS, CHECK = sessions.key, users.key, users_are_right.check_key


@pytest.fixture(params=["sqlite", "postgres"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    config = instance_settings(str(tmp_path))
    if request.param == "postgres":
        url = make_url(new_database(request.getfixturevalue("postgres_url"))).set(drivername="postgresql+psycopg2")
        config["storage"] = {"postgres": {"postgres_url": url.render_as_string(hide_password=False)}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def made(
    instance: dg.DagsterInstance, tags: dict[str, str], day: str | None = None, asset: dg.AssetKey = USERS
) -> dg.ExecuteInProcessResult:
    """A run of one asset, and of its checks."""
    job = DEFINITIONS.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, asset_selection=[asset], partition_key=day, tags=tags, raise_on_error=False
    )


def told(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What Dagster says of assets, days and checks."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    numbers = instance.get_latest_storage_id_by_partition(SESSIONS, kind)
    storage = instance.event_log_storage
    [check] = storage.get_latest_asset_check_execution_by_key([CHECK]).values()
    latest = {key: instance.get_latest_materialization_event(key) for key in (SESSIONS, USERS)}
    records = instance.get_asset_records([SESSIONS, USERS])
    return {
        "assets": {key.to_user_string() for key in instance.all_asset_keys()},
        "days": dict(numbers),
        "failed or planned": storage.get_latest_asset_partition_materialization_attempts_without_materializations(
            SESSIONS
        ),
        "materialised": instance.get_materialized_partitions(SESSIONS),
        "versions": storage.get_latest_tags_by_partition(SESSIONS, kind, ["dagster/data_version"]),
        "latest": {key.to_user_string(): event for key, event in latest.items()},
        "records": {each.asset_entry.asset_key.to_user_string(): each.asset_entry.last_run_id for each in records},
        "check": (check.status, check.run_id, check.create_timestamp),
    }


def forget_all(instance: dg.DagsterInstance) -> list[str]:
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    gone = old_runs(instance, now, now, most=1000)
    forget(instance, gone)
    return gone


def test_what_tells_of_assets_days_and_checks_stays_when_every_run_is_forgotten(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-01"):
        assert made(instance, AUTOMATIC, day, SESSIONS).success
    for _ in range(2):
        assert made(instance, AUTOMATIC).success
    before = told(instance)
    assert before["materialised"] == {"2026-01-01", "2026-01-02"} and before["latest"]["users"] is not None
    gone = forget_all(instance)
    assert len(gone) == 5 and instance.get_runs() == []
    assert told(instance) == before
    assert len(instance.fetch_materializations(SESSIONS, limit=9).records) == 3
    kinds = {
        each.event_log_entry.dagster_event_type for each in instance.fetch_materializations(USERS, limit=9).records
    }
    assert kinds == {dg.DagsterEventType.ASSET_MATERIALIZATION}
    left = {path.name.partition(".")[0] for path in tmp_path.rglob("*") if path.is_file()} | {
        path.name for path in tmp_path.rglob("*") if path.is_dir()
    }
    assert left.isdisjoint(gone)
    assert made(instance, {}).success and told(instance)["latest"]["users"] != before["latest"]["users"]


@pytest.mark.slow
def test_what_stays_does_not_grow_with_runs(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "KEPT", 2)
    rows = []
    for runs in (2, 3):
        for _ in range(runs):
            assert made(instance, AUTOMATIC).success
            assert made(instance, AUTOMATIC, "2026-01-01", SESSIONS).success
        forget_all(instance)
        rows.append(counted(instance))
    assert rows[0] == rows[1] and (rows[0]["event_logs"], rows[0]["asset_check_executions"]) == (4, 2), rows


def counted(instance: dg.DagsterInstance) -> dict[str, int]:
    """Rows of each table over all runs."""
    events, runs = instance.event_log_storage, instance.run_storage
    assert isinstance(events, SqlEventLogStorage) and isinstance(runs, SqlRunStorage)
    tables = (SqlEventLogStorageTable, AssetEventTagsTable, AssetCheckExecutionsTable)
    with events.index_connection() as session:
        rows = {table.name: session.execute(_rows_of(table)).scalar_one() for table in tables}
    with runs.connect() as session:
        return rows | {RunTagsTable.name: session.execute(_rows_of(RunTagsTable)).scalar_one()}


def _rows_of(table: db.Table) -> db.Select[tuple[int]]:
    return db.select(db.func.count()).select_from(table)


def test_failed_runs_and_those_of_people_stay_longer(instance: dg.DagsterInstance) -> None:
    by_sensor, by_schedule = made(instance, AUTOMATIC).run_id, made(instance, {SCHEDULE_NAME_TAG: "nightly"}).run_id
    by_hand, failed = made(instance, {}).run_id, made(instance, {"fails": "yes", **AUTOMATIC}).run_id
    soon, long_ago = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert old_runs(instance, long_ago, soon, most=9) == [by_sensor, by_schedule]
    assert old_runs(instance, soon, soon, most=9) == [by_sensor, by_schedule, by_hand, failed]
    assert old_runs(instance, soon, soon, most=1) == [by_sensor]
    assert old_runs(instance, long_ago, long_ago, most=9) == []


def test_the_disk_of_what_is_forgotten_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_FREE_BYTES", 50_000)
    monkeypatch.setattr(forgetting, "KEPT", 1)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:

        @dg.op
        def tell(context: dg.OpExecutionContext) -> None:
            for _ in range(60):
                context.log_event(dg.AssetMaterialization("users", metadata={"text": "x" * 5_000}))

        @dg.job
        def tells() -> None:
            tell()

        assert tells.execute_in_process(instance=instance).success
        index = next(tmp_path.rglob("index.db"))
        assert give_back_disk(instance) == 0
        large = index.stat().st_size
        forget_all(instance)
        freed = give_back_disk(instance)
        assert freed > 250_000 and index.stat().st_size <= large - freed
        assert give_back_disk(instance) == 0 and len(instance.fetch_materializations(USERS, limit=9).records) == 1
