"""The tables of the warehouse, by what each lake table says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.schema import Column, InWarehouse, Table


@dataclass(frozen=True, slots=True)
class WarehouseTable:
    """A table of the warehouse: which lake table it is loaded from, and how it is laid out there.

    `dist_key` and `sort_key` are Redshift's, `indexes` PostgreSQL's; `partition_by` is the column that a load replaces
    by (empty: whole table). Of one whose rows `are_events`, a setting says which days are loaded.
    """

    name: str
    lake: Table
    columns: tuple[str, ...]
    partition_by: str = ""
    dist_key: str = ""
    sort_key: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    are_events: bool = False

    @property
    def description(self) -> str:
        return self.lake.description

    @property
    def key(self) -> tuple[str, ...]:
        return self.lake.key

    def specs(self) -> tuple[Column, ...]:
        """The columns as the lake defines them."""
        return tuple(self.lake.column(name) for name in self.columns)

    @staticmethod
    def of(table: Table, layout: InWarehouse) -> WarehouseTable:
        """The copy of a lake table: by event date where that is laid out so, whole otherwise."""
        return WarehouseTable(
            layout.name,
            table,
            tuple(name for name in table.column_names if name not in layout.leaves_out),
            "event_date" if table.partition_by == ("event_date",) else "",
            layout.dist_key,
            layout.sort_key,
            layout.sums,
            layout.indexes,
            layout.are_events,
        )


WAREHOUSE_TABLES: tuple[WarehouseTable, ...] = tuple(
    WarehouseTable.of(table, table.warehouse) for table in LAKE_TABLES if table.warehouse is not None
)
"""Every table of the warehouse. Each has `loaded_at` beside these columns: when the row first came in."""
