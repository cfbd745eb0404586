"""raw_events by Spark: executors read shards, or partitions of a topic of Kafka, and write their objects.

What is landed is known by the table alone, as it is by `land.py`: a batch begins where the table is, the commit carries
its positions, and records that the table has already are left out of a batch that is done again. Of a topic it can be
Spark's Kafka source asked for a batch at a time; a query that stays is `continuous.py`'s.
"""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.lake.tombstones import ErasureRules, Tombstones, read_tombstones
from event_assets.pipeline import land
from event_assets.pipeline.land import OBJECT_BYTES, checkpoint, hour_of, name_of, partition_of, rows_of, without_erased
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.pipeline.stream_gaps import find_gaps
from event_assets.pipeline.telling import Found, Traced, tell_landed, traced_share
from event_assets.streams import ShardPosition, SparkReadable, StoredRecord, StreamGap
from event_assets.streams.protocol import SEQUENCE_DIGITS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Written(NamedTuple):
    """An object that an executor wrote, how many events are in it, and its last record."""

    file: LakeFile
    events: int
    shard_id: str
    after: str
    arrived_at: dt.datetime


class Seen(NamedTuple):
    """That a shard was read up to its tip at a time, or has `ended`."""

    shard_id: str
    at: dt.datetime
    ended: bool


class Traceable(NamedTuple):
    """Records of a task whose way is traced."""

    found: Found


def land_step(run: Run) -> StepReport:
    """Lands everything that is on the stream now, by Spark where the stream is to be read so. Raises `StreamGap` where
    records were trimmed before they were landed."""
    with run.open_stream() as stream:
        if isinstance(stream, SparkReadable) and stream.is_read_by_spark:
            table = run.lake.table(RAW_EVENTS.name)
            base = table.snapshot()
            _land_by_spark(stream, table, run)
            return landed_since(base, table.snapshot())
    return land.land_step(run)


def landed_since(base: Snapshot, now: Snapshot) -> StepReport:
    """The report of what came into the table since."""
    before = {file.path for file in base.files}
    came = [file for file in now.files if file.path not in before]
    if not came:
        return report_of(now, more={"events": 0})
    rows = now.arrow(came, ["events", "arrived_at"])
    more = {"events": pc.sum(rows["events"]).as_py(), "oldest_arrived_at": str(pc.min(rows["arrived_at"]).as_py())}
    return report_of(now, came, more=more)


def _land_by_spark(stream: SparkReadable, table: LakeTable, run: Run) -> None:
    positions = checkpoint(table.snapshot().progress, stream.name)
    for gap in find_gaps(stream, positions):
        raise gap
    listed = stream.shards()
    shards, mine = [shard.shard_id for shard in listed], run.part.of(listed)
    most = run.rules.max_records_per_run
    spans = {
        shard: (start, min(end, start + most))
        for shard in shards
        if shard in mine and (found := _span(stream, shard, positions.get(shard))) is not None
        for start, end in (found,)
    }
    if spans:
        batch = run.spark.read.format("kafka").options(**stream.spark_options(spans)).load()
        land_batch(of_topic(batch, shards), table, stream.name, run.rules.erasure)


def _span(stream: SparkReadable, shard_id: str, position: ShardPosition | None) -> tuple[int, int] | None:
    try:
        return stream.span(shard_id, None if position is None else position.after)
    except StreamGap:  # of which is known that nothing was in it
        return stream.span(shard_id, None)


def of_topic(batch: DataFrame, shards: Sequence[str]) -> DataFrame:
    """Records as Spark's Kafka source gives them, as `land_batch` takes them. `shards` are those of the topic's
    partitions, in their order."""
    names = F.array(*(F.lit(shard) for shard in shards))
    return batch.select(
        F.element_at(names, F.col("partition") + 1).alias("shard_id"),
        F.lpad(F.col("offset").cast("string"), SEQUENCE_DIGITS, "0").alias("sequence_number"),
        "key",
        F.coalesce("value", F.lit(b"")).alias("data"),
        F.col("timestamp").alias("arrived_at"),
        F.lit(None).cast("timestamp").alias("seen_at"),
        F.lit(False).alias("ended"),
    )


