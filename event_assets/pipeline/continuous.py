"""The continuous form on a cluster: a streaming query of Apache Spark's over the event stream, each micro-batch of
which is landed, cleaned and enriched by the lake's own commits.

How far the stream is landed is known by the table alone. A query begins where the table is, with a checkpoint of
Spark's that is made for it and forgotten with it; records that the table has are left out of a batch that is done
again, and the commit that carries records carries their positions. So neither a query that is started again, nor one
whose client was killed and that still runs, nor another process that lands the same stream loses or doubles a record.
What Spark reads a stream by is `stream_source.py`'s.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.errors import PySparkException

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.scratch import scratch_folder
from event_assets.lake.session import prepare_session
from event_assets.lake.storage import Storage
from event_assets.lake.tip import tip
from event_assets.pipeline.following import window_of
from event_assets.pipeline.land import checkpoint
from event_assets.pipeline.registry import steps_of
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.stream_gaps import find_gaps
from event_assets.pipeline.stream_source import register, source_of
from event_assets.pipeline.streaming import land_batch, landed_since
from event_assets.pipeline.telling import telling_step, traced_share
from event_assets.streams import EventStream, StreamError
from event_assets.telemetry.metrics import STREAM_GAPS
from event_assets.telemetry.process import meter
from event_assets.telemetry.relay import Relay, tell_on

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.listener import StreamingQueryProgress
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

_QUERIES = "streaming"
"""Where it stands which query is the newest of a stream."""
_STARTS = 20
_TOO_SLOW = "Python worker failed to connect back"
_LOOK_SECONDS = 1
_SHARDS_SECONDS = 10.0
"""How often it is looked whether a topic has more partitions."""
_OF_APACHE_SPARK = "spark.app.id"
"""A setting that a session of Apache Spark's has, and one of the embedded engine has not."""


class Superseded(RuntimeError):
    """A newer query lands the stream."""


class Batch(NamedTuple):
    """A micro-batch that was done: its number in its query, how many records Spark read, and in how many seconds."""

    number: int
    records: int
    seconds: float


@dataclass(frozen=True)
class TakeIn:
    """What the query does with a micro-batch. It runs in a process of Python beside Spark's Connect server."""

    storage: Storage
    stream: str
    records: Callable[[DataFrame], DataFrame]
    table_id: str
    query: str
    rules: GivenRules
    backdate_days: int
    told: str
    traced_share: float

    def __call__(self, batch: DataFrame, number: int) -> None:
        """Raises `Superseded`, and `StreamError` where the table is another than the query began with. What it tells is
        left in the folder `told` for the query's client, whose output is read."""
        relay = Relay(self.traced_share)
        try:
            with relay.listening():
                self._take_in(batch)
        finally:
            self.storage.replace(_left(self.told, number), relay.taken())

    def _take_in(self, batch: DataFrame) -> None:
        lake, spark = Lake(self.storage), batch.sparkSession
        if newest_query(self.storage, self.stream) != self.query:
            raise Superseded(f"Another query lands {self.stream} since.")
        prepare_session(spark)
        table = lake.table(RAW_EVENTS.name)
        if table.snapshot().id != self.table_id:
            raise StreamError(
                f"{RAW_EVENTS.name} was made anew: what was landed of {self.stream} has to be found again."
            )
        with telling_step(RAW_EVENTS.name) as tell:
            base = table.snapshot()
            land_batch(self.records(batch), table, self.stream, self.rules.erasure)
            tell([landed_since(base, table.snapshot())])
        run = Run(lake, self.rules, _no_stream, lambda: spark)
        for step in steps_of("seconds"):
            if RAW_EVENTS not in step.tables:
                step.run(replace(run, window=window_of(lake, step, self.backdate_days)))


def _no_stream() -> Any:
    raise StreamError("A micro-batch brings its records; the stream is not read beside it.")


def newest_query(storage: Storage, stream: str) -> str:
    """The query that was started last over a stream; empty where none was."""
    try:
        return str(json.loads(storage.read(_place(stream)))["query"])
    except FileNotFoundError:
        return ""


def _left(folder: str, number: int) -> str:
    return f"{folder}/{number}.json"


def _place(stream: str) -> str:
    return f"{_QUERIES}/{stream}.json"


