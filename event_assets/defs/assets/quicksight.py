"""QuickSight's data sets, where they are copies: one asset each, downstream of the table of the warehouse that it is
of."""

import time
from collections.abc import Iterator

import dagster as dg

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.defs.assets.describing import code_reference, owners_of
from event_assets.defs.assets.materialising import multi_asset_of_ranges
from event_assets.quicksight.data_sets import DataSet
from event_assets.quicksight.installation import Installation
from event_assets.quicksight.kinds import DATA_SET, Key
from event_assets.settings import Settings

PREFIX = "quicksight"
_TABLES = {table.name for table in WAREHOUSE_TABLES}


def data_set_key(data_set: DataSet) -> dg.AssetKey:
    """The key of a data set's asset."""
    return dg.AssetKey([PREFIX, data_set.identifier.replace("-", "_")])


def data_sets_asset(installation: Installation, settings: Settings) -> dg.AssetsDefinition:
    """The assets that copy the data sets of an account to SPICE. Raises `QuickSightError`, `RuleError`."""
    target = installation.target(settings)
    sets = {data_set_key(each): each for each in installation.wanted(settings).data_sets}

    @multi_asset_of_ranges(
        name="quicksight_data_sets",
        specs=[_spec(each, target.id(each.identifier)) for each in sets.values()],
        can_subset=True,
    )
    def ingest(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        from event_assets.quicksight.service import Service
        from event_assets.quicksight.target import QuickSightError

        service = Service.of(target)
        faults = []
        for key in sorted(context.selected_asset_keys):
            began = time.perf_counter()
            try:
                done = service.ingest(Key(DATA_SET, target.id(sets[key].identifier)), context.run.run_id)
            except QuickSightError as fault:  # the others are copied nevertheless
                faults.append(str(fault))
                continue
            seconds = round(time.perf_counter() - began, 3)
            metadata = {"dagster/row_count": done.rows, "rows_dropped": done.dropped, "seconds": seconds}
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        if faults:
            # Not again: botocore retries what is throttled, and what was copied would be copied twice.
            raise dg.Failure("\n".join(faults), allow_retries=False)

    return ingest


def _spec(data_set: DataSet, id_: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        data_set_key(data_set),
        description=f"Rows of {data_set.table} as QuickSight shows them, copied to SPICE.",
        deps=[dg.AssetKey(["warehouse", data_set.table])] if data_set.table in _TABLES else [],
        group_name="warehouse",
        kinds={"quicksight"},
        owners=owners_of("warehouse"),
        tags={"layer": "serving"},
        skippable=True,
        metadata={
            "data_set_id": id_,
            "statement": dg.MetadataValue.md(f"```sql\n{data_set.statement}\n```"),
            "columns": ", ".join(f"{name} {type_}" for name, type_ in data_set.columns.items()),
            "dagster/code_references": code_reference(data_sets_asset),
        },
    )
