"""Attribution: touches and conversions of persons, the paths between them, and what channels are credited with."""

from collections.abc import Callable

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise
from event_assets.contract.tables import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
    Table,
)
from event_assets.lake.lake import Lake
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import attributing
from event_assets.steps.attributing import (
    attribution_step,
    channel_performance_step,
    conversion_paths_step,
    conversions_step,
    touches_step,
)
from event_assets.steps.report import StepReport
from event_assets.steps.spend import SpendError

Step = Callable[[Lake, SparkSession, RulesResource, bool], StepReport]
"""Brings a table up to date, by the rules; from scratch where the last is true."""


def attribution_asset(table: Table, deps: list[str], step: Step) -> dg.AssetsDefinition:
    """The asset of one of the tables."""

    @lake_asset(table, group="attribution", deps=deps, kinds={"pyspark", "delta"}, code_version=attributing.CODE)
    def made(
        context: dg.AssetExecutionContext,
        config: Rebuild,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> dg.MaterializeResult[None]:
        return materialise(context, lambda: step(lake.open(), spark.spark_session, rules, config.rebuild))

    return made


def _channel_performance(lake: Lake, spark: SparkSession, rules: RulesResource, rebuild: bool) -> StepReport:
    """A spend file that cannot be used leaves the table as it stands, and is told by a check: it must not fail the runs
    that bring in events."""
    try:
        return channel_performance_step(lake, spark, rules.attribution(), rules.spend(), rebuild=rebuild)
    except SpendError as error:
        standing = lake.table(CHANNEL_PERFORMANCE.name).snapshot()
        more = {"spend_file": str(error)}
        return StepReport(CHANNEL_PERFORMANCE.name, standing.version, standing.rows, standing.bytes, more=more)


ATTRIBUTION_ASSETS = [
    attribution_asset(
        TOUCHES,
        ["sessions", "page_views"],
        lambda lake, spark, rules, rebuild: touches_step(lake, spark, rules.attribution(), rebuild=rebuild),
    ),
    attribution_asset(
        CONVERSIONS,
        ["enriched_events", "identities"],
        lambda lake, spark, rules, rebuild: conversions_step(lake, spark, rules.sessions(), rebuild=rebuild),
    ),
    attribution_asset(
        CONVERSION_PATHS,
        ["touches", "conversions"],
        lambda lake, spark, rules, rebuild: conversion_paths_step(lake, spark, rules.attribution(), rebuild=rebuild),
    ),
    attribution_asset(
        ATTRIBUTION,
        ["conversion_paths"],
        lambda lake, spark, rules, rebuild: attribution_step(lake, spark, rules.attribution(), rebuild=rebuild),
    ),
    attribution_asset(CHANNEL_PERFORMANCE, ["conversion_paths"], _channel_performance),
]
"""Touches and conversions first, what they amount to last."""
