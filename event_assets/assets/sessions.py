"""Page views, sessions and their issues, made in one pass over the enriched events that changed."""

from collections.abc import Iterator

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import Rebuild, lake_multi_asset, materialise_all, window_of
from event_assets.contract.tables import PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import sessionising
from event_assets.steps.sessionising import Sessionising, sessions_step


@lake_multi_asset(
    (PAGE_VIEWS, SESSIONS, SESSION_ISSUES),
    name="sessionised",
    group="sessions",
    deps=["enriched_events", "identities"],
    kinds={"pyspark", "delta"},
    code_version=sessionising.CODE,
)
def sessionised(
    context: dg.AssetExecutionContext,
    config: Rebuild,
    lake: LakeResource,
    spark: LazyPySparkResource,
    rules: RulesResource,
) -> Iterator[dg.MaterializeResult[None]]:
    what = Sessionising(window_of(context), rules.sessions(), config.rebuild)
    yield from materialise_all(context, lambda: sessions_step(lake.open(), spark.spark_session, what))
