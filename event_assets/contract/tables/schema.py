"""What columns and tables are made of. No table here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

ColumnType = Literal["string", "int", "long", "double", "boolean", "timestamp", "date", "binary"]

_ARROW: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "binary": pa.binary(),
}
_SPARK: dict[ColumnType, str] = {
    "string": "STRING",
    "int": "INT",
    "long": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "binary": "BINARY",
}
_SHORT_TEXTS = frozenset(
    {
        "anonymous_id",
        "campaign_key",
        "device_key",
        "event",
        "event_id",
        "first_session_id",
        "geo_key",
        "group_id",
        "lake_table",
        "page_key",
        "page_view_id",
        "person_id",
        "platform",
        "session_id",
        "stitched_user_id",
        "table_name",
        "user_id",
    }
)
SHORT_TEXT = 128
"""The most characters of ids, names of events and keys, in whichever table they stand: no event comes in with longer
ones."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, what it holds, what it means.

    `definition` is the formula of what is computed, in the words of the columns that it is made from. `source` names
    the lake columns it is made from as `table.column`; empty means the same name upstream. Where it is `bounded`, the
    lake's log keeps its least and greatest value in each file, as it does of dates and keys.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    unit: str = ""
    pii: bool = False
    definition: str = ""
    source: tuple[str, ...] = ()
    bounded: bool = False

    @property
    def meaning(self) -> str:
        """What it means, how it is defined and its unit, in the same words everywhere it is told."""
        definition = f" Definition: {self.definition}." if self.definition else ""
        unit = f" Unit: {self.unit}." if self.unit else ""
        return self.description + definition + unit

    @property
    def characters(self) -> int | None:
        """The most characters of its text; None where nothing bounds it."""
        return SHORT_TEXT if self.name in _SHORT_TEXTS else None

    @property
    def spark_type(self) -> str:
        """The type as Spark names it."""
        return _SPARK[self.type]


@dataclass(frozen=True, slots=True)
class InWarehouse:
    """How a table is laid out in the warehouse: its name there, Redshift's keys, the columns whose sums a load checks,
    those that it leaves out, and those that PostgreSQL has an index of beside that of the key.

    Of a table whose rows `are_events`, the setting `warehouse_events` says which days are loaded."""

    name: str
    dist_key: str = ""
    sort_key: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    are_events: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, what a row is, how it is laid out.

    `partition_by` are the columns of the folder layout; `key` the columns that are unique in it. A change is noted with
    the days that it concerns, by `day_column` (by default the first of the layout). A table about things is
    `clustered_by` the text that names the thing: its rows lie in files in that order, so that few are read for some
    things. `warehouse` says how it is loaded, if it is.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = field(default=())
    day_column: str = ""
    clustered_by: str = ""
    warehouse: InWarehouse | None = None

    @property
    def is_by_day(self) -> bool:
        """Whether it is laid out by days, of arrival or of the events."""
        return any(column in ("arrival_date", "event_date") for column in self.partition_by)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises `KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def arrow_schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, _ARROW[c.type], c.nullable) for c in self.columns])

    def spark_schema(self) -> str:
        """The columns as Spark DDL: `event_id STRING, …`."""
        return ", ".join(f"{c.name} {c.spark_type}" for c in self.columns)


def required(name: str, type_: ColumnType, description: str, **more: object) -> Column:
    return Column(name, type_, description, nullable=False, **more)  # type: ignore[arg-type]
