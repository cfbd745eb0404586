"""What Kafka alone has: partitions that grow, offsets with holes, topics made anew, brokers that go and come back."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

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
from pyspark.sql import SparkSession

from event_assets.contract.records import unpack
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_IDS, RAW_EVENTS
from event_assets.pipeline.registry import step_of
from event_assets.streams import (
    EventLines,
    RetryPolicy,
    ShardPosition,
    StoredRecord,
    StreamBusy,
    StreamError,
    StreamGap,
    StreamNotFound,
    StreamReader,
    StreamRecord,
    StreamWriter,
)
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection, SaslMechanism
from event_assets_tests.emulators.kafka import PASSWORD, USER, KafkaBroker, kafka
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import Pipeline
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


@pytest.mark.release
def test_partitions_may_be_added_in_traffic(make_topic: MakeTopic, admin: AdminClient) -> None:
    stream = make_topic(1)
    sent: list[StreamRecord] = []
    unsure: list[StreamRecord] = []
    enough = threading.Event()

    def send(thread: int) -> None:
        writer = StreamWriter(stream, RetryPolicy(attempts=1))  # else what a slow broker took may be sent once more
        for number in itertools.count():
            if enough.is_set():
                return
            records = numbered([f"user-{thread}-{key}" for key in range(10)], 10 * number)
            for record, result in zip(records, writer.write(records), strict=True):
                (sent if result.error is None else unsure).append(record)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    checkpoint: dict[str, ShardPosition] = {}
    read: list[StoredRecord] = []

    def read_on() -> None:
        with contextlib.suppress(StreamBusy):  # a partition that was added has no leader for a moment
            for batch in StreamReader(stream).read_new(checkpoint.copy()):
                read.extend(batch.records)
                checkpoint[batch.shard_id] = batch.position

    for partitions in (3, 6):
        admin.create_partitions([NewPartitions(stream.name, partitions)])[stream.name].result()
        while len({record.shard_id for record in read}) < partitions:
            assert all(thread.is_alive() for thread in threads), "a sender ended"
            read_on()
    enough.set()
    for thread in threads:
        thread.join()
    read += read_all(stream, checkpoint)
    taken = Counter((each.partition_key, each.data) for each in read)
    doubted = Counter((key, data) for key, data in unsure)
    assert taken - doubted == Counter((key, data) for key, data in sent)


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


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_tls_and_a_password_let_in_and_a_wrong_one_names_the_settings(
    kafka_broker: KafkaBroker, mechanism: SaslMechanism
) -> None:
    secured = KafkaConnection(
        kafka_broker.secure_brokers, "SASL_SSL", mechanism, USER, PASSWORD, str(kafka_broker.ca_file)
    )
    stream = KafkaStream(f"secured-{mechanism}", secured)
    stream.create(1)
    put_all(stream, numbered(KEYS))
    assert by_key(read_all(stream)) == by_key(numbered(KEYS))
    stream.close()
    for wrong in (secured._replace(password="wrong"), secured._replace(ca_file=None)):
        stranger = KafkaStream(stream.name, wrong, timeout_seconds=2)
        with pytest.raises(StreamError, match="EVENT_ASSETS_KAFKA_S"):
            stranger.shards()
        stranger.close()


def test_msk_gets_a_token_that_the_credentials_in_force_sign_for_the_cluster_s_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests")
    settings = KafkaConnection("b:9098", "SASL_SSL", "AWS_MSK_IAM", region="eu-central-1").settings()
    assert (settings["security.protocol"], settings["sasl.mechanism"]) == ("SASL_SSL", "OAUTHBEARER")
    token, expires = settings["oauth_cb"]("")
    signed = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    asked = {name: values[0] for name, values in parse_qs(signed.query).items()}
    assert signed.hostname == "kafka.eu-central-1.amazonaws.com" and asked["Action"] == "kafka-cluster:Connect"
    assert (
        asked["X-Amz-Credential"].startswith("AKIDOFTESTS/")
        and "/eu-central-1/kafka-cluster/" in asked["X-Amz-Credential"]
    )
    assert 0 < expires - time.time() <= 900 and "a-secret-of-tests" not in str(signed)


def test_a_broker_killed_in_traffic_loses_no_event_and_no_event_counts_twice(
    tmp_path: Path, spark: SparkSession
) -> None:
    pipeline = Pipeline(spark, tmp_path / "pipeline")
    (tmp_path / "broker").mkdir()
    with kafka(tmp_path / "broker") as broker:
        pipeline.stream = stream = KafkaStream("events", KafkaConnection(broker.brokers), timeout_seconds=5)
        stream.create(3)
        acknowledged: list[str] = []
        unsure: list[str] = []
        ended = threading.Event()

        def send(thread: int) -> None:
            writer = StreamWriter(stream)
            for number in itertools.count():
                if ended.is_set():
                    return
                name = f"{thread}.{number}"
                told = json.dumps(event(event_id=name, anonymous_id=f"user-{thread}-{number % 5}")).encode()
                failed = writer.write_events([EventLines([f"user-{thread}-{number % 5}"], [told])])
                (unsure if failed else acknowledged).append(name)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for target in (300, 600, 900):
            while len(acknowledged) < target:
                ended.wait(0.05)
            step_of(RAW_EVENTS).run(pipeline.refresh())
            broker.kill()
            broker.start()
        ended.set()
        for thread in threads:
            thread.join()
        for table in (RAW_EVENTS, CLEAN_EVENTS, EVENT_IDS, ENRICHED_EVENTS):
            step_of(table).run(pipeline.refresh())
        on_stream = Counter(json.loads(line)["event_id"] for record in read_all(stream) for line in unpack(record.data))
        stream.close()
    counted = Counter(row["event_id"] for row in pipeline.rows(ENRICHED_EVENTS.name))
    assert set(acknowledged) <= counted.keys() <= {*acknowledged, *unsure}
    assert set(counted.values()) == {1} and counted.keys() == on_stream.keys()
    repeated = [name for name, count in on_stream.items() if count > 1 and name not in unsure]
    assert len(repeated) <= 3 * len(threads), "only what was on its way when the broker went may be there twice"
