"""Pytest plugin: a real PostgreSQL for the session, from binaries that pip installs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets.stack.postgres import open_postgres


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
