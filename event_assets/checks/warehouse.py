"""Checks of the warehouse: every partition holds what the lake holds."""

import datetime as dt
import math

import dagster as dg

from event_assets.assets.lake_asset import window_of
from event_assets.contract.tables import WAREHOUSE_TABLES, WarehouseTable
from event_assets.resources.lake import LakeResource
from event_assets.resources.warehouse import WarehouseResource
from event_assets.steps.loading import behind, lake_totals


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
        store, snapshot = warehouse.open(), lake.open().table(table.lake.name).snapshot()
        days: list[str] | None = None
        if table.partition_by:
            not_loaded = behind(snapshot, store, table).dates
            days = [day for day in window_of(context).among(snapshot.dates()) if day not in not_loaded]
        wanted = lake_totals(snapshot, table, days)
        dates = None if days is None else [dt.date.fromisoformat(day) for day in days]
        standing = store.counts_and_sums(table, dates) if wanted else {}
        faults = [
            f"{date or 'table'}: {standing[date]} instead of {totals}"
            for date, totals in wanted.items()
            if standing[date].rows != totals.rows
            or any(not math.isclose(standing[date].sums[n], totals.sums[n], rel_tol=1e-9, abs_tol=1e-6) for n in table.sums)
        ]
        return dg.AssetCheckResult(
            passed=not faults,
            metadata={"partitions": len(wanted), "faults": dg.MetadataValue.json(faults[:20])},
        )

    return equals_the_lake


WAREHOUSE_CHECKS = [warehouse_equals_lake(table) for table in WAREHOUSE_TABLES]