def land_batch(batch: DataFrame, table: LakeTable, stream: str, erasure: ErasureRules) -> None:
    """Lands records with their shards in one commit; none that the table has. A row with `seen_at` tells up to when its
    shard was read to the tip, and whether it has ended; it may be of no record."""
    storage = Storage(table.storage.url, table.storage.region, table.storage.endpoint)
    columns = batch.select("shard_id", "sequence_number", "key", "data", "arrived_at", "seen_at", "ended")

    def land_rest() -> None:
        base = table.snapshot()
        # Read after the table: an erasure that this does not know yet commits to the table before it looks at it.
        erased = read_tombstones(storage, erasure)
        before = checkpoint(base.progress, stream)
        landed = {shard: at.after for shard, at in before.items() if at.after}
        write = _Objects(storage, stream, landed, erased, erasure, traced_share())
        told = [pickle.loads(row["told"]) for row in columns.mapInArrow(write, "told BINARY").collect()]
        objects = sorted((each for each in told if isinstance(each, Written)), key=lambda each: each.after)
        if not told:
            tell_landed(())
            return
        fields = dict(base.progress.positions.get(stream, {}))
        for each in objects:
            fields[each.shard_id] = {"after": each.after, "ended": False, "seen_at": each.arrived_at.isoformat()}
        for seen in (each for each in told if isinstance(each, Seen)):
            after = fields.get(seen.shard_id, {}).get("after")
            fields[seen.shard_id] = {"after": after, "ended": seen.ended, "seen_at": seen.at.isoformat()}
        progress = replace(base.progress, positions={**base.progress.positions, stream: fields})
        table.commit(base, progress, add=[each.file for each in objects])
        tell_landed([found for each in told if isinstance(each, Traceable) for found in each.found])

    retry_on_conflict(land_rest)


@dataclass(frozen=True)
class _Objects:
    """Writes the objects of a task's records, which are those of a shard, in their order. It runs on executors."""

    storage: Storage
    stream: str
    landed: Mapping[str, str]
    erased: Tombstones
    erasure: ErasureRules
    traced_share: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        table = Lake(self.storage).table(RAW_EVENTS.name)
        seen: list[Seen] = []
        traced = Traced(self.stream, self.traced_share)
        for records in _in_objects(self._records(batches, seen)):
            rows = rows_of(self.stream, records)
            traced.note(records)
            if self.erased:
                rows = without_erased(rows, self.erased, self.erasure.placeholders)
            file = table.stage_arrow(rows, name_of(self.stream, records), partition_of(records[0]))
            last = records[-1]
            events = sum(rows.column("events").to_pylist())
            yield _told(Written(file, events, last.shard_id, last.sequence_number, last.arrived_at))
        yield from map(_told, seen)
        if traced.found:
            yield _told(Traceable(traced.found))

    def _records(self, batches: Iterable[pa.RecordBatch], seen: list[Seen]) -> Iterator[StoredRecord]:
        """The records that are not landed; takes note of what was `seen`."""
        for batch in batches:
            rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            for shard, number, key, data, at, seen_at, ended in rows:
                if seen_at is not None:
                    seen.append(Seen(shard, seen_at, ended))
                if number is not None and number > self.landed.get(shard, ""):
                    yield StoredRecord(shard, number, (key or b"").decode(errors="replace"), data, at)


def _told(what: Written | Seen | Traceable) -> pa.RecordBatch:
    return pa.record_batch({"told": pa.array([pickle.dumps(what)], pa.binary())})


def _in_objects(records: Iterable[StoredRecord]) -> Iterator[list[StoredRecord]]:
    """The records of each object: of one shard, one hour of arrival, and not too large."""
    held: list[StoredRecord] = []
    size = 0
    for record in records:
        is_other = held and (held[0].shard_id, hour_of(held[0])) != (record.shard_id, hour_of(record))
        if held and (is_other or size + len(record.data) > OBJECT_BYTES):
            yield held
            held, size = [], 0
        held.append(record)
        size += len(record.data)
    if held:
        yield held
