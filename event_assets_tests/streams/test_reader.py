"""Several shards are read at once; what is read of each, and in which order, every stream's contract says."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from event_assets.streams import ReadLimits, ShardPart, StreamReader
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.protocol import ReadResult
from event_assets_tests.streams.reading import by_key, numbered, put_all

PATIENCE = 60.0


class Meeting(EmbeddedStream):
    """A log that answers once so many ask."""

    def __init__(self, path: Path, asking: int) -> None:
        super().__init__(path, "events")
        self.create(asking)
        self._all_ask = threading.Barrier(asking)

    def read(self, *asked: Any, **more: Any) -> ReadResult:
        self._all_ask.wait(PATIENCE)
        return super().read(*asked, **more)

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        self._all_ask.wait(PATIENCE)
        return super().has_records_after(shard_id, after)


@pytest.fixture
def stream(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path / "stream.db", 4)


def test_shards_are_read_at_once(stream: Meeting) -> None:
    records = numbered(f"key-{number}" for number in range(40))
    put_all(stream, records)
    found = [record for batch in StreamReader(stream).read_new({}) for record in batch.records]
    assert by_key(found) == by_key(records)


def test_whether_there_is_something_new_is_asked_of_shards_at_once(stream: Meeting) -> None:
    assert not StreamReader(stream).has_new({})
    put_all(stream, numbered(["key"]))
    assert StreamReader(stream).has_new({})


class Counting(EmbeddedStream):
    """A log that counts of how many shards it was asked whether they hold more."""

    asked = 0

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        self.asked += 1
        return super().has_records_after(shard_id, after)


def test_where_many_shards_hold_something_few_of_them_are_asked(tmp_path: Path) -> None:
    stream = Counting(tmp_path / "stream.db", "events")
    stream.create(60)
    reader, shards = StreamReader(stream), stream.shards()
    assert reader.some_new(shards, {}) == [] and stream.asked == 60
    put_all(stream, numbered(f"key-{number}" for number in range(2_000)))
    stream.asked = 0
    found = reader.some_new(shards, {})
    assert found and len(found) <= stream.asked < 20
    assert {*found} <= {shard.shard_id for shard in shards}
    stream.close()


def test_no_more_are_read_at_once_than_is_asked_for(stream: Meeting) -> None:
    put_all(stream, numbered(f"key-{number}" for number in range(40)))
    stream._all_ask = threading.Barrier(2)
    batches = [*StreamReader(stream).read_new({}, limits=ReadLimits(shards_at_once=2))]
    assert len({batch.shard_id for batch in batches}) == 4


def test_a_part_reads_its_own_shards_and_knows_of_which_it_has_looked(tmp_path: Path) -> None:
    stream = EmbeddedStream(tmp_path / "parts.db", "events")
    stream.create(4)
    records = numbered(f"key-{number}" for number in range(40))
    put_all(stream, records)
    stream.split(stream.shards()[0].shard_id)
    put_all(stream, numbered((f"key-{number}" for number in range(40)), 40))
    readers = [StreamReader(stream, part=ShardPart(number, 2)) for number in range(2)]
    found = [{record.data for batch in reader.read_new({}) for record in batch.records} for reader in readers]
    assert all(found) and not found[0] & found[1] and len(found[0] | found[1]) == 80
    for shard in stream.shards():
        assert [reader.has_looked_at(shard.shard_id) for reader in readers].count(True) == 1
    assert readers[0].has_looked_at("shardId-of-long-ago")
    first = {batch.shard_id: batch.position for batch in readers[0].read_new({})}
    assert not readers[0].has_new(first) and readers[1].has_new(first)
    stream.close()
