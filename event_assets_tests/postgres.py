"""Pytest plugin: a real PostgreSQL for the session, from binaries that pip installs."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from event_assets.embedded.postgres import open_postgres

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database; every test takes a schema of its own."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as home, open_postgres(Path(home)) as url:
        yield url


@pytest.fixture
def postgres_home() -> Iterator[Path]:
    """An empty home for a server of the test's own.

    Not pytest's `tmp_path`: started by root the server runs as another user, and every start of pytest takes the
    way through its folders from other users again.
    """
    with tempfile.TemporaryDirectory(prefix="event-assets-") as home:
        yield Path(home)


def new_database(postgres_url: str, template: str = "template1") -> str:
    """URL of a new database on the same server, with the content of another one that nobody is connected to."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(postgres_url, autocommit=True) as session:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        session.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
