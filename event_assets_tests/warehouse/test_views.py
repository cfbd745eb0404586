"""Wide views for BI tools, on a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.views import VIEWS, View
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.warehouse import warehouse as warehouse_module
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.views import StandingView, missing_views
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import DAY, TABLES, Row, row, totals, write
from event_assets_tests.warehouse.test_redshift import DIALECT as REDSHIFT

VIEW = {view.name: view for view in VIEWS}


def fill(warehouse: Warehouse, folder: Path, name: str, rows: Sequence[Row]) -> None:
    table = TABLES[name]
    file = write(folder / f"{name}.parquet", table.lake, rows)
    dates = [DAY] if table.partition_by else None
    warehouse.load_partition(table, dates, [file], totals(table, rows), "replace", 1)


def ask(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as session:
        session.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(warehouse.schema)))
        return session.execute(query.encode()).fetchall()


def numbered(table: Table, number: int, **values: Any) -> Row:
    """A row whose key no other has."""
    keys = {name: f"{number}" for name in table.key if table.column(name).type == "string"}
    return row(table, **keys, **values)


def test_every_fact_has_a_view_of_its_own_with_all_its_columns() -> None:
    facts = {table.name for table in WAREHOUSE_TABLES if table.name.startswith("fct_")}
    assert {view.table.name for view in VIEWS} == facts
    for view in VIEWS:
        names = [each.name for each in view.columns]
        assert tuple(names[: len(view.table.columns)]) == view.table.columns and set(view.known) < set(names)
        assert len(set(names)) == len(names)
        for joined in view.joined:
            assert {joined.by, joined.else_by or joined.by} <= set(view.table.columns) and len(
                joined.dimension.key
            ) == 1


def test_a_view_has_the_rows_of_its_fact_whatever_the_dimensions_know(warehouse: Warehouse, tmp_path: Path) -> None:
    for view in VIEWS:
        rows = [numbered(view.fact, number) for number in range(3)]
        fill(warehouse, tmp_path, view.table.name, rows)
    counts = {view.name: ask(warehouse, f"SELECT count(*) FROM {view.name}")[0][0] for view in VIEWS}
    assert counts == dict.fromkeys(VIEW, 3)
    others = {joined.dimension.name: joined.dimension for view in VIEWS for joined in view.joined}
    for table in others.values():
        fill(warehouse, tmp_path, warehouse_name(table), [row(table), numbered(table, 7), row(table)])
    counts = {view.name: ask(warehouse, f"SELECT count(*) FROM {view.name}")[0][0] for view in VIEWS}
    assert counts == dict.fromkeys(VIEW, 3)


def warehouse_name(table: Table) -> str:
    assert table.warehouse is not None
    return table.warehouse.name


def test_a_view_says_what_the_dimensions_know(warehouse: Warehouse, tmp_path: Path) -> None:
    sessions, users = TABLES["fct_sessions"].lake, TABLES["dim_users"].lake
    fill(warehouse, tmp_path, "dim_date", [row(TABLES["dim_date"].lake, date=DAY, week=47, is_weekend=True)])
    fill(warehouse, tmp_path, "dim_users", [row(users, person_id="p", source="ads"), row(users, person_id="q")])
    rows = [
        row(sessions, session_id="1", source="news", person_id="p"),
        row(sessions, session_id="2", source=None, person_id="unheard"),
        row(sessions, session_id="3", source=None, person_id=None),
    ]
    fill(warehouse, tmp_path, "fct_sessions", rows)
    found = ask(
        warehouse, "SELECT session_id, source, date_week, date_is_weekend, person_source FROM bi_sessions ORDER BY 1"
    )
    assert found == [
        ("1", "news", 47, True, "ads"),
        ("2", "(none)", 47, True, None),
        ("3", "(none)", 47, True, None),
    ]


def test_a_row_is_of_the_day_of_its_site_and_of_the_utc_day_where_that_was_never_said(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    sessions, dates = TABLES["fct_sessions"].lake, TABLES["dim_date"].lake
    after = DAY + dt.timedelta(days=1)
    fill(warehouse, tmp_path, "dim_date", [row(dates, date=DAY, day=1), row(dates, date=after, day=2)])
    rows = [row(sessions, session_id="1", site_date=after), row(sessions, session_id="2", site_date=None)]
    fill(warehouse, tmp_path, "fct_sessions", rows)
    assert ask(warehouse, "SELECT session_id, date_day FROM bi_sessions ORDER BY 1") == [("1", 2), ("2", 1)]


def test_a_query_that_asks_nothing_of_a_dimension_does_not_read_it(warehouse: Warehouse) -> None:
    for view in VIEWS:
        own = ", ".join(f'"{name}"' for name in view.table.columns)
        plan = "\n".join(line for (line,) in ask(warehouse, f"EXPLAIN SELECT {own} FROM {view.name}"))
        assert view.table.name in plan and "dim_" not in plan
        assert all(
            joined.table.name in str(ask(warehouse, f"EXPLAIN SELECT * FROM {view.name}")) for joined in view.joined
        )


def test_the_statements_of_the_page_for_bi_tools_run(warehouse: Warehouse) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "bi-tools.md").read_text(encoding="utf-8")
    statements = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(statements) == 2
    for statement in statements:
        assert ask(warehouse, statement.replace("analytics.", "")) == []


def test_every_column_of_a_view_says_what_it_is(warehouse: Warehouse) -> None:
    told = ask(
        warehouse,
        """
        SELECT c.relname, a.attname, col_description(c.oid, a.attnum), obj_description(c.oid) FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relkind = 'v' AND c.relnamespace = current_schema()::regnamespace
        """,
    )
    assert {name for name, *_ in told} == set(VIEW)
    assert all(comment and about for _, _, comment, about in told)
    comments = {(view, column): comment for view, column, comment, _ in told}
    assert len(comments) == sum(len(view.columns) for view in VIEWS)
    assert comments["bi_sessions", "date_week"] == "Week of week_year, from 1 (ISO 8601). From dim_date."
    assert comments["bi_sessions", "user_id"] == "First user id seen in the session. Personal data."


def test_a_view_that_gains_columns_stays_with_what_is_granted_on_it_and_made_of_it(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(PostgresDialect(LakeFiles()), warehouse_url)

    def make(*made: View) -> list[str]:
        monkeypatch.setattr(warehouse_module, "VIEWS", made)
        Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema).ensure()
        columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'bi_touches'"
        return [
            name
            for (name,) in ask(warehouse, f"{columns} AND table_schema = current_schema() ORDER BY ordinal_position")
        ]

    whole = VIEW["bi_touches"]
    less = dataclasses.replace(whole, joined=())
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        session.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(warehouse.schema)))
        few = make(less)
        session.execute("CREATE VIEW of_mine AS SELECT session_id FROM bi_touches")
        session.execute("GRANT SELECT ON bi_touches TO PUBLIC")
        more = make(whole)
        assert more[: len(few)] == few and set(more) == {each.name for each in whole.columns}
        assert session.execute("SELECT has_table_privilege('public', 'bi_touches', 'SELECT')").fetchone() == (True,)
        session.execute("DROP VIEW of_mine")
    monkeypatch.setattr(warehouse_module, "VIEWS", (whole,))
    with warehouse.connect() as session:
        assert list(warehouse._missing_views(session)) == []


def test_redshift_makes_a_view_that_gains_columns_anew_and_keeps_one_that_does_not() -> None:
    view = VIEW["bi_touches"]
    columns: dict[str, str | None] = {each.name: "old" for each in view.columns}

    def made() -> list[str]:
        standing = {view.name: StandingView("old", columns)}
        return [text.as_string() for text in missing_views(REDSHIFT, "s", [view], standing)]

    assert made()[0].startswith("CREATE OR REPLACE VIEW")
    columns.pop("person_revenue")
    grown = made()
    assert grown[0] == 'DROP VIEW "s"."bi_touches"' and grown[1].startswith("CREATE OR REPLACE VIEW")
    assert len(grown) == 3 + len(view.columns)
