"""What a role may do with a topic of MSK is enough for its part and no more: a broker lets users do what roles may.

IAM's actions are the rights that AWS's documentation names as theirs in Kafka. `Connect` is to be known at all. Kafka
lets whoever reads or writes a topic describe it, which MSK has to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from event_assets.streams import StreamError
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection
from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.streams.reading import by_key, numbered, put_all, read_all

permissions = pytest.importorskip("infra.permissions")
pytestmark = [pytest.mark.slow, pytest.mark.release]

TOPIC = "events"
PASSWORD = "a-password-of-a-role"
RIGHTS = {
    "kafka-cluster:WriteDataIdempotently": (ResourceType.BROKER, "kafka-cluster", AclOperation.IDEMPOTENT_WRITE),
    "kafka-cluster:WriteData": (ResourceType.TOPIC, TOPIC, AclOperation.WRITE),
    "kafka-cluster:ReadData": (ResourceType.TOPIC, TOPIC, AclOperation.READ),
    "kafka-cluster:DescribeTopic": (ResourceType.TOPIC, TOPIC, AclOperation.DESCRIBE),
    "kafka-cluster:DescribeTopicDynamicConfiguration": (ResourceType.TOPIC, TOPIC, AclOperation.DESCRIBE_CONFIGS),
    "kafka-cluster:AlterGroup": (ResourceType.GROUP, f"event-assets-{TOPIC}", AclOperation.READ),
    "kafka-cluster:DescribeGroup": (ResourceType.GROUP, f"event-assets-{TOPIC}", AclOperation.DESCRIBE),
}
"""As the documentation has them: an action of IAM, and the right of Kafka that it is."""


class Users:
    """Users of a broker, each with rights of its own."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker
        self._admin = AdminClient({"bootstrap.servers": broker.brokers})
        self._made: list[KafkaStream] = []

    def stream_of(self, user: str, actions: set[str]) -> KafkaStream:
        """The topic, as a user sees it who may do these."""
        told = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        named = UserScramCredentialUpsertion(user, told, PASSWORD.encode())
        _done(self._admin.alter_user_scram_credentials([named]))
        rights = [RIGHTS[action] for action in actions if action != "kafka-cluster:Connect"]
        _done(self._admin.create_acls([_binding(user, *right) for right in rights]))
        secure = self._broker.secure_brokers
        known = KafkaConnection(secure, "SASL_SSL", "SCRAM-SHA-512", user, PASSWORD, str(self._broker.ca_file))
        self._made.append(KafkaStream(TOPIC, known, timeout_seconds=5))
        return self._made[-1]

    def close(self) -> None:
        for stream in self._made:
            stream.close()


def _binding(user: str, kind: Any, name: str, operation: Any) -> AclBinding:
    allow = AclPermissionType.ALLOW
    return AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", operation, allow)


def _done(asked: dict[Any, Any]) -> None:
    for each in asked.values():
        each.result(10)


@pytest.fixture
def users(kafka_broker: KafkaBroker) -> Iterator[Users]:
    """With the topic that they are about."""
    owner = KafkaStream(TOPIC, KafkaConnection(kafka_broker.brokers))
    owner.create(2)
    owner.close()
    made = Users(kafka_broker)
    yield made
    made.close()


def test_who_may_write_writes_and_who_may_read_reads_and_neither_does_the_other_s_part(users: Users) -> None:
    writer = users.stream_of("writes", {*permissions.CLUSTER_WRITE, *permissions.TOPIC_WRITE})
    writer.require_writable()
    put_all(writer, numbered(["a", "b", "c"]))
    may_read = {*permissions.CLUSTER_READ, *permissions.TOPIC_READ, *permissions.GROUP_READ}
    reader = users.stream_of("reads", may_read)
    assert by_key(read_all(reader)) == by_key(numbered(["a", "b", "c"]))
    assert reader.retention().days == 7
    (refused, *_) = reader.put(numbered(["d"]))
    assert refused.error is not None and "AUTHORIZATION" in refused.error
    with pytest.raises(StreamError):
        read_all(writer)
    with pytest.raises(StreamError):
        writer.retention()


@pytest.mark.parametrize("missing", ["ReadData", "DescribeTopicDynamicConfiguration", "DescribeGroup and AlterGroup"])
def test_without_one_of_its_rights_a_reader_cannot_do_its_part(missing: str, users: Users) -> None:
    writer = users.stream_of("writes", {*permissions.CLUSTER_WRITE, *permissions.TOPIC_WRITE})
    put_all(writer, numbered(["a"]))
    may_read = {*permissions.CLUSTER_READ, *permissions.TOPIC_READ, *permissions.GROUP_READ}
    without = {f"kafka-cluster:{each}" for each in missing.split(" and ")}
    reader = users.stream_of(f"without-{missing.split()[0]}", may_read - without)
    with pytest.raises(StreamError):
        assert read_all(reader) and reader.retention()
