"""A collector over HTTP with an embedded stream, and write keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets.settings import Settings, load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.serving import serving

ORIGIN = "https://site.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, collector_ip_rate=0)


@pytest.fixture
def keys(settings: Settings) -> WriteKeys:
    return WriteKeys.of(settings)


@pytest.fixture
def key(keys: WriteKeys) -> str:
    """A web site's key."""
    return keys.create("site", "web", allowed_origins=(ORIGIN,))


@pytest.fixture
def trusted(keys: WriteKeys) -> str:
    """A trusted server's key."""
    return keys.create("backend", "server", trusted=True)


@pytest.fixture
def stream(settings: Settings) -> Iterator[EventStream]:
    opened = open_stream(settings)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, stream: EventStream, keys: WriteKeys, key: str) -> Iterator[httpx.Client]:
    """A client that carries the web site's key."""
    with serving(settings, stream, keys) as client:
        client.headers["x-write-key"] = key
        yield client
