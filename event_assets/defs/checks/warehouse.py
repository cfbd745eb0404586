"""Checks of the warehouse: every partition holds what the lake holds."""

import datetime as dt
import math

import dagster as dg

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.defs.assets.materialising import window_of
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.lake.table import LakeTable
from event_assets.pipeline.load import behind, lake_totals, loaded_version, wanted
from event_assets.pipeline.window import Window
from event_assets.telemetry.metrics import WAREHOUSE_DIFFERENCES
from event_assets.warehouse.loads import Totals
from event_assets.warehouse.warehouse import Warehouse

_ATTEMPTS = 5
"""Another run may load a table between the two looks; then they are compared again."""


def warehouse_equals_lake(table: WarehouseTable) -> dg.AssetChecksDefinition:
    """The blocking check that counts and sums of a table are the lake's, for the days that it is loaded to."""

    @dg.asset_check(
        asset=dg.AssetKey(["warehouse", table.name]),
        name="equals_the_lake",
        blocking=True,
        description="Rows and sums of every loaded day are those of the lake.",
    )
    def equals_the_lake(
        context: dg.AssetCheckExecutionContext, lake: LakeResource, warehouse: WarehouseResource
    ) -> dg.AssetCheckResult:
        store, lake_table = warehouse.open(), lake.open().table(table.lake.name)
        for _ in range(_ATTEMPTS):
            loaded = store.loaded_versions(table)
            compared, faults = _compare(lake_table, store, table, window_of(context))
            if not faults or store.loaded_versions(table) == loaded:
                break
        result = dg.AssetCheckResult(
            passed=not faults,
            metadata={"partitions": compared, "faults": dg.MetadataValue.json(faults[:20])},
        )
        return told(result, WAREHOUSE_DIFFERENCES, len(faults))

    return equals_the_lake


def _compare(lake_table: LakeTable, store: Warehouse, table: WarehouseTable, window: Window) -> tuple[int, list[str]]:
    """How many partitions were compared, and a sentence for each that differs from the version it was loaded from."""
    snapshot = lake_table.snapshot()
    days: list[str] | None = None
    if table.partition_by:
        not_loaded = behind(snapshot, store, table).dates
        is_wanted = wanted(snapshot, store, table)
        days = [day for day in window.among(snapshot.dates()) if is_wanted(day) and day not in not_loaded]
    else:
        version = loaded_version(snapshot, store, table)
        if version is None:
            return 0, []
        snapshot = lake_table.at(version)
    expected = lake_totals(snapshot, table, days)
    dates = None if days is None else [dt.date.fromisoformat(day) for day in days]
    existing = store.counts_and_sums(table, dates) if expected else {}
    faults = [
        f"{date or 'table'}: {existing[date]} instead of {totals}"
        for date, totals in expected.items()
        if existing[date].rows != totals.rows or not _alike(existing[date], totals)
    ]
    return len(expected), faults


def _alike(existing: Totals, wanted: Totals) -> bool:
    return all(math.isclose(existing.sums[n], wanted.sums[n], rel_tol=1e-9, abs_tol=1e-6) for n in wanted.sums)


WAREHOUSE_CHECKS = [warehouse_equals_lake(table) for table in WAREHOUSE_TABLES]
