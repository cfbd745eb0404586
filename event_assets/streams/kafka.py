"""Apache Kafka as an `EventStream`, through confluent-kafka: a partition is a shard, an offset a sequence number.

A topic that is deleted and made again begins at offset 0. Its id is therefore part of the name of a shard, so that
positions of the old one are not taken for those of the new one. Partitions have no parents and are never closed; a
topic gets more of them by `kafka-topics --alter --partitions`, and a key's later records may then be in another.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from event_assets.streams.kafka_connection import KafkaConnection
from event_assets.streams.kafka_reader import KafkaReader
from event_assets.streams.kafka_topic import Described, KafkaTopic
from event_assets.streams.protocol import (
    HASH_KEYS,
    RECORD_TOO_LARGE,
    PutResult,
    ReadResult,
    Shard,
    StreamBusy,
    StreamError,
    StreamRecord,
    hash_key,
    refusal,
    sequence_text,
)
from event_assets.streams.topic_settings import MESSAGE_BYTES

_SECONDS = 10
_EARLIEST = -2
"""An offset that stands for that of the oldest record, for Spark."""


class KafkaStream:
    """The Kafka topic `name` of the cluster that `connection` reaches.

    A put waits until every replica in sync has the records (`acks=all`), and `timeout_seconds` for an answer at most.
    `retention` is what a topic made by `create` keeps.
    """

    def __init__(
        self,
        name: str,
        connection: KafkaConnection,
        *,
        retention: dt.timedelta = dt.timedelta(days=7),
        timeout_seconds: float = _SECONDS,
        is_read_by_spark: bool = False,
    ) -> None:
        self._connection = connection
        self._retention = retention
        self.is_read_by_spark = is_read_by_spark
        self._timeout = timeout_seconds
        self._topic = KafkaTopic(name, connection, timeout_seconds)
        self._reader = KafkaReader(self._topic, connection, timeout_seconds)
        self._opening = threading.Lock()
        self._made_producer: Producer | None = None
        self._partitions_told = 0

    @property
    def name(self) -> str:
        return self._topic.name

    def create(self, shards: int) -> None:
        self._topic.create(shards, self._retention)

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        try:
            topic = self._topic.known()
        except StreamBusy as busy:
            return [PutResult(None, None, refusal(record) or f"StreamUnavailable: {busy}") for record in records]
        delivery = _Delivery(topic, len(records))
        producer = self._producer_for(topic)
        for index, record in enumerate(records):
            if (fault := refusal(record)) is not None:
                delivery.settle(index, PutResult(None, None, fault))
                continue
            key, data = record
            at = partition_of(key, topic.partitions)
            on_delivery = partial(delivery.told, index)
            self._produce(producer, topic=self.name, value=data, key=key, partition=at, on_delivery=on_delivery)
        while delivery.pending:
            if (broken := _polled(producer)) is not None:
                delivery.break_off(broken)
        if delivery.is_fatal:
            self._drop_producer(producer)
        if delivery.is_unknown:
            self._topic.describe()
        return [result for result in delivery.results if result is not None]

    def _produce(self, producer: Producer, **message: Any) -> None:
        while True:
            try:
                return producer.produce(**message)
            except BufferError:  # the client's queue is full: what is on its way makes room
                _polled(producer)
            except KafkaException as error:
                message["on_delivery"](error.args[0], None)
                return None

    def require_writable(self) -> None:
        topic = self._topic.describe()
        if topic.leaderless:
            raise StreamBusy(f"Kafka topic {self.name} has no leader for its partitions {list(topic.leaderless)}")

    def shards(self) -> list[Shard]:
        topic = self._topic.describe()
        return [
            Shard(
                topic.shard_id(number),
                (),
                False,
                sequence_text(0),
                None,
                first_hash=-(-HASH_KEYS * number // topic.partitions),
            )
            for number in range(topic.partitions)
        ]

    def read(
        self, shard_id: str, after: str | None, max_records: int = 10_000, max_bytes: int = 10_000_000
    ) -> ReadResult:
        return self._reader.read(shard_id, after, max_records, max_bytes)

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        return self._reader.has_records_after(shard_id, after)

    def span(self, shard_id: str, after: str | None) -> tuple[int, int] | None:
        return self._reader.span(shard_id, after)

    def spark_options(self, spans: Mapping[str, tuple[int, int]]) -> dict[str, str]:
        ends = {str(self._topic.partition(shard)): end for shard, (_, end) in spans.items()}
        starts = {shard: start for shard, (start, _) in spans.items()}
        return {**self._spark_source(starts), "endingOffsets": json.dumps({self.name: ends})}

    def spark_stream_options(self, after: Mapping[str, int | None], most: int) -> dict[str, str]:
        starts = {shard: _EARLIEST if number is None else number + 1 for shard, number in after.items()}
        return {**self._spark_source(starts), "maxOffsetsPerTrigger": str(most * len(after))}

    def _spark_source(self, starts: Mapping[str, int]) -> dict[str, str]:
        of_partition = {str(self._topic.partition(shard)): start for shard, start in starts.items()}
        return {
            **self._connection.spark_settings(),
            "assign": json.dumps({self.name: [int(number) for number in of_partition]}),
            "startingOffsets": json.dumps({self.name: of_partition}),
            "failOnDataLoss": "true",
            "kafka.isolation.level": "read_committed",
        }

    def retention(self) -> dt.timedelta:
        return self._topic.retention()

    def split(self, shard_id: str) -> None:
        raise StreamError(self._no_reshard(shard_id))

    def merge(self, shard_id: str, adjacent_shard_id: str) -> None:
        raise StreamError(self._no_reshard(shard_id))

    def _no_reshard(self, shard_id: str) -> str:
        return (
            f"{shard_id} of Kafka topic {self.name} stays as it is: partitions are neither split nor merged; "
            "`kafka-topics --alter --partitions N` adds some"
        )

    def close(self) -> None:
        self._reader.close()
        self._topic.close()
        with self._opening:
            producer, self._made_producer = self._made_producer, None
        if producer is not None:
            producer.flush(self._timeout)

    def _producer_for(self, topic: Described) -> Producer:
        """A producer that knows of all partitions: of added ones it would learn by itself only after minutes."""
        with self._opening:
            if self._made_producer is None:
                self._partitions_told = topic.partitions
                timeout_ms = int(self._timeout * 1_000)
                self._made_producer = Producer(
                    self._connection.settings()
                    | {"acks": "all", "enable.idempotence": True, "linger.ms": 2, "message.max.bytes": MESSAGE_BYTES}
                    | {"delivery.timeout.ms": timeout_ms, "request.timeout.ms": timeout_ms // 2}
                )
            if self._partitions_told != topic.partitions:
                self._made_producer.list_topics(self.name, self._timeout)
                self._partitions_told = topic.partitions
            return self._made_producer

    def _drop_producer(self, producer: Producer) -> None:
        """An idempotent producer that lost its place takes nothing more; the next put makes another."""
        with self._opening:
            if self._made_producer is producer:
                self._made_producer = None


class _Delivery:
    """The verdicts of one put, as the delivery reports come in on whichever thread polls."""

    def __init__(self, topic: Described, count: int) -> None:
        self.results: list[PutResult | None] = [None] * count
        self.pending = count
        self.is_fatal = self.is_unknown = False
        self._topic = topic
        self._counting = threading.Lock()

    def settle(self, index: int, result: PutResult) -> None:
        self.results[index] = result
        with self._counting:
            self.pending -= 1

    def told(self, index: int, error: KafkaError | None, message: Message | None) -> None:
        if error is not None or message is None:
            return self.settle(index, PutResult(None, None, self._fault(error)))
        at, offset = message.partition(), message.offset()
        assert at is not None and offset is not None
        return self.settle(index, PutResult(self._topic.shard_id(at), sequence_text(offset), None))

    def break_off(self, error: KafkaError) -> None:
        """Nothing more is told by a producer that cannot go on."""
        for index, result in enumerate(self.results):
            if result is None:
                self.settle(index, PutResult(None, None, self._fault(error)))

    def _fault(self, error: KafkaError | None) -> str:
        assert error is not None
        self.is_fatal |= error.fatal()
        self.is_unknown |= error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return (
                f"{RECORD_TOO_LARGE}: the topic takes no record of this size; set its max.message.bytes to "
                f"{MESSAGE_BYTES} at least"
            )
        return f"{error.name()}: {error.str()}"


def _polled(producer: Producer) -> KafkaError | None:
    """Has delivery reports come in. Gives the error of a producer that cannot go on, such as one that may not write."""
    try:
        producer.poll(0.05)
    except KafkaException as error:
        broken: KafkaError = error.args[0]
        return broken
    return None


def partition_of(key: str, partitions: int) -> int:
    """The partition that takes a key: its MD5 (128 bits) falls into one of equal ranges, as with Kinesis' shards."""
    return hash_key(key) * partitions // HASH_KEYS
