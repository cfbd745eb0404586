"""A warehouse of its own for each test, and lake files to load into it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import boto3
import psycopg
import pytest
from psycopg import sql

from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse

_NUMBERS = itertools.count()


@pytest.fixture
def bucket(s3_emulator: str) -> tuple[LakeFiles, str]:
    """An empty bucket: how to reach it, and its `s3://` URL."""
    name = f"bucket-{next(_NUMBERS)}"
    boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1").create_bucket(Bucket=name)
    return LakeFiles(endpoint=s3_emulator), f"s3://{name}"


@pytest.fixture
def warehouse(postgres_url: str) -> Iterator[Warehouse]:
    """A warehouse whose tables are made."""
    schema = f"test_{next(_NUMBERS)}"
    made = Warehouse(PostgresDialect(LakeFiles()), postgres_url, schema)
    made.ensure()
    yield made
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
