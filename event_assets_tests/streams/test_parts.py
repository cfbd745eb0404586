"""However a stream was resharded, its parts hold every shard once, no shard without its parents, and alike many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from event_assets.streams import Shard, ShardPart
from event_assets.streams.protocol import HASH_KEYS
from event_assets_tests.examples import examples


def shard(number: int, first_hash: int, parents: tuple[int, ...] = (), closed: bool = False) -> Shard:
    names = tuple(f"s{parent}" for parent in parents)
    return Shard(f"s{number}", names, closed, "0", "9" if closed else None, first_hash=first_hash)


@st.composite
def listings(draw: st.DrawFn) -> list[Shard]:
    """A stream after some splits and merges, of which the oldest shards are listed no more."""
    count = draw(st.integers(1, 8))
    shards = [shard(number, HASH_KEYS * number // count) for number in range(count)]
    for _ in range(draw(st.integers(0, 8))):
        still_open = sorted((each for each in shards if not each.closed), key=lambda each: each.first_hash)
        at = draw(st.integers(0, len(still_open) - 1))
        one, numbers = still_open[at], (len(shards), len(shards) + 1)
        if draw(st.booleans()):
            ended, begun = (
                [one],
                [shard(n, one.first_hash + i, (int(one.shard_id[1:]),)) for i, n in enumerate(numbers)],
            )
        elif at + 1 < len(still_open):
            other = still_open[at + 1]
            parents = (int(one.shard_id[1:]), int(other.shard_id[1:]))
            ended, begun = [one, other], [shard(numbers[0], one.first_hash, parents)]
        else:
            continue
        shards = [each._replace(closed=True) if each in ended else each for each in shards] + begun
    forgotten = draw(st.integers(0, sum(each.closed for each in shards)))
    gone = {each.shard_id for each in [each for each in shards if each.closed][:forgotten]}
    return [each for each in shards if each.shard_id not in gone]


@examples(50)
@given(shards=listings(), parts=st.integers(1, 5))
def test_every_shard_is_of_one_part_and_so_are_those_that_follow_from_it(shards: list[Shard], parts: int) -> None:
    held = [ShardPart(number, parts).of(shards) for number in range(parts)]
    assert sorted(id_ for part in held for id_ in part) == sorted(each.shard_id for each in shards)
    of = {id_: number for number, part in enumerate(held) for id_ in part}
    assert all(of[each.shard_id] == of[parent] for each in shards for parent in each.parents if parent in of)


def test_parts_of_shards_that_were_never_divided_are_ranges_of_the_same_size() -> None:
    shards = [shard(number, number) for number in range(8)]
    held = [sorted(ShardPart(number, 3).of(shards)) for number in range(3)]
    assert held == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6", "s7"]]
