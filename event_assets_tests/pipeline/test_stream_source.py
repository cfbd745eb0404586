"""The source of Spark's over shards gives every record, parents first, and notes what is quiet or has ended; and by a
streaming query over the embedded log or Kinesis each event comes once, wherever it is killed."""

from __future__ import annotations

import base64
import datetime as dt
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.streaming.datasource import ReadAllAvailable, SupportsTriggerAvailableNow

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline import land, stream_source
from event_assets.pipeline.land import checkpoint
from event_assets.pipeline.stream_source import EventStreamSource, source_of
from event_assets.settings import Settings
from event_assets.streams import EventStream, StreamError, StreamGap
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.kinesis import KinesisStream
from event_assets.telemetry.process import telling, tracing
from event_assets.telemetry.traces import Place, open_traces
from event_assets_tests.emulators.otlp import otlp
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_continuous import everywhere, kill_again_and_again, query, take_in_all
from event_assets_tests.pipeline.test_streaming import put
from event_assets_tests.streams.reading import numbered, put_all
from event_assets_tests.telemetry.telling import Lines

RETENTION = dt.timedelta(hours=1)
on_spark = pytest.mark.spark_jvm


class Clock:
    """So many seconds before or after the machine's."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Source:
    """The source as Spark asks it, without Spark: a micro-batch at a time, landed by its rows' sequence numbers."""

    def __init__(self, stream: EmbeddedStream, lake: Lake, most: int = 1_000) -> None:
        self.stream, self.lake = stream, lake
        options = source_of(stream, lake.storage, [], {}, most).options
        reader = EventStreamSource(dict(options)).streamReader(None)
        assert isinstance(reader, stream_source._Shards)
        self.reader = reader
        self.reader.stream = stream
        self.offset = self.reader.initialOffset()

    def micro_batch(self) -> list[dict[str, Any]]:
        """Its rows; none where there is none."""
        end = self.reader.latestOffset(self.offset, ReadAllAvailable())
        parts = self.reader.partitions(self.offset, end)
        assert bool(parts) == (end != self.offset)
        self.offset = end
        return [row for part in parts for batch in self.reader.read(part) for row in batch.to_pylist()]

    def land(self, rows: list[dict[str, Any]]) -> None:
        """Commits the positions that rows tell, as `land_batch` does; their records are not kept."""
        table = self.lake.table(RAW_EVENTS.name)
        base = table.snapshot()
        fields = dict(base.progress.positions.get(self.stream.name, {}))
        for row in rows:
            before = fields.get(row["shard_id"], {"after": None})
            at = row["seen_at"] or row["arrived_at"]
            after = row["sequence_number"] or before["after"]
            fields[row["shard_id"]] = {"after": after, "ended": row["ended"], "seen_at": at.isoformat()}
        table.commit(base, replace(base.progress, positions={self.stream.name: fields}))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Storage(str(tmp_path / "lake")))


@pytest.fixture
def log(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStream]:
    """A log of two shards, and a source that looks as often as it is asked."""
    monkeypatch.setattr(stream_source, "LOOK_SECONDS", 0.0)
    stream = EmbeddedStream(tmp_path / "stream.db", "events", retention=RETENTION, clock=clock)
    stream.create(2)
    yield stream
    stream.close()


