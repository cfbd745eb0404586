"""What all assets of the lake share: how they are described, which days a run is about, what they report.

No asset is defined here, and nothing is computed.
"""

from __future__ import annotations

import datetime as dt
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from event_assets.assets.pictures import bars, grouped_bars
from event_assets.contract.tables import Column, Table
from event_assets.steps.report import StepReport
from event_assets.steps.window import EVERYTHING, Window

OWNERS = ["team:data-platform"]
LAKE_TAGS = {"layer": "lake"}
_MOST_LISTED = 60

RETRY = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""Every step can be repeated, so a passing fault (a lost connection, a commit that came second) is tried again."""


class Rebuild(dg.Config):
    """How to bring a table up to date."""

    rebuild: bool = False
    """Make every day of the run again from all rows, not only what is new."""


def lake_asset(
    table: Table, *, group: str, deps: Iterable[str], kinds: set[str], code_version: str
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Makes an asset of a function by the table's definition in the contract."""
    return asset_of_ranges(
        name=table.name,
        description=table.description,
        group_name=group,
        deps=list(deps),
        kinds=kinds,
        tags=LAKE_TAGS,
        code_version=code_version,
        metadata={"dagster/column_schema": column_schema(table.columns, table.key)},
    )


def lake_multi_asset(
    tables: Iterable[Table], *, name: str, group: str, deps: Iterable[str], kinds: set[str], code_version: str
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Makes the assets of a function that makes several tables in one pass."""
    upstream = list(deps)
    specs = [
        dg.AssetSpec(
            table.name,
            description=table.description,
            group_name=group,
            deps=upstream,
            kinds=kinds,
            owners=OWNERS,
            tags=LAKE_TAGS,
            code_version=code_version,
            metadata={"dagster/column_schema": column_schema(table.columns, table.key)},
        )
        for table in tables
    ]
    return _without_beta_warning(
        lambda: dg.multi_asset(
            name=name, specs=specs, backfill_policy=dg.BackfillPolicy.single_run(), retry_policy=RETRY
        )
    )


def asset_of_ranges(**described: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset that takes a range of partitions in one run, and is tried again after a passing fault."""
    return _without_beta_warning(
        lambda: dg.asset(**described, owners=OWNERS, backfill_policy=dg.BackfillPolicy.single_run(), retry_policy=RETRY)
    )


def _without_beta_warning(
    decorator: Callable[[], Callable[[Callable[..., Any]], dg.AssetsDefinition]],
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`backfill_policy` has been beta for years; a warning per asset would hide those that matter."""

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            return decorator()(function)

    return decorate


def column_schema(columns: Iterable[Column], key: Iterable[str]) -> dg.TableSchema:
    """The columns as Dagster shows them."""
    unique = set(key)
    only = len(unique) == 1
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                column.meaning,
                dg.TableColumnConstraints(nullable=column.nullable, unique=only and column.name in unique),
                tags={"pii": "true"} if column.pii else {},
            )
            for column in columns
        ]
    )


def window_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Window:
    """The days that the run is about; all of them in a run without partitions."""
    if not context.has_partition_key and not context.has_partition_key_range:
        return EVERYTHING
    return Window.of(*context.partition_time_window)


def materialise(context: dg.AssetExecutionContext, step: Callable[[], StepReport]) -> dg.MaterializeResult[None]:
    """Runs a step and reports it: rows, bytes, seconds, rows per second, what is new since the last time."""
    [result] = materialise_all(context, lambda: (step(),))
    return result


def materialise_all(
    context: dg.AssetExecutionContext, step: Callable[[], Iterable[StepReport]]
) -> list[dg.MaterializeResult[None]]:
    """Runs a step that makes several tables and reports each.

    Days outside the run's that had to change as well (a session that goes on past midnight) are reported as
    materialised too.
    """
    began = time.perf_counter()
    reports = list(step())
    seconds = time.perf_counter() - began
    window = window_of(context)
    for report in reports:
        for day in sorted(day for day in report.dates if day not in window)[:_MOST_LISTED]:
            context.log_event(_elsewhere(context, report, day))
    return [dg.MaterializeResult(asset_key=report.table, metadata=_metadata(report, seconds)) for report in reports]


def _elsewhere(context: dg.AssetExecutionContext, report: StepReport, day: str) -> dg.AssetMaterialization:
    start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    partitions = context.assets_def.specs_by_key[dg.AssetKey(report.table)].partitions_def
    key = (
        partitions.get_partition_key_for_timestamp(start.timestamp())
        if isinstance(partitions, dg.TimeWindowPartitionsDefinition)
        else None
    )
    return dg.AssetMaterialization(report.table, partition=key, metadata={"new_rows": report.dates[day]})


def _metadata(report: StepReport, seconds: float) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows,
        "bytes": report.bytes,
        "seconds": round(seconds, 3),
        "rows_per_second": round(report.new_rows / seconds) if seconds else 0,
        "new_rows": report.new_rows,
        "version": report.version,
        "dates": _listed(report.dates),
    }
    if report.rebuilt:
        metadata["rebuilt"] = ", ".join(report.rebuilt[:_MOST_LISTED])
    if report.bars:
        metadata[report.bars_unit] = bars(report.bars, report.bars_unit)
    if report.groups:
        metadata[report.groups_unit] = grouped_bars(report.groups, report.groups_unit)
    return metadata | {name: _shown(value) for name, value in report.more.items()}


def _listed(dates: Mapping[str, int]) -> dg.MetadataValue:
    shown = sorted(dates.items(), reverse=True)[:_MOST_LISTED]
    return dg.TableMetadataValue(
        [dg.TableRecord({"date": date, "new rows": rows}) for date, rows in shown],
        dg.TableSchema([dg.TableColumn("date", "date"), dg.TableColumn("new rows", "int")]),
    )


def _shown(value: Any) -> Any:
    return dg.MetadataValue.json(value) if isinstance(value, (dict, list)) else value
