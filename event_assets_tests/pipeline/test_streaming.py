"""A topic of Kafka that Spark's executors read is landed like by a run: every record once, whatever is repeated."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.records import unpack
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_IDS, RAW_EVENTS
from event_assets.lake.table import LakeTable
from event_assets.pipeline import land
from event_assets.pipeline.registry import step_of
from event_assets.pipeline.streaming import land_batch, land_step, of_topic
from event_assets.streams import StreamGap, StreamRecord
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection
from event_assets_tests.emulators.kafka import PASSWORD, USER, KafkaBroker
from event_assets_tests.engines import CONNECTOR
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import Pipeline

pytestmark = [
    pytest.mark.spark_jvm,
    pytest.mark.skipif(not CONNECTOR.exists(), reason="Spark's connector is not there; run: make build/spark-kafka"),
]


def topic(broker: KafkaBroker) -> KafkaStream:
    connection = KafkaConnection(
        broker.secure_brokers, "SASL_SSL", "SCRAM-SHA-512", USER, PASSWORD, str(broker.ca_file)
    )
    return KafkaStream(f"events-{uuid.uuid4().hex}", connection, is_read_by_spark=True)


@pytest.fixture
def pipeline(apache_spark: SparkSession, kafka_broker: KafkaBroker, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(apache_spark, tmp_path)
    made.stream = topic(kafka_broker)
    made.stream.create(3)
    yield made
    made.stream.close()


def put(pipeline: Pipeline, first: int, last: int) -> None:
    for number in range(first, last):
        told = json.dumps(event(event_id=str(number), anonymous_id=f"a{number % 7}")).encode()
        pipeline.put([told], key=f"a{number % 7}")


def landed(pipeline: Pipeline) -> Counter[str]:
    rows = pipeline.lake.table(RAW_EVENTS.name).snapshot().arrow()["data"].to_pylist()
    return Counter(json.loads(line)["event_id"] for data in rows for line in unpack(data))


def land_all(pipeline: Pipeline) -> None:
    """Lands a batch of all that is on the topic, whatever is landed."""
    stream = pipeline.stream
    assert isinstance(stream, KafkaStream)
    shards = [shard.shard_id for shard in stream.shards()]
    spans = {shard: span for shard in shards if (span := stream.span(shard, None))}
    batch = pipeline.spark.read.format("kafka").options(**stream.spark_options(spans)).load()
    erasure = pipeline.refresh().rules.erasure
    land_batch(of_topic(batch, shards), pipeline.lake.table(RAW_EVENTS.name), stream.name, erasure)


def test_what_spark_lands_is_what_a_run_would_have_landed_and_follows_to_enriched_events(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    put(pipeline, 0, 40)
    (report,) = step_of(RAW_EVENTS).run(pipeline.refresh())
    assert report.more["events"] == 40 and report.new_rows == 40
    put(pipeline, 40, 60)
    (report,) = step_of(RAW_EVENTS).run(pipeline.refresh())
    assert report.more["events"] == 20
    (report,) = step_of(RAW_EVENTS).run(pipeline.refresh())
    assert report.more["events"] == 0, "nothing new is nothing to do"
    by_run = Pipeline(pipeline.spark, tmp_path / "other")
    by_run.stream = pipeline.stream
    land.land_step(by_run.refresh())
    assert by_run.rows(RAW_EVENTS.name) == pipeline.rows(RAW_EVENTS.name)
    ours, theirs = (p.lake.table(RAW_EVENTS.name).snapshot().progress.positions for p in (pipeline, by_run))
    after = [{s: at["after"] for s, at in each[pipeline.stream.name].items()} for each in (ours, theirs)]
    assert after[0] == after[1]
    for table in (CLEAN_EVENTS, EVENT_IDS, ENRICHED_EVENTS):
        step_of(table).run(pipeline.refresh())
    assert {row["event_id"] for row in pipeline.rows(ENRICHED_EVENTS.name)} == {str(number) for number in range(60)}


def test_a_batch_that_is_done_again_whole_or_after_it_was_cut_short_loses_and_doubles_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pipeline, 0, 20)
    with monkeypatch.context() as cut:
        cut.setattr(LakeTable, "commit", _killed)
        with pytest.raises(KeyboardInterrupt):
            land_all(pipeline)
    assert not landed(pipeline), "objects that no commit names are nowhere"
    for _ in range(2):
        land_all(pipeline)
        assert landed(pipeline) == Counter(map(str, range(20)))
    put(pipeline, 20, 30)
    land.land_step(pipeline.refresh())  # by somebody else meanwhile
    put(pipeline, 30, 32)
    land_all(pipeline)
    assert landed(pipeline) == Counter(map(str, range(32)))
    assert land_step(pipeline.refresh()).more["events"] == 0


def _killed(*_: Any, **__: Any) -> int:
    raise KeyboardInterrupt


def test_partitions_that_are_added_are_read_and_a_limit_bounds_a_batch(
    pipeline: Pipeline, kafka_broker: KafkaBroker
) -> None:
    from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

    put(pipeline, 0, 10)
    land_step(pipeline.refresh())
    admin = AdminClient({"bootstrap.servers": kafka_broker.brokers})
    admin.create_partitions([NewPartitions(pipeline.stream.name, 5)])[pipeline.stream.name].result()
    while len(pipeline.stream.shards()) < 5:
        pass
    put(pipeline, 10, 40)
    run = pipeline.refresh()
    object.__setattr__(run.rules, "max_records_per_run", 4)
    brought = []
    while events := land_step(run).more["events"]:
        brought.append(events)
    assert landed(pipeline) == Counter(map(str, range(40))) and len(brought) > 1 and max(brought) <= 4 * 5


def test_records_that_were_deleted_before_they_were_landed_stop_it(
    pipeline: Pipeline, kafka_broker: KafkaBroker
) -> None:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    pipeline.put_records([StreamRecord("k", b"{}")])
    land_step(pipeline.refresh())
    pipeline.put_records([StreamRecord("k", b"{}") for _ in range(5)])
    table = pipeline.lake.table(RAW_EVENTS.name)
    base = table.snapshot()
    ((shard, at),) = base.progress.positions[pipeline.stream.name].items()
    long_ago = {pipeline.stream.name: {shard: {**at, "seen_at": None}}}  # so that nothing says what was kept since
    table.commit(base, replace(base.progress, positions=long_ago))
    admin = AdminClient({"bootstrap.servers": kafka_broker.brokers})
    through = TopicPartition(pipeline.stream.name, int(shard.rpartition("p")[2]), 4)
    for done in admin.delete_records([through]).values():
        done.result()
    with pytest.raises(StreamGap):
        land_step(pipeline.refresh())
