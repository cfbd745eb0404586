"""The platform as Dagster sees it: `defs`, in the order of the data. Assembly only; nothing is computed here."""

from __future__ import annotations

import dagster as dg

from event_assets.assets import books, events, metrics, people, sessions, sources
from event_assets.assets.attribution import ATTRIBUTION_ASSETS
from event_assets.assets.product import (
    PREFIX,
    REMOVED,
    product_assets,
    removal_asset,
    unusable_files,
    upstream_of_tables,
)
from event_assets.assets.segments import GROUP, memberships_asset
from event_assets.assets.warehouse import warehouse_assets
from event_assets.automation.analyses import analyses_sensor
from event_assets.automation.maintenance import maintain_lake, prune_runs, schedules
from event_assets.automation.partitions import partitioned, partitions_of
from event_assets.automation.sensors import stream_sensor
from event_assets.automation.simulation import simulation_job
from event_assets.checks.attribution import ATTRIBUTION_CHECKS
from event_assets.checks.events import EVENT_CHECKS
from event_assets.checks.warehouse import WAREHOUSE_CHECKS
from event_assets.contract.analysis import Analyses
from event_assets.contract.segment_files import Segments
from event_assets.contract.tables import LAKE_TABLES, PRODUCT_TABLES, WAREHOUSE_TABLES
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.resources.spark import spark_resource
from event_assets.resources.stream import StreamResource
from event_assets.resources.warehouse import WarehouseResource
from event_assets.settings import Settings, load_settings

SOURCES = [sources.client_apps, sources.event_stream]
LAKE_ASSETS = [
    events.raw_events,
    events.clean_events,
    events.quarantined_events,
    events.enriched_events,
    sessions.sessionised,
    people.visitors,
    people.identities,
    people.user_traits,
    people.users,
    people.user_segments,
    *ATTRIBUTION_ASSETS,
    metrics.daily_metrics,
    books.event_ledger,
]
PARTITIONED = [
    *(table.name for table in LAKE_TABLES if table.partition_by),
    *(f"warehouse/{table.name}" for table in WAREHOUSE_TABLES if table.partition_by),
]
PRODUCT_WAREHOUSE = [
    dg.AssetKey(["warehouse", table.name]) for table in WAREHOUSE_TABLES if table.lake in PRODUCT_TABLES
]


def build_defs(settings: Settings) -> dg.Definitions:
    """Everything that Dagster runs, for these settings."""
    partitions = partitions_of(settings)
    analyses = Analyses.load(settings.analytics)
    segments = Segments.load(settings.segments)
    of_rules = [memberships_asset(segments), *product_assets(analyses), removal_asset(analyses)]
    warehouse = warehouse_assets(upstream_of_tables(analyses), REMOVED)
    assets = partitioned([*LAKE_ASSETS, *of_rules, *warehouse], PARTITIONED, partitions)
    product = {*(key for asset in of_rules for key in asset.keys), *PRODUCT_WAREHOUSE}
    keys = [key for asset in assets for key in asset.keys if key not in product]
    return dg.Definitions(
        assets=[
            *SOURCES,
            *assets,
            *unusable_files(PREFIX, PREFIX, analyses.faults),
            *unusable_files("segments", GROUP, segments.faults),
        ],
        asset_checks=[*EVENT_CHECKS, *ATTRIBUTION_CHECKS, *WAREHOUSE_CHECKS],
        jobs=[maintain_lake, prune_runs, simulation_job(settings)],
        schedules=schedules(settings, partitions),
        sensors=[
            stream_sensor(settings, partitions, keys),
            analyses_sensor(settings, analyses, segments, sorted(product)),
        ],
        resources={
            "stream": StreamResource.of(settings),
            "lake": LakeResource.of(settings),
            "spark": spark_resource(settings),
            "warehouse": WarehouseResource.of(settings),
            "rules": RulesResource.of(settings),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The platform of this process's settings."""
    return build_defs(load_settings())
