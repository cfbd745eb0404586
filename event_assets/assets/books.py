"""The books: what came in and what became of it."""

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import lake_asset, materialise, window_of
from event_assets.contract.tables import EVENT_LEDGER
from event_assets.resources.lake import LakeResource
from event_assets.steps.bookkeeping import ledger_step


@lake_asset(
    EVENT_LEDGER,
    group="books",
    deps=["raw_events", "clean_events", "quarantined_events", "enriched_events"],
    kinds={"pyspark", "delta"},
    code_version="1",
)
def event_ledger(
    context: dg.AssetExecutionContext, lake: LakeResource, spark: LazyPySparkResource
) -> dg.MaterializeResult[None]:
    return materialise(context, lambda: ledger_step(lake.open(), spark.spark_session, window_of(context)))
