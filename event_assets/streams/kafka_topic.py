"""A Kafka topic as its cluster describes it: made, looked at, its id, partitions and retention.

Nothing is written to it or read from it here.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from event_assets.streams.kafka_connection import KafkaConnection, is_refusal, stream_error
from event_assets.streams.protocol import StreamBusy, StreamNotFound
from event_assets.streams.topic_settings import topic_settings

_KNOWN_FOR = 10.0


class Described(NamedTuple):
    """What the cluster says of the topic: its id in 16 hex digits, how many partitions, those without a leader."""

    id: str
    partitions: int
    leaderless: tuple[int, ...]

    def shard_id(self, partition: int) -> str:
        return f"shardId-{self.id}p{partition:05}"


class KafkaTopic:
    """The topic `name`. `timeout_seconds` is how long the cluster may take for an answer."""

    def __init__(self, name: str, connection: KafkaConnection, timeout_seconds: float) -> None:
        self.name = name
        self._connection = connection
        self._timeout = timeout_seconds
        self._opening = threading.Lock()
        self._made_admin: AdminClient | None = None
        self._known: tuple[float, Described] | None = None
        self._refused: KafkaError | None = None

    def create(self, partitions: int, retention: dt.timedelta) -> None:
        """Makes it with so many partitions, and waits until it can be used; nothing happens if it is there."""
        try:
            self.describe()
            return
        except StreamNotFound:
            pass
        config = topic_settings(retention.total_seconds() / 3_600)
        made = self._admin.create_topics([NewTopic(self.name, num_partitions=partitions, config=config)])
        try:
            made[self.name].result(self._timeout)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise stream_error(error, self.name) from error
        self._wait_for_leaders()

    def _wait_for_leaders(self) -> None:
        """A new topic is announced before it can be used."""
        until = time.monotonic() + 6 * self._timeout
        while True:
            try:
                if not self.describe().leaderless:
                    return
            except StreamNotFound:
                pass
            if time.monotonic() > until:
                raise StreamBusy(f"Kafka topic {self.name} was made, and has no leaders yet")
            time.sleep(0.05)

    def retention(self) -> dt.timedelta:
        """How long the topic keeps records for certain: no time at all where a size limits it."""
        config = self._config()
        kept_ms = int(config["retention.ms"])
        if int(config["retention.bytes"]) >= 0:
            return dt.timedelta(0)
        return dt.timedelta(milliseconds=kept_ms) if kept_ms >= 0 else dt.timedelta(days=36_500)

    def close(self) -> None:
        """Lets go of the connection."""
        with self._opening:
            self._made_admin = None

    @property
    def _admin(self) -> AdminClient:
        with self._opening:
            if self._made_admin is None:
                self._made_admin = AdminClient(self._connection.settings() | {"error_cb": self._told})
            return self._made_admin

    def _told(self, error: KafkaError) -> None:
        """Keeps why no connection comes about: whoever asks the cluster is told no more than that time is up."""
        if is_refusal(error):
            self._refused = error

    def known(self) -> Described:
        """What is known of the topic for some seconds."""
        known = self._known
        if known is not None and time.monotonic() - known[0] < _KNOWN_FOR:
            return known[1]
        return self.describe()

    def describe(self) -> Described:
        """What the cluster says of it now. Raises `StreamNotFound`, `StreamBusy`."""
        asked = self._admin.describe_topics(TopicCollection([self.name]), request_timeout=self._timeout)
        try:
            described = asked[self.name].result(2 * self._timeout)
        except KafkaException as error:
            self._known = None
            self._admin.poll(0)
            raise stream_error(self._refused or error, self.name) from error
        except TimeoutError as error:
            raise StreamBusy(f"Kafka at {self._connection.brokers} gave no answer about topic {self.name}") from error
        id_ = described.topic_id.get_most_significant_bits() & (2**64 - 1)
        leaderless = tuple(each.id for each in described.partitions if each.leader is None or each.leader.id < 0)
        topic = Described(f"{id_:016x}", len(described.partitions), leaderless)
        self._known, self._refused = (time.monotonic(), topic), None
        return topic

    def _config(self) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, self.name)
        asked = self._admin.describe_configs([resource], request_timeout=self._timeout)
        try:
            return {name: entry.value for name, entry in asked[resource].result(2 * self._timeout).items()}
        except KafkaException as error:
            raise stream_error(error, self.name) from error

    def partition(self, shard_id: str) -> int:
        """The number of a shard's partition. Raises `StreamNotFound`."""
        topic = self.known()
        head, _, number = shard_id.rpartition("p")
        if head != f"shardId-{topic.id}" or not number.isdecimal() or int(number) >= topic.partitions:
            raise StreamNotFound(f"Kafka topic {self.name} has no shard {shard_id}: it may have been made anew")
        return int(number)
