from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterator
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
from event_assets.warehouse.warehouse import Warehouse

__all__ = ["new_site", "site"]

Row = dict[str, Any]
NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)
_EMPTY_VALUES: dict[str, Any] = {"string": "", "int": 0, "long": 0, "double": 0.0, "boolean": False}


READS_ALL = Roles.model_validate({"roles": {"data_engineer": {"warehouse": "everything", "dashboards": "people"}}})
NOBODY = Roles.model_validate({"roles": {"nobody": {}}})


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
        with psycopg.connect(self.owner_url) as connection, connection.cursor() as cursor:
            for row in rows:
                filled = {
                    name: row.get(name, None if column.nullable else _EMPTY_VALUES.get(column.type, NOW))
                    for name, column in columns.items()
                } | {"loaded_at": NOW}
                cursor.execute(
                    sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                        sql.Identifier(self.context.source.database.schema, name),
                        sql.SQL(", ").join(map(sql.Identifier, filled)),
                        sql.SQL(", ").join([sql.Placeholder()] * len(filled)),
                    ),
                    list(filled.values()),
                )


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


@pytest.fixture
def new_site(postgres_url: str, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Makes an empty site in a schema of its own."""
    schemas: list[str] = []

    def make() -> Site:
        schema = f"d{uuid.uuid4().hex[:12]}"
        schemas.append(schema)
        warehouse = Warehouse(PostgresDialect(LakeFiles()), postgres_url, schema)
        warehouse.ensure()
        apply(warehouse, READS_ALL)
        url = login_of(warehouse, postgres_url, "data_engineer")
        source = Source(dashboard_of(Settings().dashboards), Database(url, schema), lambda: NOW)
        settings = Settings(warehouse_schema=schema, home=tmp_path)
        role = READS_ALL.roles["data_engineer"]
        return Site(Context(source, settings, postgres_url, role, reads_only=True), postgres_url, [])

    yield make
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for schema in schemas:
            apply(Warehouse(PostgresDialect(LakeFiles()), postgres_url, schema), NOBODY)
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@pytest.fixture
def site(new_site: Callable[[], Site]) -> Site:
    """A site with 70 days of sessions, a segment and an event."""
    made = new_site()
    made.sessions = visits(70)
    made.put("fct_sessions", made.sessions)
    member = {"segment": "buyers", "from_date": NOW.date()}
    made.put("dim_segment_memberships", [{**member, "person_id": f"p{n}", "is_current": n < 8} for n in range(9)])
    return made
