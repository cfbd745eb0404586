"""A real collector with a stream, a server with faults, and clients with a queue in the test's own folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from event_assets.collector import WriteKeys
from event_assets.settings import Settings, load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_sdk import EventClient
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.sdk.fault_server import FaultServer, fault_server

Clients = Callable[..., EventClient]
QUICK: dict[str, Any] = {"flush_interval": 0.05, "first_wait": 0.01, "longest_wait": 0.05}


class Collector:
    """A running collector: its address, a key, and what it wrote to the stream."""

    def __init__(self, url: str, keys: WriteKeys, stream: EventStream) -> None:
        self.url = url
        self.keys = keys
        self.key = keys.create("backend", "server")
        self._stream = stream

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in written(self._stream)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", collector_ip_rate=0, stream_shards=1)


@pytest.fixture
def collector(settings: Settings) -> Iterator[Collector]:
    stream = open_stream(settings)
    keys = WriteKeys.of(settings)
    with serving(settings, stream, keys) as http:
        yield Collector(str(http.base_url), keys, stream)
    stream.close()


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with fault_server() as server:
        yield server


@pytest.fixture
def client_of(tmp_path: Path) -> Iterator[Clients]:
    """Makes clients that are quick to try again, with one queue file; closed at the end."""
    made: list[EventClient] = []

    def make(endpoint: str, write_key: str = "ea_0_0", **options: Any) -> EventClient:
        client = EventClient(endpoint, write_key, **{"queue_path": tmp_path / "queue.sqlite", **QUICK, **options})
        made.append(client)
        return client

    yield make
    for client in made:
        client.close(timeout=0.1)
