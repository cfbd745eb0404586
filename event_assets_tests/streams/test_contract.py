"""What every event stream must do: one suite for the embedded log, Kinesis over HTTP and a Kafka broker."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from event_assets.contract.records import unpack
from event_assets.streams import (
    EventLines,
    EventStream,
    ReadLimits,
    ShardPosition,
    StreamGap,
    StreamNotFound,
    StreamReader,
    StreamRecord,
    StreamWriter,
)
from event_assets_tests.streams.conftest import MakeStream
from event_assets_tests.streams.reading import by_key, numbered, put_all, read_all

KEYS = [f"user-{number % 7}" for number in range(60)]


def open_shards(stream: EventStream) -> list[str]:
    return [shard.shard_id for shard in stream.shards() if not shard.closed]


def test_records_come_back_with_their_bytes_in_the_order_of_their_key(make_stream: MakeStream) -> None:
    stream = make_stream()
    records = [*numbered(KEYS), StreamRecord("ключ", b"\x00\xff\n"), StreamRecord("empty", b"")]
    put_all(stream, records)
    assert by_key(read_all(stream)) == by_key(records)


def test_acknowledged_records_are_found_under_their_sequence_number(make_stream: MakeStream) -> None:
    stream = make_stream()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    results = stream.put(numbered(KEYS))
    stored = {(record.shard_id, record.sequence_number): record for record in read_all(stream)}
    assert {(result.shard_id, result.sequence_number) for result in results} == stored.keys()
    for record in stored.values():
        assert len(record.sequence_number) == 56 and record.sequence_number.isdecimal()
        assert before < record.arrived_at < dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
        assert record.arrived_at.utcoffset() == dt.timedelta(0)


def test_a_key_goes_to_the_shard_that_its_md5_says(make_stream: MakeStream) -> None:
    stream = make_stream(shards=2)
    names = open_shards(stream)
    for (key, _), result in zip(numbered(KEYS), stream.put(numbered(KEYS)), strict=True):
        assert result.shard_id == names[hashlib.md5(key.encode()).digest()[0] >> 7]


def test_sequence_numbers_grow_within_a_shard_from_put_to_put(make_stream: MakeStream) -> None:
    stream = make_stream(shards=1)
    numbers = [result.sequence_number for _ in range(5) for result in stream.put(numbered(KEYS))]
    stored = [record.sequence_number for record in read_all(stream)]
    assert sorted(filter(None, numbers)) == stored == sorted(set(stored))


def test_reading_after_a_sequence_number_gives_what_follows(make_stream: MakeStream) -> None:
    stream = make_stream(shards=1)
    put_all(stream, numbered(KEYS))
    (shard,) = open_shards(stream)
    records = stream.read(shard, None).records
    for index in (0, 29, 59):
        assert stream.read(shard, records[index].sequence_number).records == records[index + 1 :]


def test_a_read_keeps_to_its_bounds_and_says_that_there_is_more(make_stream: MakeStream) -> None:
    stream = make_stream(shards=1)
    put_all(stream, [StreamRecord("key", bytes([number]) * 1_000) for number in range(20)])
    (shard,) = open_shards(stream)
    by_count = stream.read(shard, None, max_records=7)
    assert (len(by_count.records), by_count.at_tip) == (7, False)
    rest = stream.read(shard, by_count.records[-1].sequence_number, max_bytes=5_500)
    assert ([record.data[0] for record in rest.records], rest.at_tip) == ([7, 8, 9, 10, 11], False)
    one = stream.read(shard, rest.records[-1].sequence_number, max_bytes=1)
    assert [record.data[0] for record in one.records] == [12]
    last = stream.read(shard, one.records[-1].sequence_number)
    assert (len(last.records), last.at_tip, last.shard_ended) == (7, True, False)


def test_an_empty_shard_is_at_its_tip(make_stream: MakeStream) -> None:
    stream = make_stream(shards=1)
    (shard,) = open_shards(stream)
    assert stream.read(shard, None) == ([], True, False)
    assert not stream.has_records_after(shard, None)


def test_new_records_are_noticed_and_read_ones_are_not(make_stream: MakeStream) -> None:
    stream = make_stream(shards=1)
    (shard,) = open_shards(stream)
    first, last = (result.sequence_number for result in stream.put(numbered(["a", "b"])))
    for _ in range(2):
        assert stream.has_records_after(shard, None)
        assert stream.has_records_after(shard, first)
        assert not stream.has_records_after(shard, last)
    put_all(stream, numbered(["c"]))
    assert stream.has_records_after(shard, last)
    assert [record.partition_key for record in stream.read(shard, last).records] == ["c"]


def test_creating_a_stream_again_keeps_its_records(make_stream: MakeStream) -> None:
    stream = make_stream(shards=2)
    put_all(stream, numbered(KEYS))
    again = make_stream(shards=3, name=stream.name)
    assert again.shards() == stream.shards()
    assert by_key(read_all(again)) == by_key(numbered(KEYS))


def test_an_unfit_record_gets_its_own_verdict_and_its_neighbours_are_kept(make_stream: MakeStream) -> None:
    stream = make_stream()
    unfit = [StreamRecord("big", bytes(1_048_577)), StreamRecord("", b"x"), StreamRecord("k" * 257, b"x")]
    results = stream.put([StreamRecord("a", b"1"), *unfit, StreamRecord("\ud800", b"x"), StreamRecord("b", b"2")])
    codes = [result.error and result.error.partition(":")[0] for result in results]
    assert codes == [None, "RecordTooLarge", *["InvalidPartitionKey"] * 3, None]
    assert by_key(read_all(stream)) == {"a": [b"1"], "b": [b"2"]}
    assert stream.put([]) == []


def test_the_largest_record_is_taken(make_stream: MakeStream) -> None:
    stream = make_stream()
    put_all(stream, [StreamRecord("key", bytes(1_048_573))])
    assert [len(record.data) for record in read_all(stream)] == [1_048_573]


def test_one_put_takes_more_records_and_bytes_than_one_request(make_stream: MakeStream) -> None:
    stream = make_stream()
    many = numbered(f"user-{number}" for number in range(1_203))
    large = [StreamRecord("large", bytes([number]) * 900_000) for number in range(14)]
    put_all(stream, many + large)
    assert by_key(read_all(stream)) == by_key(many + large)


def test_a_stream_that_is_not_there_is_named(make_stream: MakeStream) -> None:
    stream = make_stream(shards=0, name="nowhere")
    with pytest.raises(StreamNotFound, match="nowhere"):
        stream.put([StreamRecord("a", b"1")])
    with pytest.raises(StreamNotFound, match="nowhere"):
        stream.shards()
    with pytest.raises(StreamNotFound):
        make_stream().read("shardId-000000000099", None)


def test_retention_is_told(make_stream: MakeStream) -> None:
    assert make_stream().retention() >= dt.timedelta(hours=24)


def test_a_split_closes_the_parent_and_halves_its_keys(make_resharding_stream: MakeStream) -> None:
    stream = make_resharding_stream(shards=1)
    put_all(stream, numbered(KEYS))
    (parent,) = open_shards(stream)
    stream.split(parent)
    shards = {shard.shard_id: shard for shard in stream.shards()}
    children = [shard for shard in shards.values() if shard.parents]
    assert shards[parent].closed and shards[parent].last_sequence_number is not None
    assert [child.parents for child in children] == [(parent,), (parent,)]
    assert not any(child.closed for child in children)
    results = stream.put(numbered(KEYS))
    assert {result.shard_id for result in results} == {child.shard_id for child in children}
    records = stream.read(parent, None).records
    assert len(records) == 60
    last = records[-1].sequence_number
    assert not stream.has_records_after(parent, last)
    assert ([], True, True) in [stream.read(parent, last) for _ in range(3)]


def test_a_merge_has_one_child_of_both_parents(make_resharding_stream: MakeStream) -> None:
    stream = make_resharding_stream(shards=2)
    parents = open_shards(stream)
    stream.merge(*parents)
    (child,) = [shard for shard in stream.shards() if not shard.closed]
    assert child.parents == tuple(parents)
    assert {result.shard_id for result in stream.put(numbered(KEYS))} == {child.shard_id}


def test_children_are_read_after_their_parents(make_resharding_stream: MakeStream) -> None:
    stream = make_resharding_stream(shards=2)
    put_all(stream, numbered(KEYS))
    stream.split(open_shards(stream)[1])
    put_all(stream, numbered(KEYS, 100))
    stream.merge(*open_shards(stream)[:2])
    put_all(stream, numbered(KEYS, 200))
    expected = by_key([*numbered(KEYS), *numbered(KEYS, 100), *numbered(KEYS, 200)])
    assert by_key(read_all(stream)) == expected


def test_reading_goes_on_from_any_checkpoint_across_a_reshard(make_resharding_stream: MakeStream) -> None:
    stream = make_resharding_stream(shards=1)
    checkpoint: dict[str, ShardPosition] = {}
    records = []
    for number in range(4):
        put_all(stream, numbered(KEYS, 100 * number))
        if number < 2:
            stream.split(open_shards(stream)[0])
        for batch in StreamReader(stream).read_new(checkpoint, limits=ReadLimits(shard_records=17, batch_records=5)):
            records.extend(batch.records)
            checkpoint[batch.shard_id] = ShardPosition(batch.position.after)
    assert StreamReader(stream).has_new(checkpoint)
    records.extend(read_all(stream, checkpoint))
    assert not StreamReader(stream).has_new(checkpoint)
    assert read_all(stream, checkpoint) == []
    assert by_key(records) == by_key([record for number in range(4) for record in numbered(KEYS, 100 * number)])


def test_a_checkpoint_of_another_stream_is_a_gap(make_stream: MakeStream) -> None:
    old = make_stream(shards=1)
    put_all(old, numbered(KEYS))
    checkpoint: dict[str, ShardPosition] = {}
    read_all(old, checkpoint)
    time.sleep(1.1)  # the emulator numbers two streams of one second alike
    new = make_stream(shards=1)
    put_all(new, numbered(KEYS))
    assert StreamReader(new).has_new(checkpoint)
    with pytest.raises(StreamGap) as gap:
        read_all(new, checkpoint)
    assert gap.value.expected_after in {position.after for position in checkpoint.values()}


def test_records_put_from_several_threads_are_all_kept_in_order(make_stream: MakeStream) -> None:
    stream = make_stream(shards=2)

    def put_own(thread: int) -> None:
        for number in range(20):
            put_all(stream, [StreamRecord(f"thread-{thread}", str(number).encode())])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put_own, range(6)))
    assert by_key(read_all(stream)) == {
        f"thread-{thread}": [str(number).encode() for number in range(20)] for thread in range(6)
    }


def test_events_of_a_shard_are_written_in_few_records_and_each_is_in_the_shard_of_its_key(
    make_stream: MakeStream,
) -> None:
    stream = make_stream(shards=2)
    events = [b'{"user":%d,"n":%d}' % (number % 9, number) for number in range(90)]
    assert StreamWriter(stream).write_events([EventLines([f"user-{n % 9}" for n in range(90)], events)]) == {}
    stored = read_all(stream)
    assert len(stored) == 2
    alone = {result.shard_id for result in stream.put([StreamRecord("user-0", b"")])}
    (record,) = (record for record in stored if b'{"user":0,"n":0}' in unpack(record.data))
    assert {record.shard_id} == alone
    assert [line for line in unpack(record.data) if line.startswith(b'{"user":0,')] == [
        event for event in events if event.startswith(b'{"user":0,')
    ]
