"""Roles in a real PostgreSQL: nobody sees a row or a personal value that is not theirs, whatever they ask."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from event_assets.cli import app
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.embedded.postgres import open_postgres
from event_assets.rules.roles import Roles, roles_of
from event_assets.settings import Settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.role_changes import apply, login_of, plan
from event_assets.warehouse.role_grants import RolesError
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.postgres import name_of, new_database
from event_assets_tests.warehouse.lake import DAY, TABLES, row, totals, write

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
EMPTY: dict[str, Any] = {"string": "", "int": 0, "long": 0, "double": 0.0, "boolean": False, "date": NOW.date()}
SECRET = "ann@example.org"
"""A personal value: it stands in every personal column."""
FOREIGN = "Wakanda"
"""A value of rows that a limited role must not see, in columns that it sees of its own rows."""
OURS = "DE"
_NUMBERS = itertools.count()


def limited(shipped: Roles) -> Roles:
    """The shipped roles, and two whose rows are limited."""
    document = shipped.model_dump()
    of = {"warehouse": "shared", "dashboards": "sql"}
    document["roles"] = {
        "german": {**of, "rows": {"country": [OURS, "AT"]}},
        "german_shop": {**of, "rows": {"country": [OURS], "app_id": ["shop"]}},
        **document["roles"],
    }
    return Roles.model_validate(document)


SHIPPED = roles_of(Settings().roles)
ALL = limited(SHIPPED)
SHARED = [name for name, role in ALL.roles.items() if role.warehouse == "shared"]
LIMITED = ["german", "german_shop"]


@pytest.fixture(scope="module")
def filled(postgres_url: str, made_warehouse: str) -> Iterator[tuple[Warehouse, str]]:
    """A warehouse with two rows in every table, one of each country, and the roles applied."""
    url = new_database(postgres_url, name_of(made_warehouse))
    warehouse = with_a_schema_of_its_own(url)
    with psycopg.connect(url, autocommit=True) as owner:
        for table in WAREHOUSE_TABLES:
            for country in (OURS, FOREIGN):
                put(owner, warehouse.schema, table.name, country)
        owner.execute("ANALYZE")
    apply(warehouse, ALL)
    yield warehouse, url
    apply(warehouse, Roles.model_validate({"roles": {"nobody": {}}}))


def with_a_schema_of_its_own(url: str) -> Warehouse:
    """The warehouse of this database under another name: roles, which are named by it, are the whole server's."""
    warehouse = Warehouse(PostgresDialect(LakeFiles()), url)
    own = f"roles_{next(_NUMBERS)}"
    with warehouse.connect() as session:
        session.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(*map(sql.Identifier, (warehouse.schema, own))))
    renamed = Warehouse(warehouse.dialect, url, own)
    renamed.ensure()
    return renamed


def put(owner: psycopg.Connection[Any], schema: str, name: str, country: str) -> None:
    table = next(table for table in WAREHOUSE_TABLES if table.name == name)
    row: dict[str, Any] = {"loaded_at": NOW}
    for column in table.specs():
        if column.pii:
            row[column.name] = f"{SECRET} {country}"
        elif column.type == "timestamp":
            row[column.name] = NOW
        elif column.type == "string":
            row[column.name] = {"country": country, "app_id": "shop"}.get(column.name, f"{column.name} of {country}")
        else:
            row[column.name] = EMPTY[column.type]
    places = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(schema, name), columns, places)
    owner.execute(statement, list(row.values()))


Ask = Callable[..., str]


@pytest.fixture
def ask(filled: tuple[Warehouse, str]) -> Iterator[Ask]:
    """Runs statements as a role, and gives all that it is shown: rows, notices, plans and errors, as text."""
    warehouse, url = filled
    owner = urlsplit(url).username
    open_: list[psycopg.Connection[Any]] = []
    logins: dict[str, str] = {}

    def run(role: str, *statements: str) -> str:
        shown: list[str] = []
        if role not in logins:
            logins[role] = login_of(warehouse, url, role)
        connection = psycopg.connect(logins[role], autocommit=True)
        open_.append(connection)
        connection.add_notice_handler(lambda notice: shown.append(str(notice.message_primary)))
        for statement in statements:
            text = statement.format(base=warehouse.schema, own=f"{warehouse.schema}_{role}", owner=owner)
            try:
                cursor = connection.execute(text.encode())
                shown += [str(row) for row in cursor.fetchall()] if cursor.description else []
            except psycopg.Error as error:
                shown.append(f"{type(error).__name__}: {error}")
        return "\n".join(shown)

    yield run
    for connection in open_:
        connection.close()


