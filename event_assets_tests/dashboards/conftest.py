from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.roles import Role, Roles, roles_of
from event_assets.settings import Settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.role_changes import apply, login_of
from event_assets.warehouse.role_grants import role_name
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.postgres import copied, name_of, new_database

__all__ = ["new_site", "site"]

Row = dict[str, Any]
NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)
_EMPTY_VALUES: dict[str, Any] = {"string": "", "int": 0, "long": 0, "double": 0.0, "boolean": False}


READS_ALL = Roles.model_validate({"roles": {"data_engineer": {"warehouse": "everything", "dashboards": "people"}}})


def roles() -> dict[str, Role]:
    """The roles of the dashboards that are shipped, the weakest first."""
    return roles_of(Settings().roles).of_dashboards


@dataclass
class Site:
    """A schema of a warehouse with the pages over it, and rows that a test put there."""

    context: Context
    owner_url: str
    sessions: list[Row]

    def contexts(self) -> dict[str, Context]:
        """The same for every role."""
        return {name: replace(self.context, role=role) for name, role in roles().items()}

    def put(self, name: str, rows: list[Row]) -> None:
        """Rows of a table; what a row does not name is nothing, or null where it may be."""
        table = next(table for table in WAREHOUSE_TABLES if table.name == name)
        columns = {column.name: column for column in table.specs()}
        empty = {
            name: None if column.nullable else _EMPTY_VALUES.get(column.type, NOW) for name, column in columns.items()
        } | {"loaded_at": NOW}
        insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(self.context.source.database.schema, name),
            sql.SQL(", ").join(map(sql.Identifier, empty)),
            sql.SQL(", ").join([sql.Placeholder()] * len(empty)),
        )
        with psycopg.connect(self.owner_url) as connection, connection.cursor() as cursor:
            filled = [[row.get(name, value) for name, value in empty.items()] for row in rows]
            cursor.executemany(insert, filled)


def visits(days: int, seed: int = 3) -> list[Row]:
    """Sessions of so many days up to now, some without dimensions, some of robots."""
    choose = random.Random(seed)
    made = []
    for number in range(days * 8):
        start = NOW - dt.timedelta(minutes=choose.randrange(days * 24 * 60))
        made.append(
            {
                "session_id": f"s{number}",
                "event_date": start.date(),
                "start_at": start,
                "end_at": start,
                "person_id": f"p{choose.randrange(30)}",
                "country": choose.choice(["DE", "FR", "US", None]),
                "platform": choose.choice(["web", "ios"]),
                "app_id": choose.choice(["shop", None]),
                "channel_group": choose.choice(["Direct", "Email", "Organic Search"]),
                "is_bot": choose.random() < 0.1,
                "is_engaged": choose.random() < 0.6,
                "conversions": choose.choice([0, 0, 0, 1, 2]),
                "revenue": choose.choice([0.0, 9.5, 20.0]),
                "engaged_seconds": choose.randrange(300),
                "absolute_seconds": choose.randrange(600),
                "page_views": choose.randrange(1, 9),
            }
        )
    return made


@pytest.fixture(scope="session")
def made_site(postgres_url: str, made_warehouse: str) -> str:
    """URL of the database of an empty site, to be copied."""
    url = new_database(postgres_url, name_of(made_warehouse))
    apply(Warehouse(PostgresDialect(LakeFiles()), url), READS_ALL)
    return url


@pytest.fixture(scope="session")
def visited_site(postgres_url: str, made_site: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of the database of a site with 70 days of sessions, a segment and an event, to be copied."""
    url = new_database(postgres_url, name_of(made_site))
    made = site_at(url, tmp_path_factory.mktemp("site"))
    made.put("fct_sessions", visits(70))
    member = {"segment": "buyers", "from_date": NOW.date()}
    made.put("dim_segment_memberships", [{**member, "person_id": f"p{n}", "is_current": n < 8} for n in range(9)])
    return url


def site_at(url: str, folder: Path) -> Site:
    """The site whose database this is."""
    warehouse = Warehouse(PostgresDialect(LakeFiles()), url)
    database = Database(login_of(warehouse, url, "data_engineer"), warehouse.schema)
    source = Source(dashboard_of(Settings().dashboards), database, lambda: NOW)
    role = READS_ALL.roles["data_engineer"]
    return Site(Context(source, Settings(home=folder), url, role, reads_only=True), url, [])


@pytest.fixture
def copied_site(postgres_url: str, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Makes a site of a copy of a database. Roles that a test makes of it go with it: they are the whole server's."""
    mine = role_name(Settings().warehouse_schema, "data_engineer")
    with ExitStack() as copies:
        yield lambda database: site_at(copies.enter_context(copied(postgres_url, database)), tmp_path)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        others = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) AND rolname <> %s"
        for [name] in connection.execute(others, (f"{Settings().warehouse_schema}_", mine)).fetchall():
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def new_site(copied_site: Callable[[str], Site], made_site: str) -> Callable[[], Site]:
    """Makes an empty site in a database of its own."""
    return lambda: copied_site(made_site)


@pytest.fixture
def site(copied_site: Callable[[str], Site], visited_site: str) -> Site:
    """A site with 70 days of sessions, a segment and an event."""
    made = copied_site(visited_site)
    made.sessions = visits(70)
    return made
