"""Attribution: touches and conversions of persons, the paths between them, and what channels are credited with."""

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise
from event_assets.contract.tables import ATTRIBUTION, CHANNEL_PERFORMANCE, CONVERSION_PATHS, CONVERSIONS, TOUCHES
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

_KINDS = {"pyspark", "delta"}


@lake_asset(
    TOUCHES,
    group="attribution",
    deps=["sessions", "page_views"],
    kinds=_KINDS,
    code_version=attributing.CODE,
)
def touches(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    by = rules.attribution()
    return materialise(context, lambda: touches_step(lake.open(), spark.spark_session, by, rebuild=config.rebuild))


@lake_asset(
    CONVERSIONS,
    group="attribution",
    deps=["enriched_events", "identities"],
    kinds=_KINDS,
    code_version=attributing.CODE,
)
def conversions(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    by = rules.sessions()
    return materialise(context, lambda: conversions_step(lake.open(), spark.spark_session, by, rebuild=config.rebuild))


@lake_asset(
    CONVERSION_PATHS,
    group="attribution",
    deps=["touches", "conversions"],
    kinds=_KINDS,
    code_version=attributing.CODE,
)
def conversion_paths(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    by = rules.attribution()
    return materialise(
        context, lambda: conversion_paths_step(lake.open(), spark.spark_session, by, rebuild=config.rebuild)
    )


@lake_asset(ATTRIBUTION, group="attribution", deps=["conversion_paths"], kinds=_KINDS, code_version=attributing.CODE)
def attribution(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    by = rules.attribution()
    return materialise(context, lambda: attribution_step(lake.open(), spark.spark_session, by, rebuild=config.rebuild))


@lake_asset(
    CHANNEL_PERFORMANCE, group="attribution", deps=["conversion_paths"], kinds=_KINDS, code_version=attributing.CODE
)
def channel_performance(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    by, spend = rules.attribution(), rules.spend()
    return materialise(
        context,
        lambda: channel_performance_step(lake.open(), spark.spark_session, by, spend, rebuild=config.rebuild),
    )
