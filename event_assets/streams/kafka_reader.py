"""Reads the partitions of a Kafka topic from any offset, and tells what was trimmed from what never was.

Keeps no position: each read says after which record it begins.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from event_assets.streams.kafka_connection import KafkaConnection, arrival, stream_error
from event_assets.streams.kafka_topic import KafkaTopic
from event_assets.streams.protocol import ReadResult, StoredRecord, StreamBusy, StreamGap, sequence_text

_CONSUMERS = 8
_FETCHED_AT_ONCE = 500


class _Reading(NamedTuple):
    """A consumer of one shard, and the offset that it gives next (None: it is to be placed anew)."""

    consumer: Consumer
    next_offset: int | None


class KafkaReader:
    """The consumers of a topic: one a shard that is being read, some kept for the next read of the same shard."""

    def __init__(self, topic: KafkaTopic, connection: KafkaConnection, timeout_seconds: float) -> None:
        self._topic = topic
        self._connection = connection
        self._timeout = timeout_seconds
        self._opening = threading.Lock()
        self._readings: dict[str, _Reading] = {}

    def read(self, shard_id: str, after: str | None, max_records: int, max_bytes: int) -> ReadResult:
        """As `EventStream.read`."""
        at = self._topic.partition(shard_id)
        reading = self._take(shard_id)
        next_offset = None
        try:
            span = self._span(reading.consumer, at, shard_id, after)
            if span is None:
                return ReadResult([], at_tip=True, shard_ended=False)
            start, end = span
            if reading.next_offset != start:
                reading.consumer.assign([TopicPartition(self._topic.name, at, start)])
            taken = _Taken(shard_id, max_records, max_bytes, end)
            self._fetch(reading.consumer, taken, after)
            # At the tip a consumer tells only once that nothing follows, so that the next reading has to place it.
            next_offset = None if taken.at_tip or taken.has_left_some else taken.next_offset
            return ReadResult(taken.records, taken.at_tip, shard_ended=False)
        except KafkaException as error:
            raise stream_error(error, self._topic.name) from error
        finally:
            if next_offset is None:
                reading.consumer.unassign()
            self._give_back(shard_id, _Reading(reading.consumer, next_offset))

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        """As `EventStream.has_records_after`."""
        at = self._topic.partition(shard_id)
        reading = self._take(shard_id)
        try:
            if self._span(reading.consumer, at, shard_id, after) is None:
                return False
        finally:
            self._give_back(shard_id, reading)
        return bool(self.read(shard_id, after, max_records=1, max_bytes=1).records)

    def span(self, shard_id: str, after: str | None) -> tuple[int, int] | None:
        """As `SparkReadable.span`."""
        at = self._topic.partition(shard_id)
        reading = self._take(shard_id)
        try:
            return self._span(reading.consumer, at, shard_id, after)
        finally:
            self._give_back(shard_id, reading)

    def close(self) -> None:
        """Lets go of all consumers."""
        with self._opening:
            readings, self._readings = list(self._readings.values()), {}
        for reading in readings:
            reading.consumer.close()

    def _span(self, consumer: Consumer, at: int, shard_id: str, after: str | None) -> tuple[int, int] | None:
        """The offset to read next and the one behind the last, None if nothing is between them. Raises `StreamGap`."""
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic.name, at), timeout=self._timeout)
        except KafkaException as error:
            raise stream_error(error, self._topic.name) from error
        start = low if after is None else int(after) + 1
        if after is not None and not low <= start <= high:
            raise StreamGap(shard_id, after, sequence_text(low) if low < high else None)
        return (start, high) if start < high else None

    def _fetch(self, consumer: Consumer, taken: _Taken, after: str | None) -> None:
        until = time.monotonic() + 3 * self._timeout
        while taken.wants_more:
            for message in self._messages(consumer, min(_FETCHED_AT_ONCE, taken.room)):
                error = message.error()
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    taken.add(message)
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # trimmed since the span was asked for
                    raise StreamGap(taken.shard_id, after or sequence_text(0), None)
                else:
                    raise KafkaException(error)
                until = time.monotonic() + 3 * self._timeout
            if taken.wants_more and time.monotonic() > until:
                raise StreamBusy(f"Kafka topic {self._topic.name} gave nothing of {taken.shard_id} for a while")

    @staticmethod
    def _messages(consumer: Consumer, at_most: int) -> list[Message]:
        """Some that are there, as soon as one is: a consumer asked for many would wait for all of them."""
        first = consumer.poll(0.5)
        return [] if first is None else [first, *consumer.consume(at_most - 1, timeout=0)]

    def _take(self, shard_id: str) -> _Reading:
        """A consumer that nobody else uses meanwhile: the one that read this shard before, or a new one."""
        with self._opening:
            reading = self._readings.pop(shard_id, None)
        if reading is not None:
            return reading
        settings = {
            "group.id": f"event-assets-{self._topic.name}",  # librdkafka asks for one; no position is ever committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,  # the next read waits until the last question of this one is answered
            "queued.max.messages.kbytes": 16_384,
        }
        return _Reading(Consumer(self._connection.settings() | settings), None)

    def _give_back(self, shard_id: str, reading: _Reading) -> None:
        with self._opening:
            replaced = self._readings.pop(shard_id, None)
            self._readings[shard_id] = reading
            oldest = self._readings.pop(next(iter(self._readings))) if len(self._readings) > _CONSUMERS else None
        for unused in (replaced, oldest):
            if unused is not None:
                unused.consumer.close()


class _Taken:
    """Records of one read, up to its bounds or to the offset `end`."""

    def __init__(self, shard_id: str, max_records: int, max_bytes: int, end: int) -> None:
        self.shard_id = shard_id
        self.records: list[StoredRecord] = []
        self.at_tip = self.has_left_some = False
        self.next_offset = 0
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._end = end
        self._bytes = 0

    @property
    def room(self) -> int:
        return self._max_records - len(self.records)

    @property
    def wants_more(self) -> bool:
        return self.room > 0 and not self.at_tip and not self.has_left_some

    def add(self, message: Message) -> None:
        if message.error() is not None:  # the end of the partition
            self.at_tip = not self.has_left_some
            return
        data, key, offset = message.value() or b"", message.key() or b"", message.offset()
        assert isinstance(data, bytes) and isinstance(key, bytes) and offset is not None
        self._bytes += len(data)
        if self.has_left_some or (self.records and self._bytes > self._max_bytes):
            self.has_left_some = True
            return
        place = sequence_text(offset)
        text = key.decode(errors="replace")
        self.records.append(StoredRecord(self.shard_id, place, text, data, arrival(message.timestamp()[1])))
        self.next_offset = offset + 1
        self.at_tip = self.next_offset >= self._end
