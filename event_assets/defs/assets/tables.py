"""The lake's tables as assets: one a step of the registry, whatever it makes.

What a table says is in the contract, what is made of what in the registry, how it is made in its step.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.contract.tables.schema import Table
from event_assets.defs.assets.describing import FRESHNESS, lake_metadata, owners_of
from event_assets.defs.assets.materialising import (
    LAKE_TAGS,
    Refresh,
    materialise,
    multi_asset_of_ranges,
    run_of,
)
from event_assets.defs.assets.sources import EVENT_STREAM
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.pipeline.registry import RefreshStep
from event_assets.settings import Settings

STREAM = dg.AssetKey(EVENT_STREAM)


def table_asset(
    step: RefreshStep,
    settings: Settings,
    partitions: dg.PartitionsDefinition[str],
    made_of: Mapping[str, Sequence[dg.AssetKey]],
    version: str,
    beside: Mapping[str, Sequence[dg.AssetKey]],
) -> dg.AssetsDefinition:
    """The assets of the tables that a step makes, in partitions where they have days.

    `made_of` names assets that stand between a table and the step's upstream, `beside` those that a table is made of
    beside it; `version` is the step's code version, the rules in it.
    """

    @multi_asset_of_ranges(
        name=step.name,
        specs=[
            _spec(step, table, settings, made_of.get(table.name, ()), version, beside.get(table.name, ()))
            for table in step.tables
        ],
        partitions_def=partitions if step.is_by_day else None,
    )
    def refresh(
        context: dg.AssetExecutionContext,
        config: Refresh,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> Iterator[dg.MaterializeResult[None]]:
        config.check(step)
        run = run_of(context, config, stream, lake, spark, rules)
        yield from materialise(context, lambda: step.run(run))

    return refresh


def _spec(
    step: RefreshStep,
    table: Table,
    settings: Settings,
    made_of: Sequence[dg.AssetKey],
    version: str,
    beside: Sequence[dg.AssetKey],
) -> dg.AssetSpec:
    upstream = [dg.AssetKey(each.name) for each in step.upstream] or [STREAM]
    return dg.AssetSpec(
        table.name,
        description=table.description,
        group_name=step.group,
        deps=[*(made_of or upstream), *beside],
        kinds={"pyspark", "delta"} if step.on_spark else {"delta", "parquet"},
        owners=owners_of(step.group),
        tags=LAKE_TAGS,
        code_version=version,
        metadata=lake_metadata(settings, table.name, table.columns, table.key, step.refresh),
        freshness_policy=FRESHNESS if step.pace != "pauses" else None,
    )
