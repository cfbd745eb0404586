"""Everything in one Dagster run of this process, and all rows of the lake and of the warehouse to compare.

`python -m event_assets_tests.end_to_end.whole_run` is such a run by the settings of its environment, of all assets or
of those that are named. No tests here.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from event_assets.contract.tables import minutes
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.definitions import build_defs
from event_assets.defs.automation.partitions import partitions_of
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.settings import Settings, load_settings

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
Rows = dict[str, list[dict[str, Any]]]

BY_PLACE = ("stream", "arrival_date", "arrival_hour", "arrived_at", "sequence_number", "shard_id", "line")
"""Columns that differ between two streams that were given the same."""
OF_PLACES = {
    "raw_events",
    "clean_events",
    "quarantined_events",
    "event_ids",
    "duplicate_events",
    "event_days",
    "event_ledger",
}
"""Tables of the copies that came, and of days on which an event only was, not of the events."""


def run_everything(
    settings: Settings,
    instance: dg.DagsterInstance | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialises all assets of all days, or these, and runs their checks. Raises what a step raises."""
    partitions = partitions_of(settings)
    days = {RANGE_START: partitions.get_first_partition_key(), RANGE_END: partitions.get_last_partition_key()}
    return run(settings, {name: key for name, key in days.items() if key}, assets=assets, instance=instance)


def run(
    settings: Settings,
    tags: Mapping[str, str],
    *,
    partition_key: str | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
    instance: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    """One run as Dagster would launch it; all assets by default."""
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(tags=tags, partition_key=partition_key, asset_selection=assets, instance=instance)


def lake_of(settings: Settings) -> Lake:
    return Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))


def lake_rows(settings: Settings, without: Sequence[str] = ()) -> Rows:
    """All rows of every lake table, in the order of their values, without some columns; without that of arrival, but
    for the tables that are of nothing else."""
    lake = lake_of(settings)
    tables = [spec for spec in LAKE_TABLES if not (spec in minutes.TABLES and "arrived_at" in without)]
    return {spec.name: _sorted(lake.table(spec.name).snapshot().arrow().to_pylist(), without) for spec in tables}


def warehouse_rows(settings: Settings, without: Sequence[str] = ()) -> Rows:
    """All rows of every warehouse table, but for when they came in."""
    assert settings.warehouse_url is not None
    rows: Rows = {}
    with psycopg.connect(settings.warehouse_url.get_secret_value(), row_factory=psycopg.rows.dict_row) as session:
        for table in WAREHOUSE_TABLES:
            name = sql.Identifier(settings.warehouse_schema, table.name)
            found = session.execute(sql.SQL("SELECT * FROM {}").format(name)).fetchall()
            rows[table.name] = _sorted(found, [*without, "loaded_at"])
    return rows


def ledger(rows: Rows) -> dict[str, int]:
    """The sums of the ledger over all hours, each of which must balance."""
    ledger = rows["event_ledger"]
    assert ledger and all(row["balanced"] for row in ledger), ledger
    names = ("landed", "clean", "quarantined", "enriched", "duplicates", "conflicts", "pending")
    return {name: sum(row[name] for row in ledger) for name in names}


def days_ago(days: int) -> dt.date:
    """The date so many days before today (UTC)."""
    return dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)


def _sorted(rows: list[dict[str, Any]], without: Sequence[str]) -> list[dict[str, Any]]:
    kept = [{name: value for name, value in row.items() if name not in without} for row in rows]
    return sorted(kept, key=lambda row: [str(value) for value in row.values()])


if __name__ == "__main__":
    run_everything(load_settings(), assets=[dg.AssetKey.from_user_string(name) for name in sys.argv[1:]] or None)
