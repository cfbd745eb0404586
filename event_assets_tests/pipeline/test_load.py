"""What a load into the warehouse, and its check, read of the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import lake_totals
from event_assets_tests.factories import row_of


@pytest.mark.parametrize("table", WAREHOUSE_TABLES, ids=lambda table: table.name)
def test_totals_are_read_from_the_columns_that_are_summed_and_from_no_others(
    table: WarehouseTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake_table = Lake(Storage(str(tmp_path))).table(table.lake.name)
    base, row = lake_table.snapshot(), row_of(table.lake)
    partition = {name: str(row[name]) for name in table.lake.partition_by}
    rows = pa.Table.from_pylist([row, row], table.lake.arrow_schema())
    lake_table.commit(base, base.progress, add=[lake_table.stage_arrow(rows, "rows", partition)])
    read: set[str] = set()
    really = pq.read_table

    def noted(path: str, *, columns: list[str], **how: Any) -> pa.Table:
        read.update(columns)
        return really(path, columns=columns, **how)

    monkeypatch.setattr(pq, "read_table", noted)
    snapshot = lake_table.snapshot()
    [totals] = lake_totals(snapshot, table, sorted(snapshot.dates()) if table.partition_by else None).values()
    assert totals.rows == 2 and totals.sums.keys() == set(table.sums)
    assert read == set(table.sums)
