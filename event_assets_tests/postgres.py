"""Pytest plugin: a real PostgreSQL for the session, from binaries that pip installs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_assets.stack.postgres import open_postgres


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an empty database; every test takes a schema of its own."""
    with open_postgres(tmp_path_factory.mktemp("warehouse")) as url:
        yield url
