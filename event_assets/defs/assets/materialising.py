"""How an asset is refreshed: which days a run is about, what it reports.

No asset is defined here, and nothing is computed.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.defs.assets.days import DAYS_TAG, key_of, shown_lately
from event_assets.defs.assets.describing import beta_features
from event_assets.defs.assets.model_cards import card_metadata
from event_assets.defs.assets.pictures import bars, grouped_bars, lines
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.pipeline.registry import RefreshStep
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.telemetry.process import meter

LAKE_TAGS = {"layer": "lake"}
_MOST_LISTED = 60

RETRY = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""Every step can be repeated, so a passing fault (a lost connection, a commit that came second) is tried again."""


class Rebuild(dg.Config):
    """Whether a table is made again."""

    rebuild: bool = False
    """Make every day of the run again from all rows, not only what is new."""


class Refresh(Rebuild):
    """How to refresh a table of the lake."""

    hours: list[int] = Field(default_factory=list)
    """With `rebuild`, of tables by arrival: only these hours of arrival (UTC)."""

    def check(self, step: RefreshStep) -> None:
        """Raises `Failure` where a step cannot be refreshed so. Trying again would not help."""
        if self.rebuild and step.rebuilds == "nothing":
            fault = f"{step.name} cannot be rebuilt: it always says what it is made of. Leave `rebuild` out."
        elif self.hours and step.rebuilds != "hours":
            fault = f"{step.name} is not laid out by hours of arrival. Leave `hours` out: its days are whole."
        elif self.hours and not self.rebuild:
            fault = "`hours` narrows a rebuild. Add `rebuild: true`, or leave `hours` out."
        else:
            return
        raise dg.Failure(fault, allow_retries=False)


def asset_of_ranges(**described: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset that takes a range of partitions in one run, and is tried again after a passing fault."""
    policy = dg.BackfillPolicy.single_run()

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        with beta_features():
            made: dg.AssetsDefinition = dg.asset(**described, backfill_policy=policy, retry_policy=RETRY)(function)
        return made

    return decorate


def multi_asset_of_ranges(**described: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """The same for a function that makes several tables in one pass."""
    policy = dg.BackfillPolicy.single_run()

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        with beta_features():
            return dg.multi_asset(**described, backfill_policy=policy, retry_policy=RETRY)(function)

    return decorate


def window_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext,
) -> Window:
    """The days that the run is about; all of them in a run that names neither days nor partitions."""
    days = context.run.tags.get(DAYS_TAG)
    if days is not None:
        return Window.of_days(filter(None, days.split(",")))
    if not _has_partitions(context):
        return EVERYTHING
    return Window.of(*context.partition_time_window)


def run_of(
    context: dg.AssetExecutionContext,
    config: Refresh,
    stream: StreamResource,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> Run:
    """The refresh that an asset is asked for."""
    window = window_of(context)
    return Run(lake.open(), rules, stream.open, lambda: spark.spark_session, window, config.rebuild, config.hours)


def materialise(
    context: dg.AssetExecutionContext, step: Callable[[], Iterable[StepReport]]
) -> list[dg.MaterializeResult[None]]:
    """Runs a step and reports each of its tables: rows, bytes, seconds, rows per second, what is new since the last
    time.

    Days that are none of the run's partitions (a session that goes on past midnight, the days of a run that names days)
    are reported as materialised too.
    """
    began = time.perf_counter()
    reports = list(step())
    seconds = time.perf_counter() - began
    meter().flush()  # the step may be a process of its own, that ends now
    for report in reports:
        log_days(context, dg.AssetKey(report.table), report.dates)
    return [
        dg.MaterializeResult(
            asset_key=report.table, metadata=metadata_of(report, seconds), data_version=data_version_of(report)
        )
        for report in reports
    ]


def data_version_of(report: StepReport) -> dg.DataVersion:
    """The table's id and version: what tells whether those that are made of it are behind."""
    return dg.DataVersion(f"{report.id}@{report.version}")


def log_days(context: dg.AssetExecutionContext, asset: dg.AssetKey, rows: Mapping[str, int]) -> None:
    """Reports the days that changed, each with its new rows, as materialised: those that have a partition and are none
    of the run's, a day before yesterday once a week."""
    partitions = context.assets_def.specs_by_key[asset].partitions_def
    if not isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        return
    of_run = Window.of(*context.partition_time_window) if _has_partitions(context) else Window.of_days(())
    others = sorted((day for day in rows if day not in of_run), reverse=True)[:_MOST_LISTED]
    yesterday = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
    known = shown_lately(context.instance, asset).partitions if others and others[-1] < yesterday else ()
    for day in others:
        key = key_of(partitions, day)
        if key is not None and (day >= yesterday or key not in known):
            context.log_event(dg.AssetMaterialization(asset, partition=key, metadata={"new_rows": rows[day]}))


def _has_partitions(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext) -> bool:
    return bool(context.has_partition_key or context.has_partition_key_range)


def metadata_of(report: StepReport, seconds: float) -> dict[str, Any]:
    """What a report says, as Dagster shows it."""
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows,
        "bytes": report.bytes,
        "seconds": round(seconds, 3),
        "rows_per_second": round(report.new_rows / seconds) if seconds else 0,
        "new_rows": report.new_rows,
        "version": report.version,
    }
    if report.dates:
        metadata["dates"] = _listed(report.dates)
    if report.rebuilt:
        metadata["rebuilt"] = ", ".join(report.rebuilt[:_MOST_LISTED])
    if report.bars:
        metadata[report.bars_unit] = bars(report.bars, report.bars_unit)
    if report.groups:
        metadata[report.groups_unit] = grouped_bars(report.groups, report.groups_unit)
    if report.lines:
        series = {name: list(values.values()) for name, values in report.lines.items()}
        metadata["picture"] = lines(list(next(iter(report.lines.values()))), series, report.lines_unit)
    metadata |= card_metadata(report.cards)
    if report.warnings:
        metadata["warnings"] = dg.MetadataValue.md("\n".join(f"- {each}" for each in report.warnings))
    return metadata | {name: _shown(value) for name, value in report.more.items()}


def _listed(dates: Mapping[str, int]) -> dg.MetadataValue:
    shown = sorted(dates.items(), reverse=True)[:_MOST_LISTED]
    return dg.TableMetadataValue(
        [dg.TableRecord({"date": date, "new rows": rows}) for date, rows in shown],
        dg.TableSchema([dg.TableColumn("date", "date"), dg.TableColumn("new rows", "int")]),
    )


def _shown(value: Any) -> Any:
    return dg.MetadataValue.json(value) if isinstance(value, (dict, list)) else value