def relations(ask: Ask, role: str) -> list[str]:
    names = ask(role, "SELECT table_name FROM information_schema.tables WHERE table_schema = '{own}'")
    return sorted(names.replace("('", "").replace("',)", "").split())


@pytest.mark.representative
@pytest.mark.slow
@pytest.mark.parametrize("role", SHARED)
def test_no_table_and_no_view_of_a_shared_role_shows_a_personal_value_or_a_foreign_row(ask: Ask, role: str) -> None:
    names = relations(ask, role)
    assert "fct_sessions" in names and "bi_sessions" in names and "_loads" in names
    for name in names:
        shown = ask(role, f"SELECT * FROM {name}")
        assert "Error" not in shown and "denied" not in shown
        assert SECRET not in shown, name
        if role in LIMITED:
            assert FOREIGN not in shown, name
    assert OURS in ask(role, "SELECT * FROM fct_sessions")


@pytest.mark.representative
@pytest.mark.slow
@pytest.mark.parametrize("role", SHARED)
def test_the_tables_behind_are_reached_by_no_way(ask: Ask, role: str) -> None:
    for table in (*(table.name for table in WAREHOUSE_TABLES), "_loads", "_pseudonyms", "bi_sessions"):
        shown = ask(
            role,
            f"SELECT * FROM {{base}}.{table}",
            f"SELECT count(*) FROM {{base}}.{table}",
            f"EXPLAIN SELECT * FROM {{base}}.{table}",
            f"COPY {{base}}.{table} TO STDOUT",
            f"TABLE {{base}}.{table}",
        )
        assert shown.count("InsufficientPrivilege") == 5, shown
    for statement in (
        "SET search_path = {base}; SELECT * FROM fct_sessions",
        "SET SESSION AUTHORIZATION {owner}",
        "SET ROLE {base}_admin",
        "SET ROLE {base}_data_engineer",
        "SET row_security = off; SELECT * FROM {base}.fct_sessions",
        "CREATE TABLE {own}.mine (x int)",
        "CREATE TABLE {base}.mine (x int)",
        "CREATE VIEW public.mine AS SELECT * FROM {base}.fct_sessions",
        "CREATE OR REPLACE VIEW {own}.fct_sessions AS SELECT 1",
        "ALTER VIEW {own}.fct_sessions RESET (security_barrier)",
        "UPDATE {own}.fct_sessions SET country = 'DE'",
        "DELETE FROM {own}.dim_date",
        "INSERT INTO {own}.dim_date DEFAULT VALUES",
        "GRANT SELECT ON {own}.fct_sessions TO PUBLIC",
        "ALTER ROLE {own} SUPERUSER",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT query_to_xml('SELECT * FROM {base}.fct_sessions', true, true, '')",
        "SELECT table_to_xml('{base}.fct_sessions', true, true, '')",
        "SELECT * FROM ts_stat('SELECT to_tsvector(country) FROM {base}.fct_sessions')",
    ):
        shown = ask(role, *statement.split("; "))
        words = ("InsufficientPrivilege", "no privileges were granted", "UndefinedTable", "InvalidSchemaName")
        assert any(word in shown for word in words), shown
        assert FOREIGN not in shown and SECRET not in shown


