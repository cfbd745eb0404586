"""Marts: what a day was like."""

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise, window_of
from event_assets.contract.tables import DAILY_METRICS
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import measuring
from event_assets.steps.measuring import Measuring, metrics_step


@lake_asset(
    DAILY_METRICS,
    group="marts",
    deps=["enriched_events", "sessions", "page_views"],
    kinds={"pyspark", "delta"},
    code_version=measuring.CODE,
)
def daily_metrics(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    what = Measuring(window_of(context), rules.sessions(), config.rebuild)
    return materialise(context, lambda: metrics_step(lake.open(), spark.spark_session, what))
