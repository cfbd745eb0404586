"""Making and growing the tables of a real PostgreSQL."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.relation import comment_of, relation_of
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import DAY, TABLES, row, totals, write

SESSIONS = TABLES["fct_sessions"]


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    """One whose tables a test may change."""
    return Warehouse(PostgresDialect(LakeFiles()), warehouse_url)


def grown(table: WarehouseTable, column: Column) -> WarehouseTable:
    """The table with one more column, in the middle of it."""
    middle = len(table.columns) // 2
    lake = dataclasses.replace(table.lake, columns=(*table.lake.columns[:middle], column, *table.lake.columns[middle:]))
    return dataclasses.replace(table, lake=lake, columns=lake.column_names)


def test_ensure_makes_every_table_with_its_comments_and_then_does_nothing(warehouse: Warehouse) -> None:
    with warehouse.connect() as session:
        standing = list(warehouse._missing(session, [relation_of(table) for table in warehouse.tables]))
        comments = dict(
            session.execute(
                "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = %s::regclass",
                (f"{warehouse.schema}.fct_sessions",),
            ).fetchall()
        )
        about = session.execute(
            "SELECT obj_description(%s::regclass)", (f"{warehouse.schema}.fct_sessions",)
        ).fetchone()
    assert standing == []
    assert about == (SESSIONS.description,)
    assert comments["engaged_seconds"] == (
        "Seconds visible and active, from pings. Definition: 10 x (distinct pairs of page view and 10-second slot - "
        "page views with pings) + 5 x page views with pings. Unit: s."
    )
    assert comments["user_id"] == f"{SESSIONS.lake.column('user_id').description} Personal data."
    assert {name: comments[name] for name in SESSIONS.columns} == {
        column.name: comment_of(column) for column in SESSIONS.specs()
    }
    assert comments["loaded_at"] == "When the row's key first came in."


def test_an_index_that_the_contract_gains_is_made_beside_the_rows_that_stand_once(
    warehouse: Warehouse, warehouse_url: str
) -> None:
    names = [f"{table.name}_{column}" for table in WAREHOUSE_TABLES for column in table.indexes]
    assert {"fct_events_derived_at", "fct_events_anonymous_id", "fct_sessions_person_id"} <= set(names)
    query = "SELECT indexname FROM pg_indexes WHERE schemaname = %s"
    with warehouse.connect() as session:
        before = session.execute(query, (warehouse.schema,)).fetchall()
        for name in names:
            session.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(warehouse.schema, name)))
        for _ in range(2):
            Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema).ensure()
        assert sorted(session.execute(query, (warehouse.schema,)).fetchall()) == sorted(before)


def test_a_column_that_the_contract_gains_is_added_beside_the_rows_that_stand(
    warehouse: Warehouse, tmp_path: Path, warehouse_url: str
) -> None:
    old = row(SESSIONS.lake, session_id="old")
    file = write(tmp_path / "old.parquet", SESSIONS.lake, [old])
    warehouse.load_partition(SESSIONS, [DAY], [file], totals(SESSIONS, [old]), "replace", 1)
    wider = grown(SESSIONS, Column("mood", "string", "How it felt.", nullable=False))
    later = Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema, [wider])
    later.ensure()
    rows = [row(wider.lake, session_id="new", mood="good")]
    newer = write(tmp_path / "new.parquet", wider.lake, rows)
    expected = totals(wider, [old, *rows])
    later.load_partition(wider, [DAY], [newer], expected, "append", 2)
    with later.connect() as session:
        query = sql.SQL("SELECT session_id, mood FROM {} ORDER BY 1")
        table = sql.Identifier(warehouse.schema, "fct_sessions")
        assert session.execute(query.format(table)).fetchall() == [("new", "good"), ("old", None)]


def test_a_column_that_the_contract_loses_stays_and_does_not_stop_loads(
    warehouse: Warehouse, tmp_path: Path, warehouse_url: str
) -> None:
    fewer = dataclasses.replace(SESSIONS, columns=tuple(name for name in SESSIONS.columns if name != "start_at"))
    later = Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema, [fewer])
    later.ensure()
    rows = [row(SESSIONS.lake)]
    file = write(tmp_path / "a.parquet", SESSIONS.lake, rows)
    later.load_partition(fewer, [DAY], [file], totals(fewer, rows), "replace", 1)
    with later.connect() as session:
        query = sql.SQL("SELECT start_at FROM {}").format(sql.Identifier(warehouse.schema, "fct_sessions"))
        assert session.execute(query).fetchall() == [(None,)]


def test_a_changed_description_reaches_the_comment(warehouse: Warehouse, warehouse_url: str) -> None:
    said = dataclasses.replace(SESSIONS, lake=dataclasses.replace(SESSIONS.lake, description="It's 100 % new."))
    Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema, [said]).ensure()
    with warehouse.connect() as session:
        about = session.execute("SELECT obj_description(%s::regclass)", (f"{warehouse.schema}.fct_sessions",))
        assert about.fetchone() == ("It's 100 % new.",)


def test_processes_that_make_the_tables_at_the_same_time_do_not_fail(postgres_url: str) -> None:
    made = Warehouse(PostgresDialect(LakeFiles()), postgres_url, "made_at_once")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: made.ensure(), range(6)))
    with psycopg.connect(postgres_url) as session:
        count = session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'made_at_once'").fetchone()
    assert count == (len(made.tables) + 2,)
