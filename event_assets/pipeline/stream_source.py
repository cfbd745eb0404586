"""What a streaming query of Spark's reads a stream by: Spark's own source for a topic of Kafka, and for every other
stream one that reads its shards by the platform's own means.

That one keeps no position: a micro-batch is whatever is after the table's progress when it is planned, a task for each
shard that holds something. Its offset only counts the micro-batches. A shard is begun once its parents are known to
have ended, so that what is trimmed unread is never taken for read.
"""

from __future__ import annotations

import base64
import datetime as dt
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, SupportsTriggerAvailableNow

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tip import tip
from event_assets.pipeline.land import QUIET, checkpoint
from event_assets.pipeline.streaming import of_topic
from event_assets.streams import (
    EventStream,
    ReadLimits,
    Shard,
    ShardPosition,
    SparkReadable,
    StoredRecord,
    StreamGap,
    StreamReader,
    lost_shards,
)
from event_assets.streams.position import BEGINNING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMAT = "event_assets"
LOOK_SECONDS = 0.5
"""From one look at a stream that holds nothing new to the next: Kinesis answers five questions a second and shard."""
_SCHEMA = pa.schema(
    [
        ("shard_id", pa.string()),
        ("sequence_number", pa.string()),
        ("key", pa.binary()),
        ("data", pa.binary()),
        ("arrived_at", pa.timestamp("us", tz="UTC")),
        ("seen_at", pa.timestamp("us", tz="UTC")),
        ("ended", pa.bool_()),
    ]
)
_DDL = (
    "shard_id STRING, sequence_number STRING, key BINARY, data BINARY, arrived_at TIMESTAMP, seen_at TIMESTAMP, "
    "ended BOOLEAN"
)
_LIMITS = ReadLimits()


class QuerySource(NamedTuple):
    """A source of Spark's, its options, what makes `land_batch`'s columns of its own, and whether shards that are added
    need another query."""

    format: str
    options: Mapping[str, str]
    records: Callable[[DataFrame], DataFrame]
    has_fixed_shards: bool


def source_of(
    stream: EventStream, storage: Storage, shards: Sequence[str], positions: Mapping[str, ShardPosition], most: int
) -> QuerySource:
    """The source for a query over these shards of a stream, so many records of each in a micro-batch at the most. A gap
    was looked for before."""
    if isinstance(stream, SparkReadable):
        after = {shard: _after(stream, shard, positions.get(shard)) for shard in shards}
        options = stream.spark_stream_options(after, most)
        return QuerySource("kafka", options, partial(of_topic, shards=shards), has_fixed_shards=True)
    read = base64.b64encode(pickle.dumps(_Shards(stream, storage, most))).decode()
    return QuerySource(FORMAT, {"shards": read}, _as_they_are, has_fixed_shards=False)


def register(spark: SparkSession) -> None:
    """Makes the source known to a session."""
    spark.dataSource.register(EventStreamSource)


def _as_they_are(batch: DataFrame) -> DataFrame:
    return batch


def _after(stream: SparkReadable, shard_id: str, position: ShardPosition | None) -> int | None:
    """The number after which a query begins; None: with the oldest record. Where records are gone, none was among them
    that is not landed."""
    if position is None or position.after is None:
        return None
    try:
        stream.span(shard_id, position.after)
    except StreamGap:
        return None
    return int(position.after)


class EventStreamSource(DataSource):
    """The source, as Spark makes one by its options."""

    @classmethod
    def name(cls) -> str:
        return FORMAT

    def schema(self) -> str:
        return _DDL

    def streamReader(self, schema: Any) -> DataSourceStreamReader:  # noqa: N802 -- PySpark's name
        shards: _Shards = pickle.loads(base64.b64decode(self.options["shards"]))
        return shards


class _Due(NamedTuple):
    """A shard that is to be read, after which record, and whether it is closed."""

    shard_id: str
    after: str | None
    is_closed: bool


@dataclass
class _ShardRead(InputPartition):
    """A shard to read after a record, up to one that arrived at `until`, or to its end if it is closed."""

    shard_id: str
    after: str | None
    is_closed: bool
    until: dt.datetime


