"""A schema of an earlier version is brought up to this one, with its rows and what is recorded of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.migrations import MIGRATIONS
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import TABLES, row, totals, write

_RENAMES = {old: new for migration in MIGRATIONS for old, new in migration.renames.items()}
_NUMBERS = itertools.count()


@pytest.fixture
def warehouse(warehouse_url: str) -> Warehouse:
    """One whose tables a test may change."""
    return Warehouse(PostgresDialect(LakeFiles()), warehouse_url)


def relations(session: psycopg.Connection, schema: str, kind: str) -> set[str]:
    query = (
        "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relkind = %s"
    )
    return {name for (name,) in session.execute(query, (schema, kind))}


def as_it_was(session: psycopg.Connection, schema: str) -> None:
    """The names of before the first migration."""
    for old, new in _RENAMES.items():
        for statement in (
            "ALTER TABLE {schema}.{new} RENAME TO {old}",
            "ALTER INDEX {schema}.{new_index} RENAME TO {old_index}",
            "UPDATE {schema}._loads SET table_name = {old_name} WHERE table_name = {new_name}",
        ):
            names = {"schema": schema, "new": new, "old": old, "new_index": f"{new}_rows", "old_index": f"{old}_rows"}
            quoted = {name: sql.Identifier(value) for name, value in names.items()}
            told = {"old_name": sql.Literal(old), "new_name": sql.Literal(new)}
            session.execute(sql.SQL(statement).format(**quoted, **told))
    session.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, "_migrations")))


def test_tables_of_an_earlier_version_keep_their_rows_under_their_new_names(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    funnels = TABLES["agg_funnels"]
    rows = [row(funnels.lake)]
    file = write(tmp_path / "a.parquet", funnels.lake, rows)
    warehouse.load_partition(funnels, None, [file], totals(funnels, rows), "replace", 3)
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        names = [relations(session, warehouse.schema, kind) for kind in "ri"]
        as_it_was(session, warehouse.schema)
        assert set(_RENAMES) < relations(session, warehouse.schema, "r")
        for _ in range(2):
            Warehouse(PostgresDialect(LakeFiles()), warehouse_url, warehouse.schema).ensure()
            assert [relations(session, warehouse.schema, kind) for kind in "ri"] == names
        done = session.execute(
            sql.SQL("SELECT version FROM {}").format(sql.Identifier(warehouse.schema, "_migrations"))
        )
        assert done.fetchall() == [(migration.version,) for migration in MIGRATIONS]
    assert warehouse.loaded_versions(funnels) == {None: 3}
    assert warehouse.counts_and_sums(funnels, None) == totals(funnels, rows)


def test_a_table_of_somebody_else_that_has_an_old_name_is_left_alone(postgres_url: str) -> None:
    schema = f"foreign_{next(_NUMBERS)}"
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        session.execute(sql.SQL("CREATE TABLE {} (mine int)").format(sql.Identifier(schema, "paths")))
        Warehouse(PostgresDialect(LakeFiles()), postgres_url, schema).ensure()
        assert {"paths", "agg_paths"} < relations(session, schema, "r")
        session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@pytest.mark.parametrize("name", [table.name for table in WAREHOUSE_TABLES])
def test_every_table_is_named_for_what_it_is(name: str) -> None:
    assert name.startswith(("fct_", "dim_", "agg_"))
    assert name not in _RENAMES
