"""raw_events: copies what is new on the stream to objects named by stream, shard, first and last sequence number.

The table's own commit log is the checkpoint: objects and positions become visible in one commit, or not at all. The
same range of a shard always gives the same name, so a repeat overwrites itself.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import pyarrow as pa

from event_assets.contract.erasure import IsErased, Known, Owner, erased_in_record, without_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.records import count_events
from event_assets.contract.tables.events import CLEAN_EVENTS, RAW_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import CommitConflict, LakeTable, retry_on_conflict
from event_assets.lake.tip import tip
from event_assets.lake.tombstones import Tombstones, read_tombstones
from event_assets.pipeline.pending_changes import pending_changes
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.pipeline.telling import Traced, tell_landed, traced_share
from event_assets.streams import (
    EventStream,
    ReadBatch,
    ReadLimits,
    ShardPart,
    ShardPosition,
    StoredRecord,
    StreamReader,
)
from event_assets.streams.position import BEGINNING

LAND_CODE = "2"
"""Version of the code that lands; raise it when the rows it gives change."""
OBJECT_BYTES = 64_000_000
"""Size at which the next object of a shard starts."""
HELD_BYTES = 512_000_000
"""Bytes that wait at the most for more of their shard, of all shards together: then those of the shard that has the
most become an object."""
ERASED_KEY = "erased"
"""Partition key of a record whose key was an erased person's."""
_OBJECT = re.compile(r"(\.erased-[0-9a-f]+)?(\.crc32-[0-9a-f]{8})?\.parquet$")
_PAUSE = 0.2
"""Seconds at most, after another has committed."""
QUIET = dt.timedelta(hours=1)
"""How often it is noted that a quiet stream holds nothing unread, so that its trimmed records are not taken for
lost."""


def checkpoint(progress: Progress, stream: str) -> dict[str, ShardPosition]:
    """How far the stream was landed, shard by shard."""
    return {
        shard: ShardPosition(
            fields["after"],
            fields["ended"],
            dt.datetime.fromisoformat(fields["seen_at"]) if fields["seen_at"] else None,
        )
        for shard, fields in progress.positions.get(stream, {}).items()
    }


def land_step(run: Run) -> StepReport:
    """Lands everything that is on the stream now. Raises `StreamGap` where records were trimmed before they were
    landed."""
    table = run.lake.table(RAW_EVENTS.name)
    with run.open_stream() as stream:
        return retry_on_conflict(lambda: _land(stream, table, run.rules, run.part))


def _land(stream: EventStream, table: LakeTable, rules: Rules, part: ShardPart) -> StepReport:
    base = table.snapshot()
    # Read after the table: an erasure that this does not know yet commits to the table before it looks at it.
    erased = read_tombstones(table.storage, rules.erasure)
    started = dt.datetime.now(dt.UTC)
    before = checkpoint(base.progress, stream.name)
    positions = dict(before)
    files: list[LakeFile] = []
    events = 0
    oldest: dt.datetime | None = None
    reader = StreamReader(stream, part=part)
    batches = reader.read_new(before, until=started, limits=ReadLimits(shard_records=rules.max_records_per_run))
    left: dict[str, dt.datetime] = {}
    traced = Traced(stream.name, traced_share())
    for shard_records in _objects(batches, positions, left):
        rows = rows_of(stream.name, shard_records)
        traced.note(shard_records)
        if erased:
            rows = without_erased(rows, erased, rules.erasure.placeholders)
        files.append(table.stage_arrow(rows, name_of(stream.name, shard_records), partition_of(shard_records[0])))
        events += sum(rows.column("events").to_pylist())
        oldest = min(filter(None, (oldest, shard_records[0].arrived_at)))
    positions = {shard: at for shard, at in positions.items() if reader.has_looked_at(shard)}
    before = {shard: at for shard, at in before.items() if shard in positions}
    if not files and not _is_worth_noting(before, positions, started):
        return report_of(base, more={"events": 0})

    def still_holds() -> bool:
        return erased == read_tombstones(table.storage, rules.erasure)

    fields = _as_fields(positions, started, left)
    version = _commit(base, stream.name, before, fields, files, still_holds)
    tell_landed(traced.found)
    more = {"events": events, "oldest_arrived_at": str(oldest)} if oldest else {"events": events}
    return report_of(table.at(version), files, more=more)