@dataclass
class _Shards(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Looks at the stream and plans in a process beside Spark's driver, and reads in those of executors."""

    stream: EventStream
    storage: Storage
    most: int
    _ends_with: dt.datetime | None = None
    _planned: Sequence[_Due] = ()
    _looked: float = float("-inf")

    def initialOffset(self) -> dict[str, int]:  # noqa: N802 -- PySpark's name
        return {"micro_batch": 0}

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 -- PySpark's name
        self._ends_with = _now()

    def latestOffset(self, start: dict[str, int], limit: ReadLimit) -> dict[str, int]:  # noqa: N802 -- PySpark's name
        """One micro-batch more, where there is something to read, or a quiet shard's time to be noted."""
        time.sleep(max(0.0, self._looked + LOOK_SECONDS - time.monotonic()))
        self._planned = self._due()
        is_due = bool(self._planned)
        self._looked = float("-inf") if is_due else time.monotonic()
        return {"micro_batch": start["micro_batch"] + is_due}

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> Sequence[_ShardRead]:
        until = self._ends_with or _now()
        return [_ShardRead(*due, until) for due in self._planned] if start != end else []

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The records of a shard. The last row tells up to when it was read, where nothing is left: that of the last
        record, or where there is none, one of its own."""
        assert isinstance(partition, _ShardRead)
        shard, after, left = partition.shard_id, partition.after, self.most
        while left > 0:
            began = _now()
            result = self.stream.read(shard, after, min(left, _LIMITS.batch_records), _LIMITS.batch_bytes)
            is_done = result.shard_ended or (result.at_tip and not partition.is_closed)
            if result.records or is_done:
                yield _batch(shard, result.records, began if is_done else None, result.shard_ended)
            if is_done:
                return
            if result.records:
                after, left = result.records[-1].sequence_number, left - len(result.records)
            if not partition.is_closed and result.records and result.records[-1].arrived_at >= partition.until:
                return

    @cached_property
    def _lake(self) -> Lake:
        return Lake(self.storage)

    def _due(self) -> list[_Due]:
        """The shards to read now. Raises `StreamGap` where records were trimmed before they were landed."""
        positions = checkpoint(tip(self._lake.table(RAW_EVENTS.name)).progress, self.stream.name)
        shards = self.stream.shards()
        for gap in lost_shards(shards, positions):
            raise gap
        with ThreadPoolExecutor(_LIMITS.shards_at_once, "shards") as looking:
            found = looking.map(partial(self._of_shard, shards, positions), _ready(shards, positions))
            return [each for each in found if each is not None]

    def _of_shard(self, shards: list[Shard], positions: Mapping[str, ShardPosition], shard: Shard) -> _Due | None:
        position = positions.get(shard.shard_id, BEGINNING)
        after = position.after
        try:
            first = self.stream.read(shard.shard_id, after, 1).records
        except StreamGap:
            gap = StreamReader(self.stream).gap_after(shard.shard_id, position, shards, positions)
            if gap is not None:
                raise gap from None
            first, after = self.stream.read(shard.shard_id, None, 1).records, None
        is_wanted = bool(first) and (self._ends_with is None or first[0].arrived_at <= self._ends_with)
        is_quiet = not first and (position.seen_at is None or _now() - position.seen_at > QUIET)
        is_over = shard.closed and not first
        return _Due(shard.shard_id, after, shard.closed) if is_wanted or is_quiet or is_over else None


def _ready(shards: Sequence[Shard], positions: Mapping[str, ShardPosition]) -> list[Shard]:
    """The shards that are not read to their end, whose parents are, or are listed no more."""
    listed = {shard.shard_id for shard in shards}
    ended = {shard_id for shard_id, position in positions.items() if position.ended}
    return [s for s in shards if s.shard_id not in ended and all(p in ended or p not in listed for p in s.parents)]


def _batch(shard_id: str, records: Sequence[StoredRecord], seen_at: dt.datetime | None, ended: bool) -> pa.RecordBatch:
    rows: list[tuple[Any, ...]] = [
        (shard_id, r.sequence_number, r.partition_key.encode(errors="replace"), r.data, r.arrived_at, None, False)
        for r in records
    ]
    last = rows.pop()[:5] if rows else (shard_id, None, None, None, None)
    columns = zip(*rows, (*last, seen_at, ended), strict=True)
    return pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
