"""Lake files for tests: rows of a lake table as Parquet, with the totals that the lake would give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.contract.tables.schema import ColumnType, Table
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.warehouse.loads import PartitionDate, Totals

Row = dict[str, Any]

TABLES = {table.name: table for table in WAREHOUSE_TABLES}
DAY = dt.date(2026, 11, 22)
NEXT_DAY = dt.date(2026, 11, 23)

_SOME: dict[ColumnType, Any] = {
    "string": "text",
    "int": 1,
    "long": 2,
    "double": 0.5,
    "boolean": True,
    "timestamp": dt.datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=dt.UTC),
    "date": DAY,
    "binary": b"bytes",
}


class File(NamedTuple):
    """What the lake says about one of its files."""

    url: str
    size: int
    rows: int
    partition: dict[str, str]


def row(table: Table, **values: Any) -> Row:
    """A row with something in every column, and these values."""
    return {column.name: _SOME[column.type] for column in table.columns} | values


def write(
    path: Path,
    table: Table,
    rows: Sequence[Row],
    columns: Sequence[str] | None = None,
    fields: Sequence[pa.Field] | None = None,
) -> File:
    """The rows as one Parquet file, of these columns only and with other fields than the contract's if given."""
    schema = pa.schema(fields) if fields else table.arrow_schema()
    data = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    data = data.select(list(columns)) if columns else data
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(data, path, compression="zstd")
    return File(str(path), path.stat().st_size, len(rows), {})


def totals(table: WarehouseTable, rows: Sequence[Row]) -> dict[PartitionDate, Totals]:
    """Rows and sums by date."""
    groups: dict[PartitionDate, list[Row]] = {} if table.partition_by else {None: []}
    for one in rows:
        groups.setdefault(one[table.partition_by] if table.partition_by else None, []).append(one)
    return {date: Totals(len(group), _sums(table, group)) for date, group in groups.items()}


def _sums(table: WarehouseTable, rows: Sequence[Row]) -> Mapping[str, int | float]:
    return {name: sum(row[name] or 0 for row in rows) for name in table.sums}
