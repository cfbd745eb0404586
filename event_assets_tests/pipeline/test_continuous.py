"""A streaming query of Spark's over a topic of Kafka brings every event once into the lake, wherever it is killed."""

from __future__ import annotations

import functools
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.records import unpack
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, RAW_EVENTS
from event_assets.pipeline import land
from event_assets.pipeline.continuous import Continuous, TakeIn
from event_assets.pipeline.run import GivenRules
from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.engines import CONNECTOR
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.pipeline.test_streaming import put, topic

pytestmark = [
    pytest.mark.spark_jvm,
    pytest.mark.skipif(not CONNECTOR.exists(), reason="Spark's connector is not there; run: make build/spark-kafka"),
]


@pytest.fixture
def pipeline(apache_spark: SparkSession, kafka_broker: KafkaBroker, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(apache_spark, tmp_path)
    made.stream = topic(kafka_broker)
    made.stream.create(3)
    yield made
    made.stream.close()


def query(pipeline: Pipeline, **how: Any) -> Continuous:
    run = pipeline.refresh()
    assert isinstance(run.rules, GivenRules)
    return Continuous(run, run.rules, pipeline.stream, 90, **how)


def ids(pipeline: Pipeline, table: str) -> Counter[str]:
    return Counter(row["event_id"] for row in pipeline.rows(table))


def landed(pipeline: Pipeline) -> Counter[str]:
    rows = pipeline.lake.table(RAW_EVENTS.name).snapshot().arrow()["data"].to_pylist()
    return Counter(json.loads(line)["event_id"] for data in rows for line in unpack(data))


def test_each_event_comes_once_to_enriched_events_however_often_the_query_is_started(pipeline: Pipeline) -> None:
    put(pipeline, 0, 40)
    done = [*query(pipeline, ends=True).stay()]
    assert sum(batch.records for batch in done) == 40
    assert [*query(pipeline, ends=True).stay()] == []
    put(pipeline, 40, 60)
    land.land_step(pipeline.refresh())  # by somebody else meanwhile, who does not clean it
    put(pipeline, 60, 64)
    assert sum(batch.records for batch in query(pipeline, ends=True).stay()) == 4
    for table in (CLEAN_EVENTS, ENRICHED_EVENTS):
        assert ids(pipeline, table.name) == Counter(map(str, range(64))), table.name
    assert landed(pipeline) == Counter(map(str, range(64)))


def test_a_query_whose_client_is_gone_ends_when_another_is_started(pipeline: Pipeline) -> None:
    put(pipeline, 0, 10)
    forgotten = query(pipeline)
    lives = forgotten.stay()
    assert next(lives).records == 10
    newer = query(pipeline)
    living = newer.stay()
    put(pipeline, 10, 20)
    assert next(living).records == 10
    with pytest.raises(PySparkException, match="Superseded"):
        for _ in lives:
            pass
    living.close()  # type: ignore[attr-defined]
    assert landed(pipeline) == ids(pipeline, ENRICHED_EVENTS.name) == Counter(map(str, range(20)))


@dataclass(frozen=True)
class Deadly(TakeIn):
    """Its process is killed at a commit that a file beside the lake names: the table, and before or after it."""

    def __call__(self, batch: DataFrame, number: int) -> None:
        order = Path(self.storage.path()).parent / "kill"
        commit = DeltaTable.create_write_transaction

        @functools.wraps(commit)
        def deadly(table: DeltaTable, *asked: Any, **more: Any) -> None:
            here = order.read_text().split() if order.exists() else []
            is_here = bool(here) and table.table_uri.rstrip("/").rpartition("/")[2] == here[0]
            if is_here and here[1] == "before":
                order.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            commit(table, *asked, **more)
            if is_here:
                order.unlink()
                os.kill(os.getpid(), signal.SIGKILL)

        DeltaTable.create_write_transaction = deadly  # type: ignore[assignment, method-assign]
        try:
            super().__call__(batch, number)
        finally:
            DeltaTable.create_write_transaction = commit  # type: ignore[method-assign]


def everywhere(pipeline: Pipeline) -> list[Counter[str]]:
    return [landed(pipeline), ids(pipeline, CLEAN_EVENTS.name), ids(pipeline, ENRICHED_EVENTS.name)]


def kill_again_and_again(pipeline: Pipeline, kills: list[tuple[str, str]], folder: Path) -> None:
    """Sends events, and has the query over them killed at each of these commits; then all are there once."""
    sent, order = 0, folder / "kill"
    for table, when in kills:
        put(pipeline, sent, sent + 30)
        sent += 30
        order.write_text(f"{table} {when}")
        while order.exists():  # whatever else ends a query on a machine at its limit, it is killed once
            assert not ends_by_itself(query(pipeline, ends=True, take_in=Deadly)), f"nothing was committed to {table}"
    take_in_all(pipeline)
    assert everywhere(pipeline) == [Counter(map(str, range(sent)))] * 3


def take_in_all(pipeline: Pipeline) -> None:
    """By a query, and by another wherever a machine at its limit breaks one off."""
    while not ends_by_itself(query(pipeline, ends=True)):
        pass


def ends_by_itself(query: Continuous) -> bool:
    """Whether a query does all that is there. It is broken off where Spark's Python is killed, or takes longer to start
    than Spark waits ("Python worker exited unexpectedly", "… failed to connect back"); by nothing else."""
    try:
        for _ in query.stay():
            pass
    except PySparkException as broken:
        if "Python worker" not in str(broken):
            raise
        return False
    return True


_TWO = [(RAW_EVENTS.name, "before"), (RAW_EVENTS.name, "after")]
_TEN = [
    (name, when)
    for name in ("raw_events", "clean_events", "event_ids", "enriched_events")
    for when in ("before", "after")
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [pytest.param(_TWO, id="2"), pytest.param([*_TEN, *_TWO], id="10", marks=pytest.mark.release)]
)
def test_a_query_that_is_killed_again_and_again_loses_and_doubles_nothing(
    pipeline: Pipeline, kills: list[tuple[str, str]], tmp_path: Path
) -> None:
    kill_again_and_again(pipeline, kills, tmp_path)


def test_partitions_that_are_added_are_read_by_the_next_query_of_the_same_run(
    pipeline: Pipeline, kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

    monkeypatch.setattr("event_assets.pipeline.continuous._SHARDS_SECONDS", 0.0)
    put(pipeline, 0, 10)
    living = query(pipeline).stay()
    assert next(living).records == 10
    admin = AdminClient({"bootstrap.servers": kafka_broker.brokers})
    admin.create_partitions([NewPartitions(pipeline.stream.name, 5)])[pipeline.stream.name].result()
    while len(pipeline.stream.shards()) < 5:
        pass
    put(pipeline, 10, 40)
    seen = 0
    while seen < 30:
        seen += next(living).records
    living.close()  # type: ignore[attr-defined]
    assert landed(pipeline) == ids(pipeline, ENRICHED_EVENTS.name) == Counter(map(str, range(40)))