_LEAK = (
    "CREATE FUNCTION pg_temp.leak({type}) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS "
    "$$BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END$$"
)
_TRICKS = (
    ("SET default_transaction_read_only = off", _LEAK.format(type="text"),
     "SELECT count(*) FROM fct_sessions WHERE pg_temp.leak(country)",
     "SELECT count(*) FROM fct_sessions WHERE pg_temp.leak(person_id)",
     "SELECT count(*) FROM bi_sessions WHERE pg_temp.leak(country) AND pg_temp.leak(source)",
     "SELECT count(*) FROM fct_events WHERE pg_temp.leak(fct_events::text)"),
    ("SELECT country::int FROM fct_sessions", "SELECT 1 FROM fct_sessions WHERE source::int = 1",
     "SELECT 1 / (length(country) - 7) FROM fct_sessions",
     "SELECT person_id::int FROM fct_sessions WHERE country::int = 1",
     "SELECT fct_sessions::text::int FROM fct_sessions"),
    ("EXPLAIN (VERBOSE, COSTS) SELECT * FROM fct_sessions WHERE source > 'a'",
     "EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM bi_sessions WHERE source LIKE '%W%'",
     "EXPLAIN (GENERIC_PLAN) SELECT * FROM fct_sessions WHERE country = $1"),
    ("PREPARE p(text) AS SELECT * FROM fct_sessions WHERE country = $1 OR true", f"EXECUTE p('{FOREIGN.lower()}')"),
    ("CREATE TEMP TABLE fct_sessions (x text)", "SELECT * FROM fct_sessions", "SELECT * FROM {own}.fct_sessions"),
    ("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
     "SET search_path = pg_temp, pg_catalog, {own}", "SELECT person_id FROM fct_sessions"),
    ("SELECT * FROM pg_stats WHERE schemaname = '{base}'", "SELECT * FROM pg_stats_ext",
     "SELECT query FROM pg_stat_activity", "SELECT definition FROM pg_views WHERE schemaname IN ('{base}', '{own}')",
     "SELECT most_common_vals FROM pg_stats", "SELECT * FROM pg_statistic"),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM fct_sessions", "FETCH ALL c"),
    ("DO $$DECLARE r record; BEGIN FOR r IN SELECT * FROM fct_sessions LOOP RAISE NOTICE '%', r; END LOOP; END$$",),
    ("SELECT * FROM fct_sessions WHERE country NOT IN ('DE') OR 1 = 1 UNION ALL SELECT * FROM fct_sessions",
     "SELECT xmin, xmax, ctid FROM fct_sessions", "SELECT * FROM fct_sessions TABLESAMPLE BERNOULLI (100)",
     "SELECT string_agg(country, ',') FROM fct_sessions", "SELECT string_agg(to_jsonb(e)::text, ',') FROM fct_events e",
     "SELECT query_to_xml('SELECT * FROM fct_sessions', true, true, '')",
     "SELECT * FROM fct_sessions FOR UPDATE", "COPY (SELECT * FROM fct_sessions) TO STDOUT"),
)  # fmt: skip


@pytest.mark.parametrize("role", SHARED)
@pytest.mark.parametrize("tricks", _TRICKS, ids=lambda tricks: tricks[0][:40])
def test_no_trick_shows_a_personal_value_or_a_foreign_row(ask: Ask, role: str, tricks: tuple[str, ...]) -> None:
    shown = ask(role, *tricks)
    assert SECRET not in shown
    assert role not in LIMITED or FOREIGN not in shown


def test_a_function_of_ones_own_is_really_asked(ask: Ask) -> None:
    shown = ask("german", *_TRICKS[0])
    assert f"leaked {OURS}" in shown


def test_pseudonyms_join_and_count_as_the_ids_behind_do_and_nobody_can_make_one(ask: Ask) -> None:
    joined = "SELECT count(*), count(DISTINCT s.person_id) FROM fct_sessions s JOIN dim_users u USING (person_id)"
    assert ask("analyst", joined) == ask(
        "data_engineer", joined.replace("fct_", "{base}.fct_").replace("dim_", "{base}.dim_")
    )
    one = "SELECT person_id FROM fct_sessions ORDER BY 1"
    assert ask("analyst", one) == ask("viewer", one)
    assert ask("analyst", one) != ask("analyst", f"SELECT left(encode(sha256('{SECRET} {OURS}'), 'base64'), 22)")


def test_roles_see_and_do_what_the_file_says(ask: Ask) -> None:
    assert SECRET in ask("data_engineer", "SELECT * FROM {base}.dim_users", "SELECT * FROM {base}.bi_sessions")
    for statement in (
        "UPDATE {base}.dim_date SET year = 1",
        "DELETE FROM {base}.dim_date",
        "DROP TABLE {base}.dim_date",
    ):
        assert "InsufficientPrivilege" in ask("data_engineer", statement)
    assert "InsufficientPrivilege" in ask("pipeline", "DROP TABLE {base}.dim_date")
    assert ask("pipeline", "UPDATE {base}.dim_date SET year = 1", "DELETE FROM {base}._loads") == ""
    made = ("CREATE TABLE {base}.mine (x int)", "CREATE ROLE x", "DROP TABLE {base}.mine")
    assert "mine" not in ask("admin", *made)
    for role in ALL.roles:
        assert "InsufficientPrivilege" in ask(role, "SELECT * FROM {base}._pseudonyms")


