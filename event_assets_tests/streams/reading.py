"""What several tests of streams do: put by key, read all, and compare per key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from event_assets.streams import EventStream, ShardPosition, StoredRecord, StreamReader, StreamRecord


def numbered(keys: Iterable[str], start: int = 0) -> list[StreamRecord]:
    """One record per key, whose data is its number."""
    return [StreamRecord(key, str(number).encode()) for number, key in enumerate(keys, start)]


def put_all(stream: EventStream, records: list[StreamRecord]) -> None:
    assert [result.error for result in stream.put(records) if result.error] == []


def read_all(stream: EventStream, checkpoint: dict[str, ShardPosition] | None = None) -> list[StoredRecord]:
    """Everything after the checkpoint, which is moved on."""
    checkpoint = {} if checkpoint is None else checkpoint
    records: list[StoredRecord] = []
    for batch in StreamReader(stream).read_new(checkpoint.copy()):
        records.extend(batch.records)
        checkpoint[batch.shard_id] = batch.position
    return records


def by_key(records: Iterable[StreamRecord | StoredRecord]) -> dict[str, list[bytes]]:
    found = defaultdict(list)
    for record in records:
        found[record.partition_key].append(record.data)
    return dict(found)
