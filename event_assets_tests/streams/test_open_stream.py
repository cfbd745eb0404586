"""The settings name the stream."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.settings import load_settings
from event_assets.streams import StreamNotFound, open_stream
from event_assets.streams.embedded import EmbeddedStream
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


def test_kinesis_is_one_setting_away() -> None:
    stream = open_stream(load_settings(stream_kind="kinesis", stream_endpoint_url="http://127.0.0.1:9"))
    assert isinstance(stream, KinesisStream)
    assert stream.name == "events"
