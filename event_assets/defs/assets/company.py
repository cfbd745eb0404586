"""Company data: one asset a table of another system, loaded by dlt into the lake."""

import importlib.util
from collections.abc import Iterator

import dagster as dg

from event_assets.defs.assets.describing import code_reference, owners_of
from event_assets.defs.assets.materialising import LAKE_TAGS, Rebuild, multi_asset_of_ranges
from event_assets.defs.resources.lake import LakeResource
from event_assets.pipeline.company import COMPANY_FOLDER, company_table
from event_assets.pipeline.domains import Group
from event_assets.rules.company import CompanyData, CompanySource, CompanyTable
from event_assets.settings import Settings

PREFIX = "company"
GROUP: Group = "company"
NOT_INSTALLED = "It cannot be loaded: install event-assets[company]."


def can_load() -> bool:
    """Whether what loads company data is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("dlt", "dagster_dlt"))


def company_key(source: CompanySource, table: CompanyTable) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey([PREFIX, source.name, table.name])


def described_keys(company: CompanyData) -> list[dg.AssetKey]:
    """The assets that say something of companies or persons."""
    return [company_key(source, table) for source, table in company.described]


def company_specs(source: CompanySource, settings: Settings) -> list[dg.AssetSpec]:
    """What the tables of a source are, as assets."""
    return [
        dg.AssetSpec(
            company_key(source, table),
            description=" ".join(filter(None, [table.description or source.description, f"Deletes: {table.deletes}."])),
            group_name=GROUP,
            kinds={"dlt", "delta", source.kind},
            owners=owners_of(GROUP),
            tags=LAKE_TAGS,
            metadata={
                "dagster/table_name": f"lake.{COMPANY_FOLDER}.{source.name}.{table.name}",
                "dagster/uri": f"{settings.lake.rstrip('/')}/{COMPANY_FOLDER}/{source.name}/{table.name}",
                "dagster/code_references": code_reference(company_specs),
                "key": ", ".join(table.key),
                "cursor": table.cursor or "none: all rows are read each time",
                "columns": table.columns,
            },
        )
        for table in source.tables
    ]


def company_asset(source: CompanySource, settings: Settings) -> dg.AssetsDefinition:
    """The assets of a source's tables."""

    @multi_asset_of_ranges(name=f"{PREFIX}_{source.name}", specs=company_specs(source, settings), can_subset=True)
    def load(
        context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        yield from _loaded(context, source, config.rebuild, lake)

    return load


def _loaded(
    context: dg.AssetExecutionContext, source: CompanySource, rebuild: bool, lake: LakeResource
) -> Iterator[dg.MaterializeResult[None]]:
    # Slow to import, and no part of what Dagster loads.
    from dagster_dlt import DagsterDltResource, DagsterDltTranslator
    from dagster_dlt.translator import DltResourceTranslatorData

    from event_assets.company.connecting import CompanyError
    from event_assets.company.loading import load_of

    tables = {table.name: table for table in source.tables}

    class Translator(DagsterDltTranslator):
        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
            return dg.AssetSpec(company_key(source, tables[data.resource.name]))

    storage = lake.open().storage
    names = [key.path[-1] for key in context.selected_asset_keys]
    try:
        with load_of(source, storage, rebuild=rebuild, only=names) as ready:
            done = DagsterDltResource().run(
                context=context,
                dlt_source=ready.source,
                dlt_pipeline=ready.pipeline,
                dagster_dlt_translator=Translator(),
            )
            for result in done:
                assert isinstance(result, dg.MaterializeResult) and result.asset_key is not None
                made = company_table(storage, source.name, result.asset_key.path[-1])
                yield dg.MaterializeResult(
                    asset_key=result.asset_key,
                    metadata={
                        **(result.metadata or {}),
                        "version": made.delta.version(),
                        "dagster/row_count": made.rows,
                    },
                    data_version=dg.DataVersion(f"{made.consumed.table}@{made.delta.version()}"),
                )
    except CompanyError as fault:
        raise dg.Failure(str(fault)) from fault
