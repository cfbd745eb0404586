"""Takes the rows of people out of a table of the warehouse that is loaded by dates, in one transaction with the record
of what is loaded. Whom it is of is not known here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from psycopg import sql

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse import dml
from event_assets.warehouse.dialect import Session
from event_assets.warehouse.loads import PartitionDate
from event_assets.warehouse.warehouse import Warehouse, chunks

_FORGETS = 18_00_00
"""The version of PostgreSQL from which on statistics can be deleted."""
_OF_EMPTY = """
    SELECT pg_clear_attribute_stats(s.schemaname, s.tablename, s.attname, s.inherited)
    FROM pg_stats s
    JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = to_regnamespace(quote_ident(s.schemaname))
    WHERE s.schemaname = %(schema)s AND s.tablename = ANY(%(tables)s) AND c.reltuples = 0
"""
"""ANALYZE leaves the statistics of a table as they are that has no row any more."""


def erase_rows(
    warehouse: Warehouse, table: WarehouseTable, columns: Sequence[str], at: str, until: Mapping[str, dt.datetime]
) -> int:
    """Deletes the rows that have one of the ids in one of the columns and whose time `at` is not after the id's. Gives
    how many. Doing it again deletes nothing."""
    with warehouse.connect() as session, session.transaction():
        session.execute(warehouse.dialect.lock(warehouse.schema, table.name))
        session.execute(dml.create_erased())
        for some in chunks(sorted(until.items())):
            session.execute(dml.add_erased(len(some)), [value for pair in some for value in pair])
        dates = {
            date
            for column in columns
            for (date,) in session.execute(dml.dates_of_erased(warehouse.schema, table, column, at)).fetchall()
        }
        deleted = sum(
            session.execute(dml.delete_erased(warehouse.schema, table, column, at)).rowcount for column in columns
        )
        if dates:
            _count_again(warehouse, session, table, dates)
    return deleted


def vacuum(warehouse: Warehouse) -> None:
    """Frees what deleted rows leave in the files of PostgreSQL, and has its statistics, which keep samples of values,
    made of what stands. Redshift does so by itself."""
    with warehouse.connect() as session:
        for table in warehouse.tables:
            session.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(warehouse.schema, table.name)))
        if session.info.server_version >= _FORGETS:
            session.execute(_OF_EMPTY, {"schema": warehouse.schema, "tables": [t.name for t in warehouse.tables]})


def taken_in(warehouse: Warehouse, table: WarehouseTable, lake_version: int, lake_table: str) -> None:
    """Records that every date of the table is of this version of the lake."""
    with warehouse.connect() as session, session.transaction():
        session.execute(warehouse.dialect.lock(warehouse.schema, table.name))
        warehouse.record(session, table, {None: 0}, (lake_version, lake_table))


def _count_again(warehouse: Warehouse, session: Session, table: WarehouseTable, dates: set[dt.date]) -> None:
    """Records how many rows these dates have now; what they were loaded from stays."""
    partitions: list[PartitionDate] = [*sorted(dates)]
    warehouse.put_dates(session, partitions)
    standing = warehouse.standing(session, table, partitions)
    for date, version, of_table, _ in warehouse.loads(session, table):
        if date in standing:
            warehouse.record(session, table, {date: standing[date].totals.rows}, (version, of_table))
