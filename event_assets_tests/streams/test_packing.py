"""Packing: as few records as the shards and their size allow, each event where its own key belongs, in its order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.records import RECORD_BYTES, Encoding, unpack
from event_assets.streams import EventLines, Shard, ShardMap, pack_events
from event_assets.streams.protocol import HASH_KEYS, hash_key

starts = st.lists(st.integers(0, HASH_KEYS - 1), max_size=20, unique=True).map(lambda some: sorted({0, *some}))


def shard_map(starts: list[int], closed: tuple[int, ...] = ()) -> ShardMap:
    open_ones = [Shard(f"open-{start}", (), False, "0", None, first_hash=start) for start in starts]
    return ShardMap(open_ones + [Shard(f"closed-{start}", (), True, "0", "1", first_hash=start) for start in closed])


def place(starts: list[int], key: str) -> int:
    return max(index for index, start in enumerate(starts) if start <= hash_key(key))


@given(starts, st.text())
def test_a_record_goes_where_each_of_its_keys_would_go_alone(starts: list[int], key: str) -> None:
    record_key = shard_map(starts).record_key(key)
    assert place(starts, record_key) == place(starts, key)


@pytest.mark.parametrize("shards", [1, 2, 4, 100, 400])
def test_shards_of_one_size_have_a_key_each_that_is_nobodys(shards: int) -> None:
    of_size = shard_map([HASH_KEYS * number // shards for number in range(shards)])
    found = {of_size.record_key(f"user-{number}") for number in range(20 * shards)}
    assert len(found) == shards and all(key.isdecimal() for key in found)


def test_a_closed_shard_takes_nothing() -> None:
    half = HASH_KEYS // 2
    shards = shard_map([0, half], closed=(0, half // 2))
    assert len({shards.record_key(f"user-{number}") for number in range(50)}) == 2
    assert shards.knows(["open-0", None]) and not shards.knows(["closed-0"])


keys = st.sampled_from(["a", "b", "c", "\ud800", "ключ"])


def requests(events: list[tuple[str, bytes]], size: int = 7) -> list[EventLines]:
    """Keys and texts of events as several requests, whose lines are put together of what they share and their own."""
    made = []
    for first in range(0, len(events), size):
        some = events[first : first + size]
        made.append(EventLines([key for key, _ in some], [text[1:-1] for _, text in some], b"{", b"}"))
    return made


@given(st.lists(st.tuples(keys, st.integers(1, 90_000)), max_size=30), st.sampled_from(["zstd", "gzip", "plain"]))
def test_no_event_is_lost_or_doubled_and_those_of_a_key_keep_their_order(
    sizes: list[tuple[str, int]], encoding: Encoding
) -> None:
    events = [
        (key, b'{"key":"%s","n":%d,"pad":"%s"}' % (key.encode(errors="backslashreplace"), n, b"x" * size))
        for n, (key, size) in enumerate(sizes)
    ]
    packed = pack_events(requests(events), shard_map([0, HASH_KEYS // 2]), encoding)
    lines = [line for record, _ in packed for line in unpack(record.data)]
    assert sorted(lines) == sorted(text for _, text in events)
    for key in {key for key, _ in events}:
        mine = [text for of, text in events if of == key]
        assert [line for line in lines if line in mine] == mine
        assert {record.partition_key for record, keys in packed if key in keys} == {
            record.partition_key for record, _ in packed if set(unpack(record.data)) & set(mine)
        }


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "plain"])
def test_a_record_is_of_25_kilobytes_at_most_where_a_line_is_not_larger(encoding: Encoding) -> None:
    events = [(f"user-{n % 3}", b'{"n":%d,"pad":"%s"}' % (n, b"x" * 700)) for n in range(300)]
    for size in (7, 300):
        packed = pack_events(requests(events, size), shard_map([0]), encoding)
        assert max(len(record.data) for record, _ in packed) <= RECORD_BYTES


def test_there_are_as_many_records_as_there_is_text_and_not_as_there_are_people() -> None:
    """Five thousand people in a group of 10,000 events, of four shards: 20 events a record are the least."""
    events = [(f"person-{n % 5_000}", b'{"event_id":"%032x","n":%d}' % (hash_key(str(n)), n)) for n in range(10_000)]
    packed = pack_events(requests(events, 50), shard_map([HASH_KEYS * part // 4 for part in range(4)]))
    assert len(packed) <= len(events) / 20
    assert sum(len(unpack(record.data)) for record, _ in packed) == len(events)
