"""Pytest plugin: a real PostgreSQL for the session, from binaries that pip installs."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from event_assets.embedded.postgres import open_postgres
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse

_NUMBERS = itertools.count()
_EMPTY = """DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'analytics'
  LOOP EXECUTE format('DELETE FROM analytics.%I', name); END LOOP;
END $$"""
"""Quicker than TRUNCATE, which makes new files."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database; every test takes a schema of its own."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as home, open_postgres(Path(home)) as url:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("ALTER SYSTEM SET fsync = off")  # no test pulls the plug of this one
            session.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture
def postgres_home() -> Iterator[Path]:
    """An empty home for a server of the test's own.

    Not pytest's `tmp_path`: started by root the server runs as another user, and every start of pytest takes the
    way through its folders from other users again.
    """
    with tempfile.TemporaryDirectory(prefix="event-assets-") as home:
        yield Path(home)


@pytest.fixture(scope="session")
def made_warehouse(postgres_url: str) -> str:
    """URL of a database with all tables of a warehouse, all empty, to be copied: a tenth of what making them costs."""
    url = new_database(postgres_url)
    Warehouse(PostgresDialect(LakeFiles()), url).ensure()
    return url


@pytest.fixture
def warehouse_url(postgres_url: str, made_warehouse: str) -> Iterator[str]:
    """URL of a database of the test's own with all tables of a warehouse, all empty, for whoever changes tables."""
    with copied(postgres_url, made_warehouse) as url:
        yield url


@pytest.fixture(scope="session")
def shared_warehouse(postgres_url: str, made_warehouse: str) -> Warehouse:
    url = new_database(postgres_url, name_of(made_warehouse))
    return Warehouse(PostgresDialect(LakeFiles()), url)


@pytest.fixture
def warehouse(shared_warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse whose tables are made and empty, for whoever changes rows and no tables."""
    yield shared_warehouse
    with shared_warehouse.connect() as session:
        session.execute(_EMPTY)


@contextmanager
def copied(postgres_url: str, database: str) -> Iterator[str]:
    """A copy of a database by their URLs, for as long as it is used."""
    url = new_database(postgres_url, name_of(database))
    try:
        yield url
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as session:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name_of(url))))


def name_of(url: str) -> str:
    """The name of a database by its URL."""
    return urlsplit(url).path[1:]


def new_database(postgres_url: str, template: str = "template1") -> str:
    """URL of a new database on the same server, with the content of another one that nobody is connected to."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(postgres_url, autocommit=True) as session:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        session.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