def test_who_sees_some_rows_does_not_see_a_table_that_has_not_the_column(ask: Ask) -> None:
    assert not {"fct_touches", "dim_users", "agg_daily", "bi_conversions"} & set(relations(ask, "german"))
    assert {"fct_sessions", "agg_daily_sessions", "dim_date", "bi_sessions"} <= set(relations(ask, "german_shop"))
    columns = ask("german", "SELECT column_name FROM information_schema.columns WHERE table_name = 'bi_sessions'")
    assert "date_week" in columns and "person_revenue" not in columns and "person_id" in columns


@pytest.fixture
def fresh(warehouse_url: str) -> Iterator[tuple[Warehouse, str]]:
    """A warehouse without roles, and none after the test."""
    warehouse = with_a_schema_of_its_own(warehouse_url)
    yield warehouse, warehouse_url
    apply(warehouse, Roles.model_validate({"roles": {"nobody": {}}}))


def state(url: str, schema: str) -> list[Any]:
    """All that a database says of roles, grants and views of this schema."""
    with psycopg.connect(url) as session:
        return session.execute(
            """SELECT 'role', rolname, rolsuper::text, '' FROM pg_roles WHERE starts_with(rolname, %(s)s)
            UNION ALL SELECT 'schema', nspname, array(SELECT a::text FROM unnest(nspacl) a
              WHERE NOT starts_with(a::text, current_user || '=') ORDER BY 1)::text, ''
            FROM pg_namespace WHERE starts_with(nspname, %(s)s)
            UNION ALL SELECT 'relation', relname, array(SELECT a::text FROM unnest(relacl) a
              WHERE NOT starts_with(a::text, current_user || '=') ORDER BY 1)::text,
            relnamespace::regnamespace::text || coalesce(pg_get_viewdef(c.oid), '')
            FROM pg_class c WHERE starts_with(relnamespace::regnamespace::text, %(s)s) AND relkind IN ('r', 'v')
            UNION ALL SELECT 'member', member::regrole::text, roleid::regrole::text, admin_option::text
            FROM pg_auth_members WHERE starts_with(member::regrole::text, %(s)s) ORDER BY 1, 2, 3, 4""",
            {"s": schema},
        ).fetchall()


