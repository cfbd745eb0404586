"""Which gaps the list of shards alone shows."""

from __future__ import annotations

from event_assets.streams import Shard, ShardPosition
from event_assets.streams.position import lost_shards


def shard(name: str, *parents: str, trimmed_through: str | None = None) -> Shard:
    return Shard(name, parents, False, "0001", None, trimmed_through)


def test_a_shard_that_is_gone_before_its_child_was_begun_is_a_gap() -> None:
    checkpoint = {"a": ShardPosition("0005"), "b": ShardPosition("0006")}
    (gap,) = lost_shards([shard("b"), shard("c", "a")], checkpoint)
    assert (gap.shard_id, gap.expected_after, gap.trim_horizon) == ("a", "0005", None)


def test_a_shard_that_is_gone_after_its_child_was_begun_is_none() -> None:
    checkpoint = {"a": ShardPosition("0005"), "c": ShardPosition("0007")}
    assert lost_shards([shard("b"), shard("c", "a")], checkpoint) == []


def test_a_shard_that_was_read_to_its_end_may_go() -> None:
    assert lost_shards([shard("c", "a")], {"a": ShardPosition("0005", ended=True)}) == []


def test_a_shard_whose_children_are_gone_too_was_left_behind_if_reading_went_on() -> None:
    checkpoint = {"a": ShardPosition("0005"), "d": ShardPosition("0009")}
    assert lost_shards([shard("d", "c")], checkpoint) == []


def test_a_checkpoint_of_which_no_shard_is_left_is_a_gap() -> None:
    checkpoint = {"a": ShardPosition("0005"), "b": ShardPosition("0006")}
    assert [gap.shard_id for gap in lost_shards([shard("z")], checkpoint)] == ["a", "b"]


def test_a_shard_that_was_trimmed_before_it_was_ever_read_is_a_gap() -> None:
    checkpoint = {"a": ShardPosition("0005")}
    assert lost_shards([shard("a"), shard("b", trimmed_through="0004")], checkpoint) == []
    (gap,) = lost_shards([shard("a"), shard("b", trimmed_through="0006")], checkpoint)
    assert gap.shard_id == "b"


def test_a_new_reader_has_no_gap() -> None:
    assert lost_shards([shard("a", trimmed_through="0006")], {}) == []
