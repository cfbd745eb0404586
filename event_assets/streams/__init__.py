"""The event stream: the embedded log, Amazon Kinesis and Apache Kafka behind one small protocol, a writer and a reader.

Nothing here knows what is inside an event.
"""

from __future__ import annotations

import datetime as dt

from event_assets.settings import Settings
from event_assets.streams.packing import EventLines, ShardMap, pack_events
from event_assets.streams.parts import WHOLE, ShardPart
from event_assets.streams.position import ShardPosition, lost_shards
from event_assets.streams.protocol import (
    EventStream,
    PutResult,
    ReadResult,
    Shard,
    SparkReadable,
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
from event_assets.streams.reader import ReadBatch, ReadLimits, StreamReader
from event_assets.streams.retry_policy import RetryPolicy
from event_assets.streams.writer import OnPut, StreamWriter

__all__ = [
    "WHOLE",
    "EventLines",
    "EventStream",
    "OnPut",
    "PutResult",
    "ReadBatch",
    "ReadLimits",
    "ReadResult",
    "RetryPolicy",
    "Shard",
    "ShardMap",
    "ShardPart",
    "ShardPosition",
    "SparkReadable",
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
    "lost_shards",
    "open_stream",
    "pack_events",
]


def open_stream(settings: Settings) -> EventStream:
    """The stream that the settings name. Touches neither disk nor network until it is used."""
    if settings.stream == "kafka":
        return _kafka(settings)
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


def _kafka(settings: Settings) -> EventStream:
    try:
        from event_assets.streams.kafka import KafkaStream
        from event_assets.streams.kafka_connection import KafkaConnection
    except ModuleNotFoundError as error:
        raise StreamError(
            f"EVENT_ASSETS_STREAM_KIND=kafka needs {error.name}: pip install 'event-assets[kafka]'"
        ) from error
    assert settings.kafka_brokers is not None
    secret, ca_file = settings.kafka_password, settings.kafka_ca_file
    connection = KafkaConnection(
        settings.kafka_brokers,
        settings.kafka_security_protocol,
        settings.kafka_sasl_mechanism,
        settings.kafka_username,
        None if secret is None else secret.get_secret_value(),
        None if ca_file is None else str(ca_file),
        settings.aws_region,
    )
    return KafkaStream(
        settings.stream_name,
        connection,
        retention=dt.timedelta(hours=settings.stream_retention_hours),
        is_read_by_spark=settings.kafka_reader == "spark",
    )
