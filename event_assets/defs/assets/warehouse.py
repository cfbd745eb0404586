"""The warehouse's tables: each loaded from its lake table, one transaction a time."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.defs.assets.describing import code_reference, column_schema, owners_of, warehouse_kind
from event_assets.defs.assets.materialising import Rebuild, asset_of_ranges, log_days, window_of
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.pipeline.load import Loaded, load_step
from event_assets.settings import Settings
from event_assets.telemetry.process import meter
from event_assets.warehouse.relation import LOADED_AT

CODE = "1"
"""Version of what is loaded; raise it when a load gives other rows."""


def warehouse_asset(
    table: WarehouseTable,
    settings: Settings,
    partitions: dg.PartitionsDefinition[str],
    metrics: Mapping[str, dg.MarkdownMetadataValue],
) -> dg.AssetsDefinition:
    """The asset that loads one table, in partitions where it is loaded by days. `metrics` are those of each table."""
    upstream = dg.AssetKey(table.lake.name)

    @asset_of_ranges(
        name=table.name,
        key_prefix="warehouse",
        description=table.description,
        group_name="warehouse",
        deps=[upstream],
        kinds={warehouse_kind(settings)},
        owners=owners_of("warehouse"),
        tags={"layer": "warehouse"},
        code_version=CODE,
        metadata={
            "dagster/column_schema": column_schema((*table.specs(), LOADED_AT), table.key),
            "dagster/column_lineage": _column_lineage(table, upstream),
            "dagster/table_name": f"{settings.warehouse_schema}.{table.name}",
            "dagster/code_references": code_reference(load_step),
            **({"metrics": metrics[table.name]} if table.name in metrics else {}),
        },
        partitions_def=partitions if table.partition_by else None,
    )
    def load(
        context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, warehouse: WarehouseResource
    ) -> dg.MaterializeResult[None]:
        step = load_step
        return _loaded(context, lambda: step(lake.open(), warehouse.open(), table, window_of(context), config.rebuild))

    return load


def _column_lineage(table: WarehouseTable, upstream: dg.AssetKey) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset_key=upstream, column_name=name)] for name in table.columns}
    )


def _loaded(context: dg.AssetExecutionContext, step: Callable[[], Loaded]) -> dg.MaterializeResult[None]:
    began = time.perf_counter()
    loaded = step()
    seconds = time.perf_counter() - began
    meter().flush()  # the step may be a process of its own, that ends now
    log_days(context, context.asset_key, dict.fromkeys(loaded.dates, 0))
    return dg.MaterializeResult(metadata=metadata_of_load(loaded, seconds))


def metadata_of_load(loaded: Loaded, seconds: float) -> dict[str, Any]:
    """What a load did, as Dagster shows it."""
    inserted = sum(report.inserted for report in loaded.reports)
    return {
        "dagster/row_count": loaded.rows,
        "bytes": loaded.bytes,
        "seconds": round(seconds, 3),
        "rows_per_second": round(inserted / seconds) if seconds else 0,
        "new_rows": inserted,
        "deleted_rows": sum(report.deleted for report in loaded.reports),
        "transactions": len(loaded.reports),
        "shortened_texts": sum(report.shortened for report in loaded.reports),
        "version": loaded.lake_version,
        "dates": ", ".join(loaded.dates[-60:]),
    }
