"""Streams of every kind for the contract's tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from event_assets.streams import EventStream
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection
from event_assets.streams.kinesis import KinesisStream

MakeStream = Callable[..., EventStream]
COUNTER = itertools.count()


_KAFKA = pytest.param("kafka", marks=[pytest.mark.slow, pytest.mark.representative])
"""A broker takes half a minute to start; in CI all of them run."""


@pytest.fixture(params=["embedded", "kinesis", _KAFKA])
def make_stream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStream]:
    """Makes new streams of one kind; `make_stream(shards=2)`. A name given again opens the same stream."""
    yield from _makes(request, tmp_path)


@pytest.fixture(params=["embedded", "kinesis"])
def make_resharding_stream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStream]:
    """The same, of the kinds whose shards can be split and merged."""
    yield from _makes(request, tmp_path)


def _makes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStream]:
    opened: list[EventStream] = []
    broker = request.getfixturevalue("kafka_broker") if request.param == "kafka" else None
    kinesis_url = request.getfixturevalue("kinesis_emulator") if request.param == "kinesis" else None

    def make(shards: int = 2, name: str | None = None) -> EventStream:
        name = name or f"test-{next(COUNTER)}"
        stream: EventStream
        if broker is not None:
            stream = KafkaStream(name, KafkaConnection(broker.brokers))
        elif kinesis_url is None:
            stream = EmbeddedStream(tmp_path / name / "stream.db", name)
        else:
            stream = KinesisStream(name, endpoint_url=kinesis_url)
        if shards:
            stream.create(shards)
        opened.append(stream)
        return stream

    yield make
    for stream in opened:
        stream.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedStream]:
    """An embedded stream of two shards."""
    stream = EmbeddedStream(tmp_path / "stream.db", "events")
    stream.create(2)
    yield stream
    stream.close()
