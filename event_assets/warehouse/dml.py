"""The statements of one load: stage, what goes, what comes, what stands then. In what order is `warehouse.py`'s."""

from __future__ import annotations

from typing import Literal

from psycopg import sql

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.dialect import Dialect
from event_assets.warehouse.relation import LOADED_AT, LOADS, match_columns, names

Mode = Literal["replace", "append"]

STAGE = "_stage"
DATES = "_dates"
KEPT = "_kept"
_DATE = "partition_date"


def create_stage(dialect: Dialect, table: WarehouseTable) -> sql.Composed:
    """The staging table: temporary, so that it is gone with the connection."""
    columns = [
        sql.Composed([sql.Identifier(column.name), sql.SQL(" "), dialect.stage_type_of(column)])
        for column in dialect.stage_columns(table)
    ]
    return sql.SQL("CREATE TEMP TABLE {} ({})").format(sql.Identifier(STAGE), sql.SQL(", ").join(columns))


def create_dates() -> sql.Composed:
    """The table of the dates that are loaded: temporary."""
    return sql.SQL("CREATE TEMP TABLE {} ({} date NOT NULL)").format(sql.Identifier(DATES), sql.Identifier(_DATE))


def add_dates(count: int) -> sql.Composed:
    """Adds so many dates, bound as values."""
    places = sql.SQL(", ").join([sql.SQL("({})").format(sql.Placeholder())] * count)
    return sql.SQL("INSERT INTO {} ({}) VALUES {}").format(sql.Identifier(DATES), sql.Identifier(_DATE), places)


def keep_arrivals(schema: str, table: WarehouseTable, mode: Mode) -> sql.Composed:
    """Keeps, for the rows that go, when their keys first came in."""
    going = _going(table, mode)
    others = sql.SQL("").join(sql.SQL(" CROSS JOIN {}").format(sql.Identifier(other)) for other in going[0])
    return sql.SQL("CREATE TEMP TABLE {} AS SELECT {}, min({}) AS {} FROM {}{}{} GROUP BY {}").format(
        sql.Identifier(KEPT),
        names(table.key, of=table.name),
        sql.Identifier(table.name, LOADED_AT.name),
        sql.Identifier(LOADED_AT.name),
        sql.Identifier(schema, table.name),
        others,
        _where(going[1]),
        names(table.key, of=table.name),
    )


def delete_rows(schema: str, table: WarehouseTable, mode: Mode) -> sql.Composed:
    """Deletes the rows that go: `replace` all of the dates, `append` those whose key comes again."""
    others, conditions = _going(table, mode)
    using = sql.SQL(" USING {}").format(sql.SQL(", ").join(map(sql.Identifier, others))) if others else sql.SQL("")
    return sql.SQL("DELETE FROM {}{}{}").format(sql.Identifier(schema, table.name), using, _where(conditions))


def insert_rows(dialect: Dialect, schema: str, table: WarehouseTable) -> sql.Composed:
    """Inserts the staged rows of the dates; one value is bound, the time for keys that are new."""
    columns = table.specs()
    dates: sql.Composable = sql.SQL("")
    if table.partition_by:
        dates = sql.SQL(" JOIN {} ON {}").format(
            sql.Identifier(DATES), _equal((DATES, _DATE), (STAGE, table.partition_by))
        )
    same_key = sql.SQL(" AND ").join([_equal((KEPT, name), (STAGE, name)) for name in table.key])
    return sql.SQL("INSERT INTO {} ({}, {}) SELECT {}, coalesce({}, %s) FROM {}{} LEFT JOIN {} ON {}").format(
        sql.Identifier(schema, table.name),
        names(table.columns),
        sql.Identifier(LOADED_AT.name),
        sql.SQL(", ").join([dialect.from_stage(column, STAGE) for column in columns]),
        sql.Identifier(KEPT, LOADED_AT.name),
        sql.Identifier(STAGE),
        dates,
        sql.Identifier(KEPT),
        same_key,
    )


def count_staged() -> sql.Composed:
    return sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(STAGE))


def totals(dialect: Dialect, of: sql.Identifier, table: WarehouseTable) -> sql.Composed:
    """Rows, sums and, for doubles, sums of magnitudes of these rows of the table: a row a date of the dates table that
    has some.

    For a table that is one whole it is one row, its date null.
    """
    figures: list[sql.Composable] = [sql.SQL("count(*)")]
    for column in map(table.lake.column, table.sums):
        figures.append(dialect.total(sql.Identifier(column.name), column.type))
        if column.type == "double":
            figures.append(dialect.total(sql.SQL("abs({})").format(sql.Identifier(column.name)), column.type))
    if not table.partition_by:
        return sql.SQL("SELECT CAST(NULL AS date), {} FROM {}").format(sql.SQL(", ").join(figures), of)
    return sql.SQL("SELECT {date}, {figures} FROM {of} JOIN {dates} ON {date} = {wanted} GROUP BY {date}").format(
        date=sql.Identifier(table.partition_by),
        figures=sql.SQL(", ").join(figures),
        of=of,
        dates=sql.Identifier(DATES),
        wanted=sql.Identifier(DATES, _DATE),
    )


def loads_of(schema: str) -> sql.Composed:
    """Date, lake version, id of the lake table and rows of what is loaded of a table, whose name is bound."""
    return sql.SQL("SELECT {} FROM {} WHERE table_name = %s").format(
        names(("partition_date", "lake_version", "lake_table", "rows")), _loads(schema)
    )


def forget_loads(schema: str, count: int) -> sql.Composed:
    """Removes the records of so many dates, or of the whole table for 0; bound: the table's name, the dates."""
    dates: sql.Composable = sql.SQL("IS NULL")
    if count:
        dates = sql.SQL("IN ({})").format(_places(count))
    return sql.SQL("DELETE FROM {} WHERE table_name = %s AND partition_date {}").format(_loads(schema), dates)


def record_loads(schema: str, count: int) -> sql.Composed:
    """Adds so many records; bound, for each: the table's name, date, lake version and table, rows and time."""
    record = sql.SQL("({})").format(_places(len(LOADS.columns)))
    records = sql.SQL(", ").join([record] * count)
    return sql.SQL("INSERT INTO {} ({}) VALUES {}").format(_loads(schema), names(LOADS.columns), records)


def _places(count: int) -> sql.Composed:
    return sql.SQL(", ").join([sql.Placeholder()] * count)


def _loads(schema: str) -> sql.Identifier:
    return sql.Identifier(schema, LOADS.name)


def _going(table: WarehouseTable, mode: Mode) -> tuple[list[str], list[sql.Composed]]:
    """The tables and conditions that tell which rows of the target go."""
    if mode == "append":
        return [STAGE], [_equal((table.name, name), (STAGE, name)) for name in match_columns(table)]
    if table.partition_by:
        return [DATES], [_equal((table.name, table.partition_by), (DATES, _DATE))]
    return [], []


def _where(conditions: list[sql.Composed]) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")


def _equal(left: tuple[str, str], right: tuple[str, str]) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(*left), sql.Identifier(*right))