def data_of(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(int(row["data"]) for row in rows if row["data"] is not None)


def test_each_micro_batch_gives_what_is_not_landed_and_a_repeated_one_the_same(log: EmbeddedStream, lake: Lake) -> None:
    source = Source(log, lake)
    put_all(log, numbered(f"k{n}" for n in range(30)))
    first = source.micro_batch()
    assert data_of(first) == [*range(30)] and {row["shard_id"] for row in first} == {s.shard_id for s in log.shards()}
    assert data_of(source.micro_batch()) == [*range(30)], "nothing was committed"
    source.land(first)
    assert source.micro_batch() == []
    put_all(log, numbered((f"k{n}" for n in range(5)), 30))
    assert data_of(source.micro_batch()) == [*range(30, 35)]
    assert data_of(Source(log, lake).micro_batch()) == [*range(30, 35)], "another source begins where the table is"


def test_a_micro_batch_has_no_more_of_a_shard_than_is_asked_for(log: EmbeddedStream, lake: Lake) -> None:
    source = Source(log, lake, most=4)
    put_all(log, numbered(f"k{n}" for n in range(30)))
    seen: list[int] = []
    while rows := source.micro_batch():
        assert max(Counter(row["shard_id"] for row in rows).values()) <= 4
        source.land(rows)
        seen += data_of(rows)
    assert sorted(seen) == [*range(30)]


def test_children_are_begun_once_their_parents_are_known_to_have_ended(log: EmbeddedStream, lake: Lake) -> None:
    source, parent = Source(log, lake, most=8), log.shards()[0].shard_id
    put_all(log, numbered(f"k{n}" for n in range(40)))
    log.split(parent)
    put_all(log, numbered((f"k{n}" for n in range(40)), 40))
    children = {shard.shard_id for shard in log.shards() if parent in shard.parents}
    seen: list[int] = []
    has_ended = False
    while rows := source.micro_batch():
        shards = {row["shard_id"] for row in rows}
        assert has_ended or not shards & children
        has_ended |= any(row["ended"] for row in rows if row["shard_id"] == parent)
        source.land(rows)
        seen += data_of(rows)
    assert sorted(seen) == [*range(80)] and has_ended
    positions = checkpoint(lake.table(RAW_EVENTS.name).snapshot().progress, log.name)
    assert positions[parent].ended and positions.keys() == {shard.shard_id for shard in log.shards()}


def test_a_quiet_shard_is_noted_hourly_so_that_its_trimmed_records_are_no_gap(
    log: EmbeddedStream, lake: Lake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(log, lake)
    clock.ahead = -3_000
    put_all(log, numbered(f"k{n}" for n in range(10)))
    source.land(source.micro_batch())
    clock.ahead = 700
    assert log.trim() == 10
    put_all(log, numbered(["k"], 10))
    rows = source.micro_batch()
    assert data_of(rows) == [10]
    source.land(rows)
    assert source.micro_batch() == []
    monkeypatch.setattr(stream_source, "QUIET", dt.timedelta(0))
    noted = source.micro_batch()
    assert len(noted) == 2 and data_of(noted) == [] and all(row["seen_at"] for row in noted)


def test_records_that_were_trimmed_unread_stop_the_source(log: EmbeddedStream, lake: Lake, clock: Clock) -> None:
    source = Source(log, lake, most=2)
    clock.ahead = -3_700
    put_all(log, numbered(["k"] * 6))
    source.land(source.micro_batch())
    clock.ahead = 0
    log.trim()
    with pytest.raises(StreamGap):
        source.micro_batch()


def test_what_came_after_a_query_for_what_is_there_began_is_left(log: EmbeddedStream, lake: Lake, clock: Clock) -> None:
    source = Source(log, lake)
    assert isinstance(source.reader, SupportsTriggerAvailableNow)
    put_all(log, numbered(f"k{n}" for n in range(10)))
    source.reader.prepareForTriggerAvailableNow()
    rows = source.micro_batch()
    source.land(rows)
    clock.ahead = 60
    put_all(log, numbered(["k"], 10))
    assert data_of(rows) == [*range(10)] and source.micro_batch() == []


def test_streams_are_opened_anew_in_another_process_and_say_nothing_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    kinesis = KinesisStream("events", region="eu-central-1", endpoint_url="http://127.0.0.1:1")
    option = source_of(kinesis, Storage(str(tmp_path)), [], {}, 1).options["shards"]
    assert b"very-secret" not in base64.b64decode(option)
    log = EmbeddedStream(tmp_path / "stream.db", "events", retention=RETENTION)
    log.create(3)
    again: EmbeddedStream = pickle.loads(pickle.dumps(log))
    assert again.shards() == log.shards() and (again.name, again.retention()) == ("events", RETENTION)
    assert pickle.loads(pickle.dumps(kinesis)).name == "events"


def test_the_embedded_engine_says_that_a_streaming_query_needs_apache_spark(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(StreamError, match="needs Apache Spark: EVENT_ASSETS_SPARK_REMOTE=sc://"):
        next(query(Pipeline(spark, tmp_path)).stay())


@pytest.fixture
def pipeline(apache_spark: SparkSession, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(apache_spark, tmp_path)
    yield made
    made.stream.close()


@on_spark
def test_from_the_embedded_log_each_event_comes_once_whoever_else_lands_and_whatever_is_resharded(
    pipeline: Pipeline,
) -> None:
    put(pipeline, 0, 30)
    take_in_all(pipeline)
    assert everywhere(pipeline) == [Counter(map(str, range(30)))] * 3
    pipeline.stream.split(pipeline.stream.shards()[0].shard_id)
    put(pipeline, 30, 50)
    land.land_step(pipeline.refresh())  # by somebody else meanwhile, who does not clean it
    put(pipeline, 50, 60)
    take_in_all(pipeline)
    assert everywhere(pipeline) == [Counter(map(str, range(60)))] * 3
    assert [*query(pipeline, ends=True).stay()] == []


@on_spark
def test_what_a_micro_batch_tells_of_itself_is_told_by_its_query_s_client(pipeline: Pipeline) -> None:
    lines = Lines()
    with otlp() as collector:
        way = open_traces(Settings(otlp_endpoint=collector.url, trace_share=1.0), "stream")
        assert way is not None
        with telling(lines.meter), tracing(way):
            put(pipeline, 0, 6)
            pipeline.put([b"no event"])
            take_in_all(pipeline)
        lines.meter.flush()
        way.flush()
    told = {name: sum(line.get(name, 0) for line in lines.lines) for name in COUNTS}
    assert told == dict(zip(COUNTS, (7, 6), strict=True))
    assert {"LandingSeconds", "StepSeconds"} <= {name for line in lines.lines for name in line}
    records = [Place(pipeline.stream.name, shard, number).ids for shard, number in on(pipeline.stream)]
    names = {"land raw_events", "refresh clean_events", "refresh enriched_events"}
    for trace_id, span_id in records:
        spans = [span for span in collector.spans if int(span.trace_id, 16) == trace_id]
        assert names <= {span.name for span in spans} and {int(span.parent_id, 16) for span in spans} == {span_id}
    assert len({span.trace_id for span in collector.spans}) == len(records) == 7


COUNTS = ("EventsLanded", "EventsCleaned")


def on(stream: EventStream) -> Iterator[tuple[str, str]]:
    """Shard and number of every record."""
    for shard in stream.shards():
        for record in stream.read(shard.shard_id, None, 100).records:
            yield shard.shard_id, record.sequence_number


_RAW = [(RAW_EVENTS.name, when) for when in ("before", "after")]
_ALL = [(n, when) for n in ("clean_events", "event_ids", "enriched_events") for when in ("before", "after")]


@on_spark
@pytest.mark.slow
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(_RAW, id="2", marks=pytest.mark.release),
        pytest.param([*_RAW, *_ALL, *_RAW], id="10", marks=pytest.mark.release),
    ],
)
def test_a_query_over_the_embedded_log_that_is_killed_again_and_again_loses_and_doubles_nothing(
    pipeline: Pipeline, kills: list[tuple[str, str]], tmp_path: Path
) -> None:
    kill_again_and_again(pipeline, kills, tmp_path)


@on_spark
@pytest.mark.slow
@pytest.mark.release
def test_a_query_over_kinesis_that_is_killed_and_resharded_loses_and_doubles_nothing(
    pipeline: Pipeline, kinesis_emulator: str, tmp_path: Path
) -> None:
    pipeline.stream.close()
    pipeline.stream = KinesisStream("streaming-query", endpoint_url=kinesis_emulator)
    pipeline.stream.create(2)
    kill_again_and_again(pipeline, _RAW, tmp_path)
    pipeline.stream.split(pipeline.stream.shards()[0].shard_id)
    put(pipeline, 60, 80)
    take_in_all(pipeline)
    assert everywhere(pipeline) == [Counter(map(str, range(80)))] * 3


def test_a_run_goes_on_where_a_query_was(log: EmbeddedStream, lake: Lake) -> None:
    source = Source(log, lake)
    put_all(log, numbered(f"k{n}" for n in range(10)))
    source.land(source.micro_batch())
    put_all(log, numbered(["k"], 10))
    land.land_step(a_run(lake, None, stream=log))
    assert lake.table(RAW_EVENTS.name).snapshot().rows == 1
