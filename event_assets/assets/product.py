"""Product analyses: one asset a YAML file of the user's folder, with a picture of what was found."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.assets.lake_asset import Rebuild, asset_of_ranges, column_schema, materialise
from event_assets.assets.product_pictures import breakdown_picture, picture
from event_assets.contract.analysis import Analyses, Analysis, Funnel, NamesEvents, Paths, WebVitals, unknown_events
from event_assets.contract.tables import ANALYSIS_TABLES
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import analysing
from event_assets.steps.analysing import Analysing, analysis_step, removal_step

PREFIX = "product"
REMOVED = dg.AssetKey([PREFIX, "removed", "analyses"])
"""The asset that the tables of analyses in the warehouse are loaded after, whichever analyses there are."""


def product_assets(analyses: Analyses) -> list[dg.AssetsDefinition]:
    """The assets of all analyses that can be used."""
    return [_asset(analysis) for analysis in analyses.usable]


def removal_asset(analyses: Analyses) -> dg.AssetsDefinition:
    """What stands for the analyses that are no more: it takes their rows out of the tables."""

    @asset_of_ranges(
        key=REMOVED,
        description="Takes the rows of analyses that are no more out of their tables.",
        group_name=PREFIX,
        kinds={"delta"},
        tags={"layer": "lake"},
        code_version=analysing.CODE,
    )
    def remove(lake: LakeResource) -> dg.MaterializeResult[None]:
        reports = removal_step(lake.open(), analyses)
        return dg.MaterializeResult(metadata={report.table: ", ".join(report.dates) for report in reports})

    return remove


def unusable_files(prefix: str, group: str, faults: Mapping[str, str]) -> list[dg.AssetSpec]:
    """What stands in for the files that cannot be used, so that they are seen: the reason is the description."""
    keys = {dg.AssetKey([prefix, "unusable", _key(stem)]): fault for stem, fault in faults.items()}
    return [dg.AssetSpec(key, description=f"Cannot be used. {fault}", group_name=group) for key, fault in keys.items()]


def upstream_of_tables(analyses: Analyses) -> dict[str, Sequence[dg.AssetKey]]:
    """For each table of the lake that analyses share, the assets that make it."""
    return {table.name: [_asset_key(analysis) for analysis in analyses.of(table)] for table in ANALYSIS_TABLES}


def _asset(analysis: Analysis) -> dg.AssetsDefinition:
    deps = ["enriched_events"] if isinstance(analysis, Paths | WebVitals) else ["enriched_events", "identities"]

    @asset_of_ranges(
        key=_asset_key(analysis),
        description=analysis.description or analysis.table.description,
        group_name=PREFIX,
        deps=deps,
        kinds={"pyspark", "delta"},
        tags={"layer": "lake", "analysis": analysis.table.name},
        code_version=f"{analysing.CODE}-{analysis.digest}",
        metadata={"dagster/column_schema": column_schema(analysis.table.columns, analysis.table.key)},
    )
    def analyse(
        context: dg.AssetExecutionContext,
        config: Rebuild,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> dg.MaterializeResult[None]:
        what = Analysing(analysis, rules.sessions(), config.rebuild)
        done = materialise(context, lambda: analysis_step(lake.open(), spark.spark_session, what))
        return dg.MaterializeResult(metadata={**(done.metadata or {}), **_findings(analysis, lake, rules)})

    return analyse


def _findings(analysis: Analysis, lake: LakeResource, rules: RulesResource) -> Mapping[str, dg.MetadataValue]:
    made = lake.open().table(analysis.table.name).snapshot()
    rows = made.arrow(made.of_dates([analysis.name])).to_pylist()
    found: dict[str, dg.MetadataValue] = {"picture": picture(analysis.table, rows)}
    by_value = breakdown_picture(rows) if isinstance(analysis, Funnel) else None
    if by_value is not None:
        found["by value"] = by_value
    return found | warnings_of([analysis], rules)


def warnings_of(rules_of_users: Sequence[NamesEvents], rules: RulesResource) -> dict[str, dg.MetadataValue]:
    """The events that are named and the tracking plan does not have, if there are any."""
    warnings = unknown_events(rules_of_users, rules.cleaning().plan)
    return {"warnings": dg.MetadataValue.md("\n".join(f"- {each}" for each in warnings))} if warnings else {}


def _asset_key(analysis: Analysis) -> dg.AssetKey:
    return dg.AssetKey([PREFIX, analysis.name])


def _key(stem: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in stem)