def _commit(
    base: Snapshot,
    stream: str,
    before: Mapping[str, ShardPosition],
    fields: Mapping[str, Mapping[str, Any]],
    files: Sequence[LakeFile],
    still_holds: Callable[[], bool],
) -> int:
    """Commits what was landed after the positions `before`; gives the version. Where others came first who landed other
    shards, or put files together, nothing is read again. Raises `CommitConflict` where these shards are landed by
    another, or who is erased does not hold any more."""
    table, id_ = base.table, base.id
    while True:
        of_stream = {**base.progress.positions.get(stream, {}), **fields}
        progress = replace(base.progress, positions={**base.progress.positions, stream: of_stream})
        try:
            return table.commit(base, progress, add=files)
        except CommitConflict:
            base = table.snapshot()
            now = checkpoint(base.progress, stream)
            others = any(now.get(shard, BEGINNING)[:2] != before.get(shard, BEGINNING)[:2] for shard in fields)
            if base.id != id_ or others or not still_holds():
                raise
            time.sleep(random.uniform(0, _PAUSE))


def without_erased(rows: pa.Table, erased: Tombstones, none: Placeholders) -> pa.Table:
    places: dict[int, list[int]] = {}
    for row, line, _ in erased_in(rows, erased.is_erased, none):
        places.setdefault(row, []).append(line)
    return without_events(rows, places, erased.is_erased)[0] if places else rows


def has_new(run: Run) -> bool:
    """Whether the stream holds something that is not landed."""
    progress = tip(run.lake.table(RAW_EVENTS.name)).progress
    with run.open_stream() as stream:
        return StreamReader(stream, part=run.part).has_new(checkpoint(progress, stream.name))


def others_have_landed(run: Run) -> bool:
    """Whether runs that land other parts of the stream have landed what is not cleaned yet."""
    if run.part.parts == 1:
        return False
    clean = tip(run.lake.table(CLEAN_EVENTS.name)).progress
    return bool(pending_changes(tip(run.lake.table(RAW_EVENTS.name)), clean).dates)


def _objects(
    batches: Iterator[ReadBatch], positions: dict[str, ShardPosition], left: dict[str, dt.datetime]
) -> Iterator[list[StoredRecord]]:
    """The records of each object: of one shard, one hour of arrival, and not too large. Notes how far each shard was
    read, and of those that more is `left` of when the last record arrived that was."""
    waiting: dict[str, list[StoredRecord]] = {}
    sizes: dict[str, int] = {}
    for batch in batches:
        positions[batch.shard_id] = batch.position
        if batch.cut:
            left[batch.shard_id] = batch.records[-1].arrived_at
        held = waiting.pop(batch.shard_id, []) + batch.records
        *full, last = _split(held)
        yield from full
        waiting[batch.shard_id], sizes[batch.shard_id] = last, _size(last)
        while sum(sizes.values()) > HELD_BYTES:
            largest = max(sizes, key=sizes.__getitem__)
            del sizes[largest]
            yield waiting.pop(largest)
    yield from waiting.values()


def _size(records: Iterable[StoredRecord]) -> int:
    return sum(len(record.data) for record in records)


def _split(records: list[StoredRecord]) -> list[list[StoredRecord]]:
    parts: list[list[StoredRecord]] = []
    for _, group in groupby(records, key=hour_of):
        part: list[StoredRecord] = []
        size = 0
        for record in group:
            if part and size + len(record.data) > OBJECT_BYTES:
                parts.append(part)
                part, size = [], 0
            part.append(record)
            size += len(record.data)
        parts.append(part)
    return parts


