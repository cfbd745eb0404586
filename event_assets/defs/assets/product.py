"""Product analyses: one asset a YAML file of the user's folder, with a picture of what was found."""

import time
from collections.abc import Mapping, Sequence

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.defs.assets.describing import lake_metadata, owners_of
from event_assets.defs.assets.materialising import LAKE_TAGS, Refresh, asset_of_ranges, metadata_of, run_of
from event_assets.defs.assets.product_pictures import breakdown_picture, picture
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.pipeline.analysing import sources_of
from event_assets.pipeline.product import analysis_step
from event_assets.pipeline.registry import step_of
from event_assets.rules.analysis import Analyses, Analysis
from event_assets.rules.funnel import Funnel
from event_assets.settings import Settings

PREFIX = "product"


def unusable_files(prefix: str, group: str, faults: Mapping[str, str]) -> list[dg.AssetSpec]:
    """What stands in for the files that cannot be used, so that they are seen: the reason is the description."""
    keys = {dg.AssetKey([prefix, "unusable", _key(stem)]): fault for stem, fault in faults.items()}
    return [dg.AssetSpec(key, description=f"Cannot be used. {fault}", group_name=group) for key, fault in keys.items()]


def assets_by_table(analyses: Analyses) -> dict[str, Sequence[dg.AssetKey]]:
    """For each table of the lake that analyses share, the assets of its analyses."""
    return {table.name: [analysis_key(analysis) for analysis in analyses.of(table)] for table in ANALYSIS_TABLES}


def analysis_asset(analysis: Analysis, settings: Settings) -> dg.AssetsDefinition:
    """The asset of an analysis."""
    table = analysis.table
    step = step_of(table)

    @asset_of_ranges(
        key=analysis_key(analysis),
        description=analysis.description or analysis.table.description,
        group_name=step.group,
        deps=[source.name for source in sources_of(analysis)],
        kinds={"pyspark", "delta"},
        tags=LAKE_TAGS | {"analysis": table.name},
        code_version=f"{step.code}-{analysis.digest}",
        owners=owners_of(step.group),
        metadata=lake_metadata(settings, table.name, table.columns, table.key, analysis_step),
    )
    def analyse(
        context: dg.AssetExecutionContext,
        config: Refresh,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> dg.MaterializeResult[None]:
        config.check(step)
        run = run_of(context, config, stream, lake, spark, rules)
        began = time.perf_counter()
        metadata = metadata_of(analysis_step(run, analysis), time.perf_counter() - began)
        return dg.MaterializeResult(metadata=metadata | _findings(analysis, run.lake))

    return analyse


def _findings(analysis: Analysis, lake: Lake) -> dict[str, dg.MetadataValue]:
    made = lake.table(analysis.table.name).snapshot()
    rows = made.arrow(made.of_dates([analysis.name])).to_pylist()
    found: dict[str, dg.MetadataValue] = {"picture": picture(analysis.table, rows)}
    by_value = breakdown_picture(rows) if isinstance(analysis, Funnel) else None
    if by_value is not None:
        found["by value"] = by_value
    return found


def analysis_key(analysis: Analysis) -> dg.AssetKey:
    """The key of an analysis's asset."""
    return dg.AssetKey([PREFIX, analysis.name])


def _key(stem: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in stem)
