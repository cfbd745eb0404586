"""The settings name the stream."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest

from event_assets.settings import load_settings
from event_assets.streams import StreamError, StreamNotFound, open_stream
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kinesis import KinesisStream


def test_the_local_profile_keeps_its_stream_under_home(tmp_path: Path) -> None:
    stream = open_stream(load_settings(home=tmp_path / "home", stream_name="clicks", stream_retention_hours=3))
    assert isinstance(stream, EmbeddedStream)
    assert (stream.path, stream.name, stream.retention()) == (
        tmp_path / "home" / "stream.db",
        "clicks",
        dt.timedelta(hours=3),
    )


def test_opening_touches_nothing(tmp_path: Path) -> None:
    stream = open_stream(load_settings(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()
    with pytest.raises(StreamNotFound, match="create it first"):
        stream.shards()
    assert not (tmp_path / "home").exists()


def test_kafka_is_two_settings_away() -> None:
    stream = open_stream(load_settings(stream_kind="kafka", stream_name="clicks", kafka_brokers="127.0.0.1:9,[::1]:9"))
    assert isinstance(stream, KafkaStream)
    assert stream.name == "clicks"


def test_kafka_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("event_assets.streams.kafka", "event_assets.streams.kafka_connection", "confluent_kafka"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(StreamError, match=r"pip install 'event-assets\[kafka\]'"):
        open_stream(load_settings(stream_kind="kafka", kafka_brokers="127.0.0.1:9"))


def test_kinesis_is_one_setting_away() -> None:
    stream = open_stream(load_settings(stream_kind="kinesis", stream_endpoint_url="http://127.0.0.1:9"))
    assert isinstance(stream, KinesisStream)
    assert stream.name == "events"
