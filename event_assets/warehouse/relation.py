"""The one table model of both dialects: what DDL is made from.

What a dialect makes of it (types, distribution, indexes) is in `postgres.py` and `redshift.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.warehouse import WarehouseTable

LOADED_AT = Column("loaded_at", "timestamp", "When the row's key first came in.", nullable=False)
"""The column that every table of the warehouse has beside those of the contract."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the warehouse has it. `required` are the columns that may not be null; `index` is what rows are found
    by, each of `more_indexes` a column that they are read by."""

    name: str
    description: str
    columns: tuple[Column, ...]
    required: frozenset[str]
    dist_key: str = ""
    sort_key: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    more_indexes: tuple[str, ...] = ()


LOADS = Relation(
    "_loads",
    "What is loaded: one row a table and partition, written by the transaction that loaded it.",
    (
        Column("table_name", "string", "Table of the warehouse."),
        Column("partition_date", "date", "Date of the partition; null where the table is one whole."),
        Column("lake_version", "long", "Version of the lake table that the rows are from."),
        Column("lake_table", "string", "Id of that lake table; null in records from before it was kept."),
        Column("rows", "long", "Rows of the partition."),
        Column("loaded_at", "timestamp", "When this version was loaded."),
    ),
    required=frozenset({"table_name", "lake_version", "rows", "loaded_at"}),
    sort_key=("table_name", "partition_date"),
    index=("table_name", "partition_date"),
)


def relation_of(table: WarehouseTable) -> Relation:
    """The relation of a table of the contract.

    Only what rows are found by is required: a column that the contract loses stays behind in the warehouse and must
    then be able to be empty.
    """
    found_by = match_columns(table)
    return Relation(
        table.name,
        table.description,
        (*table.specs(), LOADED_AT),
        required=frozenset({*found_by, LOADED_AT.name}),
        dist_key=table.dist_key,
        sort_key=table.sort_key,
        index=found_by,
        more_indexes=table.indexes,
    )


def match_columns(table: WarehouseTable) -> tuple[str, ...]:
    """The columns by which a row that comes again is found: the partition's, then the key's."""
    partition = (table.partition_by,) if table.partition_by else ()
    return (*partition, *(name for name in table.key if name not in partition))


def comment_of(column: Column) -> str:
    """What the warehouse says about a column: meaning, definition, unit, and that it is about a person."""
    return column.meaning + (" Personal data." if column.pii else "")


def names(columns: tuple[str, ...] | tuple[Column, ...], of: str = "") -> sql.Composed:
    """`"a", "b"`, or `"of"."a", "of"."b"`."""
    plain = [column.name if isinstance(column, Column) else column for column in columns]
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in plain)
