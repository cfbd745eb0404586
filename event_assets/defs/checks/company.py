"""Checks of company data: each table can be read at its source, and its key tells its rows apart in the lake."""

import dagster as dg

from event_assets.defs.assets.company import company_key
from event_assets.defs.checks.telling import told
from event_assets.defs.resources.lake import LakeResource
from event_assets.pipeline.company import company_table, rows_without_key
from event_assets.rules.company import CompanySource, CompanyTable

ANSWERS, HAS_KEY = "source_answers", "key_is_unique"


def company_checks(source: CompanySource) -> list[dg.AssetChecksDefinition]:
    """The checks of all tables of a source."""
    return [check for table in source.tables for check in (_answers(source, table), _has_key(source, table))]


def _answers(source: CompanySource, table: CompanyTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=company_key(source, table),
        name=ANSWERS,
        description="The source answers, lets us read the table, has its columns, and its newest row is fresh enough.",
    )
    def source_answers(lake: LakeResource) -> dg.AssetCheckResult:
        from event_assets.company.checking import check_source

        alone = source.model_copy(update={"tables": [table]})
        found = check_source(alone, lake.open().storage)[0]
        shown = {name: value for name, value in found.as_dict().items() if value not in (None, "")}
        return told(dg.AssetCheckResult(passed=found.ok, description=found.fault or None, metadata=shown))

    return source_answers


def _has_key(source: CompanySource, table: CompanyTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=company_key(source, table),
        name=HAS_KEY,
        blocking=True,
        description=f"No two rows have the same {', '.join(table.key)}, and none is without.",
    )
    def key_is_unique(lake: LakeResource) -> dg.AssetCheckResult:
        made = company_table(lake.open().storage, source.name, table.name)
        repeated, without = rows_without_key(made, table)
        found = {"repeated_keys": repeated, "rows_without_key": without}
        return told(dg.AssetCheckResult(passed=not repeated and not without, metadata=found))

    return key_is_unique
