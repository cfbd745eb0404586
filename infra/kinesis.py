"""The event stream on Amazon Kinesis."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.alarms import MINUTE, Watched
from infra.choices import Choices
from infra.permissions import reads_stream, writes_stream
from infra.stream import EventStream


def kinesis_stream(scope: Construct, choices: Choices, key: kms.IKey) -> EventStream:
    """A stream of so many shards as the size says, or one that scales by itself."""
    size, by_shards = choices.size, choices.stream == "shards"
    stream = kinesis.Stream(
        scope,
        "Stream",
        stream_mode=kinesis.StreamMode.PROVISIONED if by_shards else kinesis.StreamMode.ON_DEMAND,
        shard_count=size.stream_shards if by_shards else None,
        retention_period=Duration.hours(size.stream_retention_hours),
        encryption=kinesis.StreamEncryption.KMS,
        encryption_key=key,
    )
    cdk.CfnOutput(scope, "StreamName", value=stream.stream_name)
    reads = reads_stream(stream.stream_arn, key.key_arn)
    return EventStream(
        settings={"stream_kind": "kinesis", "stream_name": stream.stream_name},
        writes=writes_stream(stream.stream_arn, key.key_arn),
        reads=reads,
        executors=reads,
        alarms=_alarms(stream, size.stream_retention_hours),
    )


def _alarms(stream: kinesis.Stream, retention_hours: int) -> list[Watched]:
    return [
        Watched(
            "StreamAge",
            stream.metric_get_records_iterator_age_milliseconds(statistic="Maximum", period=MINUTE),
            retention_hours * 3_600_000 / 2,
            5,
            "What is read is older than half of the stream's retention: at the whole of it, events are lost.",
        ),
        Watched(
            "StreamThrottled",
            stream.metric_put_records_throttled_records(statistic="Sum", period=MINUTE),
            0,
            5,
            "The stream refuses records: it needs more shards. The ingest API repeats them until its buffer is full.",
        ),
    ]
