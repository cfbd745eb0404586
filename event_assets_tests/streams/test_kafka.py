"""What Kafka alone has: partitions that grow, offsets with holes, topics made anew, brokers that go and come back."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from event_assets.streams import (
    ShardPosition,
    StreamBusy,
    StreamError,
    StreamGap,
    StreamNotFound,
    StreamReader,
    StreamRecord,
    StreamWriter,
)
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection
from event_assets_tests.emulators.kafka import PASSWORD, USER, KafkaBroker, kafka
from event_assets_tests.streams.reading import by_key, numbered, put_all, read_all

pytestmark = pytest.mark.slow

KEYS = [f"user-{number}" for number in range(40)]
COUNTER = itertools.count()

MakeTopic = Callable[[int], KafkaStream]


@pytest.fixture
def make_topic(kafka_broker: KafkaBroker) -> Iterator[MakeTopic]:
    opened: list[KafkaStream] = []

    def make(partitions: int) -> KafkaStream:
        opened.append(KafkaStream(f"topic-{next(COUNTER)}", KafkaConnection(kafka_broker.brokers)))
        opened[-1].create(partitions)
        return opened[-1]

    yield make
    for stream in opened:
        stream.close()


@pytest.fixture
def admin(kafka_broker: KafkaBroker) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka_broker.brokers})


def test_partitions_may_be_added_in_traffic(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(1)
    put_all(stream, numbered(KEYS))
    checkpoint: dict[str, ShardPosition] = {}
    records = read_all(stream, checkpoint)
    admin.create_partitions([NewPartitions(stream.name, 3)])[stream.name].result()
    while len(stream.shards()) < 3:
        pass
    put_all(stream, numbered(KEYS, 100))
    new = read_all(stream, checkpoint)
    assert len({record.shard_id for record in new}) == 3
    assert by_key([*records, *new]) == by_key([*numbered(KEYS), *numbered(KEYS, 100)])


def test_records_that_were_deleted_before_they_were_read_are_a_gap(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(1)
    put_all(stream, numbered(KEYS))
    (shard,) = [shard.shard_id for shard in stream.shards()]
    fifth = stream.read(shard, None).records[4].sequence_number
    admin.delete_records([TopicPartition(stream.name, 0, 20)])[TopicPartition(stream.name, 0)].result()
    with pytest.raises(StreamGap) as gap:
        stream.read(shard, fifth)
    assert (gap.value.expected_after, int(gap.value.trim_horizon or 0)) == (fifth, 20)
    assert StreamReader(stream).has_new({shard: ShardPosition(fifth)})
    read_on = stream.read(shard, f"{19:056}").records
    assert [record.data for record in read_on] == [b"%d" % number for number in range(20, 40)]


def test_a_quiet_partition_whose_records_all_went_by_age_is_no_gap(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(1)
    put_all(stream, numbered(KEYS))
    checkpoint: dict[str, ShardPosition] = {}
    read_all(stream, checkpoint)
    admin.delete_records([TopicPartition(stream.name, 0, 40)])[TopicPartition(stream.name, 0)].result()
    assert not StreamReader(stream).has_new(checkpoint)
    put_all(stream, numbered(["late"], 40))
    assert [record.data for record in read_all(stream, checkpoint)] == [b"40"]


def test_a_topic_made_anew_is_a_gap_and_is_read_from_its_beginning(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(2)
    put_all(stream, numbered(KEYS))
    checkpoint: dict[str, ShardPosition] = {}
    read_all(stream, checkpoint)
    old = stream.shards()[0].shard_id
    admin.delete_topics([stream.name])[stream.name].result()
    while _is_there(stream):
        pass
    stream.create(2)
    put_all(stream, numbered(KEYS, 100))
    with pytest.raises(StreamGap):
        read_all(stream, checkpoint)
    with pytest.raises(StreamNotFound, match="made anew"):
        stream.read(old, None)
    gaps: list[StreamGap] = []
    batches = StreamReader(stream).read_new(checkpoint, on_gap=gaps.append)
    assert by_key(record for batch in batches for record in batch.records) == by_key(numbered(KEYS, 100))
    assert gaps


def _is_there(stream: KafkaStream) -> bool:
    try:
        stream.shards()
    except StreamNotFound:
        return False
    return True


def test_what_a_transaction_took_back_is_not_read_and_its_marks_are_no_records(
    make_topic: MakeTopic, kafka_broker: KafkaBroker
) -> None:
    stream = make_topic(1)
    (shard,) = [shard.shard_id for shard in stream.shards()]
    put_all(stream, numbered(["before"]))
    other = Producer({"bootstrap.servers": kafka_broker.brokers, "transactional.id": f"other-{stream.name}"})
    other.init_transactions()
    other.begin_transaction()
    other.produce(stream.name, b"taken back", partition=0)
    other.flush()
    other.abort_transaction()
    first = stream.read(shard, None)
    assert [record.data for record in first.records] == [b"0"]
    after = first.records[-1].sequence_number
    for _ in range(2):
        assert stream.read(shard, after) == ([], True, False)
        assert not stream.has_records_after(shard, after)
    put_all(stream, numbered(["after"], 1))
    assert [record.data for record in stream.read(shard, after).records] == [b"1"]


def test_a_topic_that_a_size_limits_keeps_nothing_for_certain(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(1)
    assert stream.retention() == dt.timedelta(days=7)
    for name, value, kept in (
        ("retention.ms", "-1", dt.timedelta(days=36_500)),
        ("retention.bytes", "1000000", dt.timedelta(0)),
    ):
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, stream.name, incremental_configs=[entry])
        admin.incremental_alter_configs([resource])[resource].result()
        while stream.retention() != kept:
            pass


def test_a_topic_that_takes_no_large_records_says_which_setting_is_too_low(
    make_topic: MakeTopic, admin: AdminClient
) -> None:
    stream = make_topic(1)
    entry = ConfigEntry("max.message.bytes", "10000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, stream.name, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()
    while (result := stream.put([StreamRecord("large", bytes(20_000))])[0]).error is None:
        pass
    assert result.error.startswith("RecordTooLarge: ") and "max.message.bytes" in result.error


def test_a_cluster_out_of_reach_is_busy_and_its_records_may_be_put_again() -> None:
    stream = KafkaStream("events", KafkaConnection("127.0.0.1:9"), timeout_seconds=0.5)
    results = stream.put([StreamRecord("a", b"1"), StreamRecord("", b"2")])
    assert [result.error and result.error.partition(":")[0] for result in results] == [
        "StreamUnavailable",
        "InvalidPartitionKey",
    ]
    for asked in (stream.require_writable, stream.shards, stream.retention):
        with pytest.raises(StreamBusy):
            asked()
    stream.close()


def test_neither_splits_nor_merges_are_promised(make_topic: MakeTopic) -> None:
    stream = make_topic(2)
    one, other = [shard.shard_id for shard in stream.shards()]
    with pytest.raises(StreamError, match="--partitions N` adds some"):
        stream.split(one)
    with pytest.raises(StreamError, match="--partitions N` adds some"):
        stream.merge(one, other)


def test_tls_and_a_password_let_in_and_a_wrong_one_names_the_settings(kafka_broker: KafkaBroker) -> None:
    secured = KafkaConnection(
        kafka_broker.secure_brokers, "SASL_SSL", "PLAIN", USER, PASSWORD, str(kafka_broker.ca_file)
    )
    stream = KafkaStream("secured", secured)
    stream.create(1)
    put_all(stream, numbered(KEYS))
    assert by_key(read_all(stream)) == by_key(numbered(KEYS))
    stream.close()
    for wrong in (secured._replace(password="wrong"), secured._replace(ca_file=None)):
        stranger = KafkaStream("secured", wrong, timeout_seconds=2)
        with pytest.raises(StreamError, match="EVENT_ASSETS_KAFKA_S"):
            stranger.shards()
        stranger.close()


def test_a_broker_killed_in_traffic_loses_and_doubles_nothing_that_it_acknowledged(
    kafka_broker: KafkaBroker, tmp_path: Path
) -> None:
    with kafka(tmp_path) as broker:
        stream = KafkaStream("events", KafkaConnection(broker.brokers), timeout_seconds=5)
        stream.create(3)
        acknowledged: list[StreamRecord] = []
        unsure: list[StreamRecord] = []
        ended = threading.Event()

        def send(thread: int) -> None:
            writer = StreamWriter(stream)
            for number in itertools.count():
                if ended.is_set():
                    return
                record = StreamRecord(f"user-{thread}-{number % 5}", f"{thread}.{number}".encode())
                (result,) = writer.write([record])
                (unsure if result.error else acknowledged).append(record)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for target in (300, 600, 900):
            while len(acknowledged) < target:
                ended.wait(0.05)
            broker.kill()
            broker.start()
        ended.set()
        for thread in threads:
            thread.join()
        stored = Counter(record.data for record in read_all(stream))
        stream.close()
    assert not Counter(record.data for record in acknowledged) - stored
    assert stored.keys() <= {record.data for record in [*acknowledged, *unsure]}
    sure = {record.data for record in acknowledged}
    repeated = [data for data, count in stored.items() if count > 1 and data in sure]
    assert len(repeated) <= 3 * len(threads), "only what was on its way when the broker went may be there twice"