def hour_of(record: StoredRecord) -> str:
    return record.arrived_at.astimezone(dt.UTC).strftime("%Y-%m-%d %H")


def partition_of(record: StoredRecord) -> dict[str, str]:
    arrived = record.arrived_at.astimezone(dt.UTC)
    return {"arrival_date": str(arrived.date()), "arrival_hour": str(arrived.hour)}


def name_of(stream: str, records: list[StoredRecord]) -> str:
    first, last = records[0], records[-1]
    return f"{stream}-{first.shard_id}-{int(first.sequence_number)}-{int(last.sequence_number)}"


def name_of_object(file: LakeFile) -> str:
    """The name of an object as it was landed: stream, shard, first and last sequence number."""
    return _OBJECT.sub("", file.path.rpartition("/")[2])


def rows_of(stream: str, records: list[StoredRecord]) -> pa.Table:
    arrived = records[0].arrived_at.astimezone(dt.UTC)
    count = len(records)
    return pa.table(
        {
            "arrival_date": [arrived.date()] * count,
            "arrival_hour": [arrived.hour] * count,
            "arrived_at": [record.arrived_at for record in records],
            "stream": [stream] * count,
            "shard_id": [record.shard_id for record in records],
            "sequence_number": [record.sequence_number for record in records],
            "partition_key": [record.partition_key for record in records],
            "data": [record.data for record in records],
            "events": [count_events(record.data) for record in records],
            "erased": [None] * count,
        },
        schema=RAW_EVENTS.arrow_schema(),
    )


def erased_in(
    rows: pa.Table, is_erased: IsErased, none: Placeholders, among: Sequence[int] | None = None
) -> list[tuple[int, int, Owner]]:
    """Where rows of RAW_EVENTS, or those `among` them, hold events that are to be erased (row and line), and whose they
    are."""
    chosen = rows if among is None else rows.take(pa.array(among, pa.int64()))
    columns = (chosen[name].to_pylist() for name in ("data", "partition_key", "arrived_at"))
    known: Known = {}
    return [
        (row, line, owner)
        for row, data, key, at in zip(range(rows.num_rows) if among is None else among, *columns, strict=True)
        for line, owner in erased_in_record(data, key, at, is_erased, none, known)
    ]


def without_events(rows: pa.Table, places: Mapping[int, Collection[int]], is_erased: IsErased) -> tuple[pa.Table, int]:
    """The rows of RAW_EVENTS with placeholders for events that are to be erased, the lines of each row; and how many
    went.

    A partition key of which all events went, or that is of somebody who was erased, names nobody any more.
    """
    keys, data, erased = (rows[name].to_pylist() for name in ("partition_key", "data", "erased"))
    arrived, events = rows["arrived_at"].to_pylist(), rows["events"].to_pylist()
    count = 0
    for row, lines in places.items():
        data[row], gone = without_lines(data[row], lines)
        erased[row] = (erased[row] or 0) + gone
        count += gone
        if erased[row] >= events[row] or _names_erased(keys[row], arrived[row], is_erased):
            keys[row] = ERASED_KEY
    for name, values in (("partition_key", keys), ("data", data), ("erased", erased)):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), pa.array(values, rows.schema.field(place).type))
    return rows, count


def _names_erased(key: str, at: dt.datetime, is_erased: IsErased) -> bool:
    return is_erased(Owner(key, None, at)) or is_erased(Owner(None, key, at))


def _is_worth_noting(before: Mapping[str, ShardPosition], after: Mapping[str, ShardPosition], now: dt.datetime) -> bool:
    seen = [position.seen_at for position in before.values()]
    return before != after or any(at is None or now - at > QUIET for at in seen)


def _as_fields(
    positions: Mapping[str, ShardPosition], started: dt.datetime, left: Mapping[str, dt.datetime]
) -> dict[str, dict[str, Any]]:
    return {
        shard: {
            "after": position.after,
            "ended": position.ended,
            "seen_at": min(started, left.get(shard, started)).isoformat(),
        }
        for shard, position in positions.items()
    }
