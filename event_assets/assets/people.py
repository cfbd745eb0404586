"""People: devices, which ids are one person, persons, and their segments."""

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise
from event_assets.contract.tables import IDENTITIES, USER_SEGMENTS, USER_TRAITS, USERS, VISITORS
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import people
from event_assets.steps.people import identities_step, segments_step, user_traits_step, users_step, visitors_step


@lake_asset(
    VISITORS,
    group="people",
    deps=["enriched_events", "sessions"],
    kinds={"pyspark", "delta"},
    code_version=people.CODE,
)
def visitors(
    context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, spark: LazyPySparkResource
) -> dg.MaterializeResult[None]:
    return materialise(context, lambda: visitors_step(lake.open(), spark.spark_session, rebuild=config.rebuild))


@lake_asset(IDENTITIES, group="people", deps=["enriched_events"], kinds={"pyspark", "delta"}, code_version=people.CODE)
def identities(
    context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, spark: LazyPySparkResource
) -> dg.MaterializeResult[None]:
    return materialise(context, lambda: identities_step(lake.open(), spark.spark_session, rebuild=config.rebuild))


@lake_asset(
    USER_TRAITS,
    group="people",
    deps=["identities", "enriched_events"],
    kinds={"pyspark", "delta"},
    code_version=people.CODE,
)
def user_traits(
    context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, spark: LazyPySparkResource
) -> dg.MaterializeResult[None]:
    return materialise(context, lambda: user_traits_step(lake.open(), spark.spark_session, rebuild=config.rebuild))


@lake_asset(
    USERS,
    group="people",
    deps=["identities", "enriched_events", "sessions", "user_traits"],
    kinds={"pyspark", "delta"},
    code_version=people.CODE,
)
def users(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> dg.MaterializeResult[None]:
    sessions = rules.sessions()
    return materialise(context, lambda: users_step(lake.open(), spark.spark_session, sessions, rebuild=config.rebuild))


@lake_asset(
    USER_SEGMENTS,
    group="people",
    deps=["users", "enriched_events", "identities"],
    kinds={"pyspark", "delta"},
    code_version=people.CODE,
)
def user_segments(
    context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, spark: LazyPySparkResource
) -> dg.MaterializeResult[None]:
    return materialise(context, lambda: segments_step(lake.open(), spark.spark_session, rebuild=config.rebuild))
