"""Reads what is new on a stream after a checkpoint: parents before children, every record once, no gap unseen.

Keeps no checkpoint itself: what has been read is known where the records are written to.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from event_assets.streams.parts import WHOLE, ShardPart
from event_assets.streams.position import BEGINNING, ShardPosition, lost_shards, was_finished
from event_assets.streams.protocol import EventStream, ReadResult, Shard, StoredRecord, StreamGap


class ReadBatch(NamedTuple):
    """Consecutive records of one shard, at least one, and the position that follows them. `cut`: limits end the reading
    of the shard here, and not its tip."""

    shard_id: str
    records: list[StoredRecord]
    position: ShardPosition
    cut: bool = False


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class ReadLimits(NamedTuple):
    """How much to read: of each shard in all, and at a time; and of how many shards at once."""

    shard_records: int = 200_000
    shard_bytes: int = 1_000_000_000
    batch_records: int = 10_000
    batch_bytes: int = 10_000_000
    shards_at_once: int = 8


DEFAULT_LIMITS = ReadLimits()


class StreamReader:
    """Walks the shards of a stream, or those of a part. `clock` gives the time in UTC."""

    def __init__(self, stream: EventStream, clock: Callable[[], dt.datetime] = _now, part: ShardPart = WHOLE) -> None:
        self.stream = stream
        self._clock = clock
        self._part = part
        self._walk: _Walk | None = None

    def has_looked_at(self, shard_id: str) -> bool:
        """Whether the last `read_new` has read this shard, or had nothing to read of it: it ended, or is listed no
        more."""
        return self._walk is not None and self._walk.has_looked_at(shard_id)

    def has_new(self, checkpoint: Mapping[str, ShardPosition]) -> bool:
        """Whether `read_new` would give a record or raise `StreamGap`. Cheap: for sensors."""
        shards = self.stream.shards()
        return bool(lost_shards(shards, checkpoint) or self.some_new(shards, checkpoint))

    def some_new(self, shards: list[Shard], checkpoint: Mapping[str, ShardPosition]) -> list[str]:
        """Those of the stream's shards of which `read_new` would give a record or raise `StreamGap`: not all of them,
        but those of the first few asked of which one would. Empty where none does."""
        asked = [id_ for id_ in sorted(self._part.of(shards)) if not checkpoint.get(id_, BEGINNING).ended]

        def has_new(shard_id: str) -> bool:
            position = checkpoint.get(shard_id, BEGINNING)
            return self._has_new(shard_id, position, lambda: was_finished(shard_id, shards, checkpoint))

        at_once = DEFAULT_LIMITS.shards_at_once
        with ThreadPoolExecutor(at_once, "shards") as readers:
            for start in range(0, len(asked), at_once):
                few = asked[start : start + at_once]
                if found := [id_ for id_, is_new in zip(few, readers.map(has_new, few), strict=True) if is_new]:
                    return found
        return []

    def _has_new(self, shard_id: str, position: ShardPosition, was_finished: Callable[[], bool]) -> bool:
        try:
            return self.stream.has_records_after(shard_id, position.after)
        except StreamGap:
            if was_finished() or self._was_quiet(position):
                return self.stream.has_records_after(shard_id, None)
            return True

    def gap_after(
        self,
        shard_id: str,
        position: ShardPosition,
        shards: list[Shard],
        checkpoint: Mapping[str, ShardPosition],
    ) -> StreamGap | None:
        """The gap at which `read_new` would stop in this shard, if there is one."""
        try:
            self.stream.has_records_after(shard_id, position.after)
        except StreamGap as gap:
            if not (was_finished(shard_id, shards, checkpoint) or self._was_quiet(position)):
                return gap
        return None

    def read_new(
        self,
        checkpoint: Mapping[str, ShardPosition],
        *,
        until: dt.datetime | None = None,
        limits: ReadLimits = DEFAULT_LIMITS,
        on_gap: Callable[[StreamGap], None] | None = None,
    ) -> Iterator[ReadBatch]:
        """Everything on the stream after the checkpoint, in batches of one shard each.

        A shard gives nothing before its parents were read to their end; shards take turns, and some are read at once.
        An open shard is left at its tip, or at the first batch that ends with a record which arrived at `until` or
        later (now, by default: the walk ends even while others write); a closed one at its end; any when its limits are
        reached (the last batch may exceed the bytes by one record). Shards that a reshard makes meanwhile are read too.
        Raises `StreamGap` at the first shard that lost records after the checkpoint; with `on_gap`, calls it instead
        and goes on with the oldest record there is.
        """
        shards = self.stream.shards()
        for gap in lost_shards(shards, checkpoint):
            _report(gap, on_gap)
        walk = self._walk = _Walk(shards, self._part, checkpoint, until or self._clock(), limits)
        under_way: deque[tuple[str, tuple[int, int], Future[ReadResult]]] = deque()
        with ThreadPoolExecutor(limits.shards_at_once, "shards") as readers:
            while True:
                while len(under_way) < limits.shards_at_once and (ready := walk.next_shard()) is not None:
                    after, amount = walk.position(ready).after, walk.amount(ready)
                    under_way.append((ready, amount, readers.submit(self.stream.read, ready, after, *amount)))
                if not under_way:
                    return
                shard_id, amount, reading = under_way.popleft()
                try:
                    result = reading.result()
                except StreamGap as gap:
                    finished = was_finished(shard_id, shards, checkpoint)
                    if not (finished or self._was_quiet(walk.position(shard_id))):
                        _report(gap, on_gap)
                    result = self.stream.read(shard_id, None, *amount)
                cut = walk.advance(shard_id, result)
                if result.shard_ended:
                    walk.discover(self.stream.shards())
                if result.records:
                    yield ReadBatch(shard_id, result.records, walk.position(shard_id), cut)

    def _was_quiet(self, position: ShardPosition) -> bool:
        """Whether all that arrived before `seen_at` was read, and all that arrived since is kept."""
        return position.seen_at is not None and position.seen_at >= self._clock() - self.stream.retention()


def _report(gap: StreamGap, on_gap: Callable[[StreamGap], None] | None) -> None:
    if on_gap is None:
        raise gap
    on_gap(gap)


class _Walk:
    """Which shard comes next (all whose parents have ended, in turn) and how much of it."""

    def __init__(
        self,
        shards: list[Shard],
        part: ShardPart,
        checkpoint: Mapping[str, ShardPosition],
        until: dt.datetime,
        limits: ReadLimits,
    ) -> None:
        self._part = part
        self._until = until
        self._limits = limits
        self._positions = dict(checkpoint)
        self._records: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._ready: deque[str] = deque()
        self._found: set[str] = set()
        self._closed: set[str] = set()
        self._listed: set[str] = set()
        self.discover(shards)

    def discover(self, shards: list[Shard]) -> None:
        """Take up shards that are not yet walked and whose parents have ended or are no longer listed."""
        listed, mine = {shard.shard_id for shard in shards}, self._part.of(shards)
        self._listed |= listed
        self._closed = {shard.shard_id for shard in shards if shard.closed}
        for shard in shards:
            if shard.shard_id not in mine or shard.shard_id in self._found or self.position(shard.shard_id).ended:
                continue
            if all(self.position(parent).ended for parent in shard.parents if parent in listed):
                self._found.add(shard.shard_id)
                self._ready.append(shard.shard_id)

    def has_looked_at(self, shard_id: str) -> bool:
        return shard_id in self._found or self.position(shard_id).ended or shard_id not in self._listed

    def next_shard(self) -> str | None:
        return self._ready.popleft() if self._ready else None

    def position(self, shard_id: str) -> ShardPosition:
        return self._positions.get(shard_id, BEGINNING)

    def amount(self, shard_id: str) -> tuple[int, int]:
        """Most records and bytes to read next."""
        return (
            min(self._limits.batch_records, self._limits.shard_records - self._records[shard_id]),
            min(self._limits.batch_bytes, self._limits.shard_bytes - self._bytes[shard_id]),
        )

    def advance(self, shard_id: str, result: ReadResult) -> bool:
        """Take note of what was read, and queue the shard again if it has more to give. Whether limits forbid that."""
        records = result.records
        after = records[-1].sequence_number if records else self.position(shard_id).after
        self._positions[shard_id] = ShardPosition(after, result.shard_ended)
        self._records[shard_id] += len(records)
        self._bytes[shard_id] += sum(len(record.data) for record in records)
        beyond = bool(records) and records[-1].arrived_at >= self._until
        # A closed shard has an end to be reached, of which Kinesis may tell on a page of its own.
        done = result.shard_ended or (shard_id not in self._closed and (result.at_tip or beyond))
        if done:
            return False
        if min(self.amount(shard_id)) <= 0:
            return True
        self._ready.append(shard_id)
        return False