@dataclass(frozen=True)
class Continuous:
    """The query over a stream. `ends` is whether it ends with what is there, `is_over` ends it at
    once; `every_seconds` is from one micro-batch to the next, 0: as soon as the one before is done."""

    run: Run
    rules: GivenRules
    stream: EventStream
    backdate_days: int
    ends: bool = False
    is_over: Callable[[], bool] = lambda: False
    every_seconds: float = 0.0
    take_in: type[TakeIn] = TakeIn

    def stay(self) -> Iterator[Batch]:
        """Gives each micro-batch once it was done. Raises `StreamError` where the engine is not Apache Spark,
        `StreamGap` where records were trimmed before they were landed, and what a micro-batch raises, in Spark's
        words."""
        require_apache_spark(self.run.spark)
        while True:
            shards = tuple(shard.shard_id for shard in self.stream.shards())
            yield from self._of_query(shards)
            if self.ends or self.is_over():
                return

    def _of_query(self, shards: tuple[str, ...]) -> Iterator[Batch]:
        """The micro-batches of one query: until it ended, or the stream has other shards."""
        scratch, told = scratch_folder(), scratch_folder()
        query, has_fixed_shards = self._start(shards, scratch, told)
        last, look_at = -1, time.monotonic() + _SHARDS_SECONDS
        try:
            while not self.is_over():
                has_ended = query.awaitTermination(_LOOK_SECONDS)
                done = [*map(_batch, query.recentProgress)]
                for batch in done:
                    if batch.number > last and batch.records:
                        self._tell_on(told, batch.number)
                        yield batch
                last = max((batch.number for batch in done), default=last)
                if has_ended:
                    return
                if has_fixed_shards and time.monotonic() >= look_at:
                    look_at = time.monotonic() + _SHARDS_SECONDS
                    if len(self.stream.shards()) != len(shards):
                        return
        finally:
            query.stop()
            self._tell_on(told, last + 1)  # of the one that failed, or was done meanwhile
            for folder in (scratch, told):
                self.run.lake.storage.delete_folder(folder)

    def _tell_on(self, told: str, number: int) -> None:
        """What a micro-batch told, it told where nobody reads it: here it is told."""
        with suppress(FileNotFoundError):
            tell_on(self.run.lake.storage.read(_left(told, number)))

    def _start(self, shards: tuple[str, ...], scratch: str, told: str) -> tuple[StreamingQuery, bool]:
        """The query, and whether it has to make room for another where shards are added."""
        lake, name = self.run.lake, self.stream.name
        table = lake.table(RAW_EVENTS.name)
        base = tip(table)
        positions = checkpoint(base.progress, name)
        for gap in find_gaps(self.stream, positions):
            meter().count(STREAM_GAPS)
            meter().flush()
            raise gap
        source = source_of(self.stream, lake.storage, shards, positions, self.rules.max_records_per_run)
        register(self.run.spark)
        query = uuid.uuid4().hex
        for folder in (_QUERIES, told):
            lake.storage.make_folder(folder)
        lake.storage.replace(_place(name), json.dumps({"query": query}).encode())
        do = self.take_in(
            lake.storage,
            name,
            source.records,
            base.id,
            query,
            self.rules,
            self.backdate_days,
            told,
            traced_share(),
        )
        records = self.run.spark.readStream.format(source.format).options(**source.options)
        writer = records.load().writeStream.foreachBatch(do)
        writer = writer.option("checkpointLocation", lake.storage.uri(scratch))
        if self.ends:
            return _started(writer.trigger(availableNow=True)), source.has_fixed_shards
        return _started(writer.trigger(processingTime=f"{self.every_seconds} seconds")), source.has_fixed_shards


def _started(writer: DataStreamWriter) -> StreamingQuery:
    """The query. Spark gives the Python beside it ten seconds to start, too few on a busy machine."""
    for _ in range(_STARTS - 1):
        try:
            return writer.start()
        except PySparkException as error:
            if _TOO_SLOW not in str(error):
                raise
    return writer.start()


def require_apache_spark(spark: SparkSession) -> None:
    """Returns where the engine can do a streaming query. Raises `StreamError`."""
    if _OF_APACHE_SPARK not in spark.conf.getAll:
        raise StreamError(
            "A streaming query needs Apache Spark: EVENT_ASSETS_SPARK_REMOTE=sc://host:port. Sail hands on no "
            "micro-batches; with it the run of new events stays with the stream by itself."
        )


def _batch(told: StreamingQueryProgress) -> Batch:
    records = sum(source.numInputRows or 0 for source in told.sources)  # Spark Connect leaves the sum out
    return Batch(int(told.batchId), records, told.durationMs.get("triggerExecution", 0) / 1000)
