"""The statements of one load: stage, what goes, what comes, what stands then. In what order is `warehouse.py`'s."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.dialect import Dialect, Mode
from event_assets.warehouse.relation import LOADED_AT, LOADS, match_columns, names

STAGE = "_stage"
GONE = "_gone"
DATES = "_dates"
KEPT = "_kept"
ERASED = "_erased"
_DATE = "partition_date"


def create_stage(dialect: Dialect, stage: str, columns: Iterable[Column]) -> sql.Composed:
    """A staging table: temporary, so that it is gone with the connection."""
    typed = [
        sql.Composed([sql.Identifier(column.name), sql.SQL(" "), dialect.stage_type_of(column)]) for column in columns
    ]
    return sql.SQL("CREATE TEMP TABLE {} ({})").format(sql.Identifier(stage), sql.SQL(", ").join(typed))


def add_staged_to_gone(table: WarehouseTable) -> sql.Composed:
    """Adds what finds the rows that come again to what finds those that do not."""
    found_by = names(match_columns(table))
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        sql.Identifier(GONE), found_by, found_by, sql.Identifier(STAGE)
    )


def create_erased() -> sql.Composed:
    """The table of the ids whose rows go, each with the time up to which they do: temporary."""
    return sql.SQL("CREATE TEMP TABLE {} (id varchar(1024) NOT NULL, until timestamp with time zone NOT NULL)").format(
        sql.Identifier(ERASED)
    )


def add_erased(count: int) -> sql.Composed:
    """Adds so many ids, bound as values."""
    places = sql.SQL(", ").join([sql.SQL("({}, {})").format(sql.Placeholder(), sql.Placeholder())] * count)
    return sql.SQL("INSERT INTO {} (id, until) VALUES {}").format(sql.Identifier(ERASED), places)


def dates_of_erased(schema: str, table: WarehouseTable, column: str, at: str) -> sql.Composed:
    """The dates on which there are rows that `delete_erased` would delete."""
    return sql.SQL("SELECT DISTINCT {} FROM {} CROSS JOIN {} WHERE {}").format(
        sql.Identifier(table.name, table.partition_by),
        sql.Identifier(schema, table.name),
        sql.Identifier(ERASED),
        _is_erased(table, column, at),
    )


def delete_erased(schema: str, table: WarehouseTable, column: str, at: str) -> sql.Composed:
    """Deletes the rows that have an erased id in a column and tell of nothing later."""
    return sql.SQL("DELETE FROM {} USING {} WHERE {}").format(
        sql.Identifier(schema, table.name), sql.Identifier(ERASED), _is_erased(table, column, at)
    )


def _is_erased(table: WarehouseTable, column: str, at: str) -> sql.Composed:
    return sql.SQL("{} = {} AND {} <= {}").format(
        sql.Identifier(table.name, column),
        sql.Identifier(ERASED, "id"),
        sql.Identifier(table.name, at),
        sql.Identifier(ERASED, "until"),
    )


def create_dates() -> sql.Composed:
    """The table of the dates that are loaded: temporary."""
    return sql.SQL("CREATE TEMP TABLE {} ({} date NOT NULL)").format(sql.Identifier(DATES), sql.Identifier(_DATE))


def add_dates(count: int) -> sql.Composed:
    """Adds so many dates, bound as values."""
    places = sql.SQL(", ").join([sql.SQL("({})").format(sql.Placeholder())] * count)
    return sql.SQL("INSERT INTO {} ({}) VALUES {}").format(sql.Identifier(DATES), sql.Identifier(_DATE), places)


def keep_arrivals(schema: str, table: WarehouseTable, found_in: str) -> sql.Composed:
    """Keeps, for the rows that go, when their keys first came in."""
    going = _going(table, found_in)
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


def delete_rows(schema: str, table: WarehouseTable, found_in: str) -> sql.Composed:
    """Deletes the rows that the table of this name finds (see `found_by`)."""
    others, conditions = _going(table, found_in)
    using = sql.SQL(" USING {}").format(sql.SQL(", ").join(map(sql.Identifier, others))) if others else sql.SQL("")
    return sql.SQL("DELETE FROM {}{}{}").format(sql.Identifier(schema, table.name), using, _where(conditions))


def count_rows(schema: str, table: WarehouseTable, found_in: str) -> sql.Composed:
    """How many rows of each date `delete_rows` would delete; of a table that is one whole there is one, null."""
    others, conditions = _going(table, found_in)
    date = sql.Identifier(table.name, table.partition_by) if table.partition_by else sql.SQL("CAST(NULL AS date)")
    using = sql.SQL("").join(sql.SQL(" CROSS JOIN {}").format(sql.Identifier(other)) for other in others)
    grouped = sql.SQL(" GROUP BY {}").format(date) if table.partition_by else sql.SQL("")
    return sql.SQL("SELECT {}, count(*) FROM {}{}{}{}").format(
        date, sql.Identifier(schema, table.name), using, _where(conditions), grouped
    )


def restore_arrivals(schema: str, table: WarehouseTable) -> sql.Composed:
    """Gives rows that came again the time at which their key first came in."""
    same_key = [_equal((KEPT, name), (STAGE, name)) for name in table.key]
    same_row = [_equal((table.name, name), (STAGE, name)) for name in match_columns(table)]
    return sql.SQL("UPDATE {} SET {} = {} FROM {}, {}{}").format(
        sql.Identifier(schema, table.name),
        sql.Identifier(LOADED_AT.name),
        sql.Identifier(KEPT, LOADED_AT.name),
        sql.Identifier(STAGE),
        sql.Identifier(KEPT),
        _where([*same_key, *same_row]),
    )


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


def found_by(table: WarehouseTable, mode: Mode, gone: bool = False) -> str:
    """The table that finds the rows which go when others come: those of the dates, those that come again, those and
    others that are `gone`; none where all go."""
    if mode == "append":
        return GONE if gone else STAGE
    return DATES if table.partition_by else ""


def _going(table: WarehouseTable, found_in: str) -> tuple[list[str], list[sql.Composed]]:
    """The tables and conditions that tell which rows of the target go."""
    if found_in == DATES:
        return [DATES], [_equal((table.name, table.partition_by), (DATES, _DATE))]
    if found_in:
        return [found_in], [_equal((table.name, name), (found_in, name)) for name in match_columns(table)]
    return [], []


def _where(conditions: list[sql.Composed]) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")


def _equal(left: tuple[str, str], right: tuple[str, str]) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(*left), sql.Identifier(*right))
