"""The event stream: the embedded log and Amazon Kinesis behind one small protocol, a writer and a reader.

Nothing here knows what is inside an event.
"""

from __future__ import annotations

import datetime as dt

from event_assets.settings import Settings
from event_assets.streams.backoff import Backoff
from event_assets.streams.position import ShardPosition
from event_assets.streams.protocol import (
    EventStream,
    PutResult,
    ReadResult,
    Shard,
    StoredRecord,
    StreamBusy,
    StreamDamaged,
    StreamError,
    StreamFull,
    StreamGap,
    StreamNotFound,
    StreamReadOnly,
    StreamRecord,
)
from event_assets.streams.reader import Bounds, ReadBatch, StreamReader
from event_assets.streams.writer import StreamWriter, aggregate

__all__ = [
    "Backoff",
    "Bounds",
    "EventStream",
    "PutResult",
    "ReadBatch",
    "ReadResult",
    "Shard",
    "ShardPosition",
    "StoredRecord",
    "StreamBusy",
    "StreamDamaged",
    "StreamError",
    "StreamFull",
    "StreamGap",
    "StreamNotFound",
    "StreamReadOnly",
    "StreamReader",
    "StreamRecord",
    "StreamWriter",
    "aggregate",
    "open_stream",
]


def open_stream(settings: Settings) -> EventStream:
    """The stream that the settings name. Touches neither disk nor network until it is used."""
    if settings.stream == "kinesis":
        from event_assets.streams.kinesis import KinesisStream  # boto3 takes 0.2 s that the embedded log need not pay

        return KinesisStream(
            settings.stream_name, region=settings.aws_region, endpoint_url=settings.stream_endpoint_url
        )
    from event_assets.streams.embedded import EmbeddedStream

    return EmbeddedStream(
        settings.home / "stream.db",
        settings.stream_name,
        retention=dt.timedelta(hours=settings.stream_retention_hours),
    )
