"""Redshift's statements as text: what is sent is compared with files that people have read.

`python -m event_assets_tests.warehouse.test_redshift` writes the file anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from psycopg import sql
from pyarrow.fs import FileType
from sqlglot.errors import ErrorLevel
from sqlglot.expressions import ColumnDef, Command, Create

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.views import VIEWS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.rules.roles import Roles, roles_of
from event_assets.settings import Settings
from event_assets.warehouse import ddl, dml, migrations
from event_assets.warehouse.dialect import Mode
from event_assets.warehouse.external import EXTERNAL_TABLES, external_statements
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.migrations import MIGRATED, MIGRATIONS
from event_assets.warehouse.redshift import RedshiftDialect, copy_statement, count_of, manifest_of
from event_assets.warehouse.relation import LOADS, match_columns, relation_of
from event_assets.warehouse.role_changes import from_nothing
from event_assets.warehouse.views import missing_views
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import TABLES, File

GOLDEN = Path(__file__).parent / "redshift.sql"
ROLES_GOLDEN = GOLDEN.with_name("redshift_roles.sql")
SCHEMA = "analytics"
ROLE = "arn:aws:iam::123456789012:role/it's-loading"
DIALECT = RedshiftDialect(LakeFiles(), ROLE, "s3://lake/prod/manifests/")


def statements() -> list[str]:
    """What makes the tables from nothing, a load of sessions by date, of users as a whole, and what removes dates."""
    made = [ddl.create_schema(SCHEMA)]
    for relation in (LOADS, MIGRATED, *map(relation_of, WAREHOUSE_TABLES)):
        made += ddl.missing(DIALECT, SCHEMA, relation, {})
    made += missing_views(DIALECT, SCHEMA, VIEWS, {})
    before = {name: dict.fromkeys(("", "loaded_at")) for migration in MIGRATIONS for name in migration.renames}
    for migration in MIGRATIONS:
        made += [*migration.statements(SCHEMA, before), migrations.record(SCHEMA)]
    evolved = relation_of(TABLES["agg_daily"])
    standing = {"agg_daily": {"": evolved.description} | {column.name: "old" for column in evolved.columns[:-2]}}
    made += ddl.missing(DIALECT, SCHEMA, evolved, standing)
    made += _load(TABLES["fct_sessions"], "append", gone=True)
    made += _load(TABLES["fct_sessions"], "replace")
    made += _load(TABLES["dim_users"], "replace")
    made += _removal(TABLES["fct_events"])
    return [statement.as_string() for statement in made]


def role_text() -> str:
    """What an administrator runs to make a role that sees some rows only, and those that are shipped."""
    document = roles_of(Settings().roles).model_dump()
    limited = {"warehouse": "shared", "rows": {"app_id": ["shop"], "country": ["DE", "it's"]}}
    del document["roles"]["viewer"]  # reads what an analyst does
    document["roles"] = {"limited": limited, **document["roles"]}
    made = from_nothing(DIALECT, SCHEMA, Roles.model_validate(document), "the-key-of-the-pseudonyms")
    return "".join(f"{statement.as_string()};\n\n" for statement in made)


def _load(table: WarehouseTable, mode: Mode, gone: bool = False) -> list[Any]:
    dates = [dml.add_dates(2)] if table.partition_by else []
    found_in = dml.found_by(table, mode, gone)
    return [
        DIALECT.lock(SCHEMA, table.name),
        *_staged(table, dml.STAGE, DIALECT.stage_columns(table, mode)),
        dml.create_dates(),
        *dates,
        *(_staged(table, dml.GONE, map(table.lake.column, match_columns(table))) if gone else []),
        *([dml.add_staged_to_gone(table)] if gone else []),
        dml.totals(DIALECT, sql.Identifier(dml.STAGE), table),
        dml.keep_arrivals(SCHEMA, table, found_in),
        dml.count_rows(SCHEMA, table, found_in),
        dml.delete_rows(SCHEMA, table, found_in),
        dml.insert_rows(DIALECT, SCHEMA, table),
        dml.totals(DIALECT, sql.Identifier(SCHEMA, table.name), table),
        dml.loads_of(SCHEMA),
        dml.forget_loads(SCHEMA, 2 if table.partition_by else 0),
        dml.record_loads(SCHEMA, 2 if table.partition_by else 1),
    ]


def _removal(table: WarehouseTable) -> list[Any]:
    """What removes dates of events that the warehouse is not to have."""
    return [
        DIALECT.lock(SCHEMA, table.name),
        dml.create_dates(),
        dml.add_dates(2),
        dml.delete_rows(SCHEMA, table, dml.DATES),
        dml.forget_loads(SCHEMA, 2),
    ]


def _staged(table: WarehouseTable, stage: str, columns: Iterable[Column]) -> list[Any]:
    manifest = f"s3://lake/prod/manifests/{table.name}/1.manifest"
    return [dml.create_stage(DIALECT, stage, columns), copy_statement(stage, manifest, ROLE), count_of(stage)]


def text() -> str:
    return ";\n\n".join(statements()) + ";\n"


def test_the_statements_are_those_that_were_read() -> None:
    assert text() == GOLDEN.read_text(encoding="utf-8")


def test_the_statements_of_the_roles_are_those_that_were_read() -> None:
    assert role_text() == ROLES_GOLDEN.read_text(encoding="utf-8")


def test_no_statement_of_the_roles_says_what_redshift_has_not() -> None:
    said = role_text().replace("SCHEMA IF NOT EXISTS", "").replace("TABLE IF NOT EXISTS", "")
    for word in (
        "security_barrier",
        "encode(",
        "convert_to",
        "IF NOT EXISTS",
        "COMMENT ON",
        "gen_random",
        "WITH ADMIN",
    ):
        assert word not in said


NOT_PARSED = ("LOCK TABLE", "CREATE ROLE", "GRANT ROLE")
"""What sqlglot takes for commands whose inside it does not look at."""


def test_every_statement_is_one_by_redshifts_grammar() -> None:
    parsed = 0
    for statement in [*statements(), *filter(str.strip, role_text().split(";\n\n"))]:
        # What is bound by name stands for a value.
        made = sqlglot.parse(statement.replace("%s", "NULL"), dialect="redshift", error_level=ErrorLevel.RAISE)
        for each in made:
            if isinstance(each, Command):
                assert statement.lstrip().startswith(NOT_PARSED), statement
            parsed += 1
    assert parsed > 1_000


def test_every_column_of_single_events_is_in_an_external_table_over_the_list_of_the_files() -> None:
    _, *made = [each.as_string() for each in external_statements(DIALECT, "s3://lake/prod", "lake", "events", ROLE)]
    creates = [sqlglot.parse_one(each, dialect="redshift") for each in made[1::2]]
    for table, create, text in zip(EXTERNAL_TABLES, creates, made[1::2], strict=True):
        assert isinstance(create, Create) and not isinstance(create, Command)
        assert [each.name for each in create.find_all(ColumnDef)] == list(table.lake.column_names)
        assert f"'s3://lake/prod/external/{table.lake.name}/'" in text
    assert made[0] == 'DROP TABLE IF EXISTS "lake"."enriched_events"'


def test_the_clusters_default_role_is_used_where_none_is_set() -> None:
    assert "\nIAM_ROLE default\n" in copy_statement("_stage", "s3://b/m", None).as_string()


def test_the_staging_columns_are_the_files_columns_in_their_order() -> None:
    for table in WAREHOUSE_TABLES:
        staged = [column.name for column in DIALECT.stage_columns(table, "append")]
        assert staged == list(next(lake for lake in LAKE_TABLES if lake.name == table.lake.name).column_names)


def test_the_manifest_names_every_file_with_its_size() -> None:
    files = [File("s3://lake/a.parquet", 10, 1, {}), File("s3://lake/b c.parquet", 20, 2, {})]
    assert json.loads(manifest_of(files)) == {
        "entries": [
            {"url": "s3://lake/a.parquet", "mandatory": True, "meta": {"content_length": 10}},
            {"url": "s3://lake/b c.parquet", "mandatory": True, "meta": {"content_length": 20}},
        ]
    }


def test_the_manifest_is_in_the_bucket_while_the_files_are_copied_and_then_gone(bucket: tuple[LakeFiles, str]) -> None:
    files, root = bucket
    dialect = RedshiftDialect(files, ROLE, f"{root}/prod/manifests")
    written = [File("s3://lake/a.parquet", 10, 1, {})]
    with dialect._manifest(TABLES["fct_sessions"], written) as url:
        assert url.startswith(f"{root}/prod/manifests/fct_sessions/")
        with files.filesystem(url).open_input_stream(url.removeprefix("s3://")) as stream:
            assert stream.read() == manifest_of(written)
    assert files.filesystem(url).get_file_info(url.removeprefix("s3://")).type == FileType.NotFound


def test_the_settings_choose_redshift() -> None:
    settings = Settings(
        profile="aws",
        lake_url="s3://lake/prod",
        warehouse_url="postgresql://u:p@cluster:5439/db",
        warehouse_schema="events",
    )
    made = Warehouse.from_settings(settings, "postgresql://u:p@cluster:5439/db")
    assert (made.dialect.name, made.schema) == ("redshift", "events")


if __name__ == "__main__":
    GOLDEN.write_text(text(), encoding="utf-8")
    ROLES_GOLDEN.write_text(role_text(), encoding="utf-8")
