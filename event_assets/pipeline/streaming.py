"""raw_events by Spark: executors read a topic of Kafka, each a partition, and write its objects.

What is landed is known by the table alone, as it is by `land.py`: a batch begins where the table is, the commit carries
its offsets, and records that the table has already are left out of a batch that is done again. It is Spark's Kafka
source asked for a batch at a time; a query that stays is `continuous.py`'s.
"""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

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
from event_assets.streams import ShardPosition, SparkReadable, StoredRecord, StreamGap
from event_assets.streams.protocol import sequence_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Written(NamedTuple):
    """An object that an executor wrote, how many events are in it, and its last record."""

    file: LakeFile
    events: int
    shard_id: str
    after: str
    arrived_at: dt.datetime


def land_step(run: Run) -> StepReport:
    """Lands everything that is on the stream now, by Spark where the stream is to be read so. Raises `StreamGap` where
    records were trimmed before they were landed."""
    with run.open_stream() as stream:
        if isinstance(stream, SparkReadable) and stream.is_read_by_spark:
            table = run.lake.table(RAW_EVENTS.name)
            base = table.snapshot()
            _land_by_spark(stream, table, run)
            return _report(base, table.snapshot())
    return land.land_step(run)


def _report(base: Snapshot, now: Snapshot) -> StepReport:
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
        land_batch(batch, table, stream.name, shards, run.rules.erasure)


def _span(stream: SparkReadable, shard_id: str, position: ShardPosition | None) -> tuple[int, int] | None:
    try:
        return stream.span(shard_id, None if position is None else position.after)
    except StreamGap:  # of which is known that nothing was in it
        return stream.span(shard_id, None)


def land_batch(batch: DataFrame, table: LakeTable, stream: str, shards: Sequence[str], erasure: ErasureRules) -> None:
    """Lands records as Spark's Kafka source gives them, in one commit; none that the table has. `shards` are those of
    the topic's partitions, in their order."""
    storage = Storage(table.storage.url, table.storage.region, table.storage.endpoint)
    columns = batch.select("partition", "offset", "key", "value", "timestamp")

    def land_rest() -> None:
        base = table.snapshot()
        # Read after the table: an erasure that this does not know yet commits to the table before it looks at it.
        erased = read_tombstones(storage, erasure)
        landed = {shard: int(at.after) for shard, at in checkpoint(base.progress, stream).items() if at.after}
        write = _Objects(storage, stream, tuple(shards), landed, erased, erasure)
        told = columns.mapInArrow(write, "written BINARY").collect()
        objects: list[Written] = sorted((pickle.loads(row["written"]) for row in told), key=lambda each: each.after)
        if not objects:
            return
        fields = dict(base.progress.positions.get(stream, {}))
        for each in objects:
            fields[each.shard_id] = {"after": each.after, "ended": False, "seen_at": each.arrived_at.isoformat()}
        progress = replace(base.progress, positions={**base.progress.positions, stream: fields})
        table.commit(base, progress, add=[each.file for each in objects])

    retry_on_conflict(land_rest)


@dataclass(frozen=True)
class _Objects:
    """Writes the objects of a task's records, which are those of a partition, in their order. It runs on executors."""

    storage: Storage
    stream: str
    shards: tuple[str, ...]
    landed: Mapping[str, int]
    erased: Tombstones
    erasure: ErasureRules

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        table = Lake(self.storage).table(RAW_EVENTS.name)
        for records in _in_objects(self._records(batches)):
            rows = rows_of(self.stream, records)
            if self.erased:
                rows = without_erased(rows, self.erased, self.erasure.placeholders)
            file = table.stage_arrow(rows, name_of(self.stream, records), partition_of(records[0]))
            last = records[-1]
            events = sum(rows.column("events").to_pylist())
            written = Written(file, events, last.shard_id, last.sequence_number, last.arrived_at)
            yield pa.record_batch({"written": pa.array([pickle.dumps(written)], pa.binary())})

    def _records(self, batches: Iterable[pa.RecordBatch]) -> Iterator[StoredRecord]:
        for batch in batches:
            for at, offset, key, data, arrived in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                shard = self.shards[at]
                if offset > self.landed.get(shard, -1):
                    text = (key or b"").decode(errors="replace")
                    yield StoredRecord(shard, sequence_text(offset), text, data or b"", arrived)


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
