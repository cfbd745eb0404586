"""Events: from the stream's records to every event once, by the day on which it happened."""

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise, window_of
from event_assets.contract.tables import CLEAN_EVENTS, ENRICHED_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.resources.stream import StreamResource
from event_assets.steps import cleaning, enriching
from event_assets.steps.cleaning import Cleaning, clean_step, quarantine_step
from event_assets.steps.enriching import Enriching, enrich_step
from event_assets.steps.landing import land


class RebuildHours(Rebuild):
    """How to bring a table by arrival up to date."""

    hours: list[int] = Field(default_factory=list)
    """With `rebuild`: only these hours of arrival (UTC)."""


@lake_asset(RAW_EVENTS, group="events", deps=["event_stream"], kinds={"delta", "parquet"}, code_version="1")
def raw_events(
    context: dg.AssetExecutionContext, stream: StreamResource, lake: LakeResource, rules: RulesResource
) -> dg.MaterializeResult[None]:
    with stream.open() as events:
        return materialise(context, lambda: land(events, lake.open(), rules.max_records_per_run))


@lake_asset(CLEAN_EVENTS, group="events", deps=["raw_events"], kinds={"pyspark", "delta"}, code_version=cleaning.CODE)
def clean_events(
    context: dg.AssetExecutionContext,
    config: RebuildHours,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    what = Cleaning(window_of(context), rules.cleaning(), config.rebuild, config.hours, rules.decoders)
    return materialise(context, lambda: clean_step(lake.open(), spark.spark_session, what))


@lake_asset(
    QUARANTINED_EVENTS,
    group="events",
    deps=["raw_events", "clean_events"],
    kinds={"pyspark", "delta"},
    code_version=cleaning.CODE,
)
def quarantined_events(
    context: dg.AssetExecutionContext,
    config: RebuildHours,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    what = Cleaning(window_of(context), rules.cleaning(), config.rebuild, config.hours, rules.decoders)
    return materialise(context, lambda: quarantine_step(lake.open(), spark.spark_session, what))


@lake_asset(
    ENRICHED_EVENTS, group="events", deps=["clean_events"], kinds={"pyspark", "delta"}, code_version=enriching.CODE
)
def enriched_events(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    what = Enriching(window_of(context), rules.enriching(), config.rebuild)
    return materialise(context, lambda: enrich_step(lake.open(), spark.spark_session, what))
