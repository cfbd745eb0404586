"""A warehouse of its own for each test, and lake files to load into it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.postgres import postgres_url

__all__ = ["postgres_url", "warehouse"]

_NUMBERS = itertools.count()


@pytest.fixture
def warehouse(postgres_url: str) -> Iterator[Warehouse]:
    """A warehouse whose tables are made."""
    schema = f"test_{next(_NUMBERS)}"
    made = Warehouse(PostgresDialect(LakeFiles()), postgres_url, schema)
    made.ensure()
    yield made
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