@pytest.mark.slow
def test_what_is_planned_is_done_and_then_there_is_nothing_to_do(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    planned = plan(warehouse, ALL)
    assert planned and not any(
        "CREATE ROLE" in each for each in plan(warehouse, Roles.model_validate({"roles": {"n": {}}}))
    )
    assert apply(warehouse, ALL) == planned
    login_of(warehouse, url, "analyst")
    assert plan(warehouse, ALL) == []
    before = state(url, warehouse.schema)
    assert apply(warehouse, ALL) == [] and state(url, warehouse.schema) == before


def test_what_somebody_changed_by_hand_is_put_back(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    apply(warehouse, ALL)
    before = state(url, warehouse.schema)
    base, role = sql.Identifier(warehouse.schema), sql.Identifier(f"{warehouse.schema}_analyst")
    strong = sql.Identifier(f"{warehouse.schema}_data_engineer")
    with psycopg.connect(url, autocommit=True) as owner:
        for text in (
            "GRANT SELECT ON ALL TABLES IN SCHEMA {base} TO {role}",
            "GRANT USAGE ON SCHEMA {base} TO PUBLIC",
            "GRANT SELECT (ip) ON {base}.fct_events TO {role}",
            "GRANT SELECT ON {base}.dim_users TO PUBLIC",
            "GRANT SELECT ON {base}.fct_events TO {strong} WITH GRANT OPTION",
            "GRANT {strong} TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {base} GRANT SELECT ON TABLES TO {role}",
            "ALTER ROLE {role} SUPERUSER",
            "REVOKE SELECT ON {role}.fct_sessions FROM {role}",
            "DROP VIEW {role}.bi_sessions",
        ):
            owner.execute(sql.SQL(text).format(base=base, role=role, strong=strong))
    assert state(url, warehouse.schema) != before
    apply(warehouse, ALL)
    assert state(url, warehouse.schema) == before and plan(warehouse, ALL) == []


def test_what_the_file_no_longer_says_goes(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    apply(warehouse, ALL)
    document = ALL.model_dump()
    del document["roles"]["german"], document["roles"]["admin"]
    document["roles"]["viewer"] |= {"tables": ["fct_sessions"]}
    document["roles"]["analyst"] |= {"warehouse": "everything"}
    smaller = Roles.model_validate(document)
    apply(warehouse, smaller)
    assert plan(warehouse, smaller) == []
    with psycopg.connect(url) as session:
        names = [
            name
            for (name,) in session.execute(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (warehouse.schema,)
            )
        ]
        schemas = [
            name
            for (name,) in session.execute(
                "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (warehouse.schema,)
            )
        ]
        views = session.execute(
            "SELECT count(*) FROM pg_views WHERE schemaname = %s", (f"{warehouse.schema}_viewer",)
        ).fetchall()
    left = ("german_shop", "viewer", "analyst", "data_engineer", "pipeline")
    assert sorted(names) == sorted(f"{warehouse.schema}_{name}" for name in left)
    assert sorted(schemas) == sorted(
        (warehouse.schema, f"{warehouse.schema}_german_shop", f"{warehouse.schema}_viewer")
    )
    assert views == [(3,)]  # it, the wide view over it, and what is loaded


def test_a_table_or_column_that_comes_is_private_until_the_file_says_otherwise(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    document = SHIPPED.model_dump()
    document["shared"]["dim_users"] = ["person_id"]
    del document["shared"]["fct_conversions"]
    before = Roles.model_validate(document)
    apply(warehouse, before)
    with psycopg.connect(url, autocommit=True) as owner:
        for text in ("CREATE TABLE {}.crm (email text)", "ALTER TABLE {}.dim_users ADD COLUMN email text"):
            owner.execute(sql.SQL(text).format(sql.Identifier(warehouse.schema)))
    apply(warehouse, before)
    columns = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    own = f"{warehouse.schema}_analyst"
    with psycopg.connect(login_of(warehouse, url, "analyst")) as session:
        assert session.execute(columns, (own, "dim_users")).fetchall() == [("person_id",), ("loaded_at",)]
        for table in ("crm", "fct_conversions", "bi_conversions"):
            assert session.execute(columns, (own, table)).fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(warehouse.schema, "crm")))
    assert "fct_conversions.*" in before.private_columns() and "dim_users.revenue" in before.private_columns()
    apply(warehouse, SHIPPED)
    with psycopg.connect(login_of(warehouse, url, "analyst")) as session:
        assert ("revenue",) in session.execute(columns, (own, "dim_users")).fetchall()
        assert session.execute(columns, (own, "bi_conversions")).fetchall()


def test_every_column_of_a_view_says_what_it_is(filled: tuple[Warehouse, str]) -> None:
    warehouse, url = filled
    own = f"{warehouse.schema}_analyst"
    with psycopg.connect(url) as session:
        rows = session.execute(
            "SELECT relname || '.' || attname, col_description(attrelid, attnum) FROM pg_attribute "
            "JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = %s::regnamespace AND attnum > 0",
            (own,),
        ).fetchall()
    said: dict[str, str | None] = dict(rows)
    assert [name for name, comment in said.items() if not comment] == []
    assert (said["fct_sessions.person_id"] or "").endswith("A pseudonym.") and "_loads.rows" in said


def test_the_role_of_the_pipeline_loads_without_being_the_owner(fresh: tuple[Warehouse, str], tmp_path: Path) -> None:
    warehouse, url = fresh
    apply(warehouse, SHIPPED)
    table = TABLES["fct_sessions"]
    rows = [row(table.lake, session_id=f"s{number}") for number in range(3)]
    loading = Warehouse(PostgresDialect(LakeFiles()), login_of(warehouse, url, "pipeline"), warehouse.schema)
    loading.ensure()
    for mode in ("replace", "append"):
        files = [write(tmp_path / f"{mode}.parquet", table.lake, rows)]
        loading.load_partition(table, [DAY], files, totals(table, rows), mode, 1)
    assert loading.counts_and_sums(table, [DAY])[DAY].rows == 3
    assert set(loading.loaded_versions(table).values()) == {1}


def test_the_commands_plan_apply_and_print(
    fresh: tuple[Warehouse, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, url = fresh
    for name, value in (("HOME", tmp_path), ("WAREHOUSE_URL", url), ("WAREHOUSE_SCHEMA", warehouse.schema)):
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", str(value))

    def run(*arguments: str, status: int = 0) -> Result:
        done = CliRunner().invoke(app, ["warehouse", "roles", *arguments])
        assert done.exit_code == status, done.output
        return done

    planned = run("plan")
    assert f'CREATE ROLE "{warehouse.schema}_analyst";' in planned.stdout
    assert "Shared with nobody: fct_events." in planned.stderr and "dim_user_traits.*" in planned.stderr
    assert run("apply").stdout == planned.stdout
    assert run("plan").stdout == run("apply").stdout == "The roles are what the file says.\n"
    assert run("apply", "--quiet").stdout == "0 statements\n"
    printed = run("sql", "--key", "k" * 32).stdout
    assert printed.count("CREATE ROLE") == 5 and "k" * 32 in printed
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_KIND", "redshift")
    assert "warehouse roles sql" in run("plan", status=1).stderr
    (tmp_path / "roles.yaml").write_text("roles: {a: {warehouse: some}}", encoding="utf-8")
    monkeypatch.setenv("EVENT_ASSETS_ROLES_FILE", str(tmp_path / "roles.yaml"))
    assert "roles.yaml:1: roles.a.warehouse" in run("sql", status=1).stderr


def test_a_role_that_is_somebody_elses_is_left_alone(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    name = sql.Identifier(f"{warehouse.schema}_analyst")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {}").format(name))
        with pytest.raises(RolesError, match="did not make: name yours otherwise"):
            apply(warehouse, ALL)
        owner.execute(sql.SQL("DROP ROLE {}").format(name))
    assert not any(
        "CREATE" in each for each in plan(warehouse, Roles.model_validate({"roles": {"n": {}}})) if "ROLE" in each
    )


def test_a_view_that_something_else_is_made_of_stops_it_and_nothing_has_changed(fresh: tuple[Warehouse, str]) -> None:
    warehouse, url = fresh
    apply(warehouse, ALL)
    before = state(url, warehouse.schema)
    own = sql.Identifier(f"{warehouse.schema}_analyst")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE VIEW public.mine AS SELECT * FROM {}.dim_date").format(own))
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="mine depends on"):
            apply(warehouse, Roles.model_validate({"roles": {"nobody": {}}}))
        assert state(url, warehouse.schema) == before
        owner.execute("DROP VIEW public.mine")


def test_an_owner_that_is_no_superuser_makes_changes_and_removes_roles(postgres_url: str) -> None:
    url = new_database(postgres_url)
    name = f"owner_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'x'").format(sql.Identifier(name)))
        [database] = session.execute("SELECT current_database()").fetchone() or ()
        session.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(*map(sql.Identifier, (database, name))))
    host = url.rpartition("@")[2]
    own = f"postgresql://{name}:x@{host}"
    warehouse = Warehouse(PostgresDialect(LakeFiles()), own, f"roles_{next(_NUMBERS)}")
    warehouse.ensure()
    apply(warehouse, ALL)
    assert plan(warehouse, ALL) == []
    with psycopg.connect(login_of(warehouse, own, "analyst")) as analyst:
        assert analyst.execute("SELECT count(*) FROM fct_sessions").fetchall() == [(0,)]
    apply(warehouse, Roles.model_validate({"roles": {"nobody": {}}}))
    with psycopg.connect(url) as session:
        assert (
            session.execute("SELECT 1 FROM pg_roles WHERE starts_with(rolname, %s)", (warehouse.schema,)).fetchall()
            == []
        )


@pytest.mark.slow
def test_an_owner_without_a_password_gives_no_role_one_that_anybody_could_compute(postgres_home: Path) -> None:
    with open_postgres(postgres_home) as url:
        rules = next(postgres_home.rglob("pg_hba.conf"))
        rules.write_text("host all all 127.0.0.1/32 trust\n", encoding="utf-8")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("SELECT pg_reload_conf()")
        parts = urlsplit(url)
        open_to_all = parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl()
        warehouse = Warehouse(PostgresDialect(LakeFiles()), open_to_all)
        warehouse.ensure()
        apply(warehouse, ALL)
        with pytest.raises(RolesError, match="signs in without a password"):
            login_of(warehouse, open_to_all, "analyst")
        with psycopg.connect(url) as session:
            row = session.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'analytics_analyst'").fetchone()
        assert row == (False,)
