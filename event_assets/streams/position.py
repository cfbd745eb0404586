"""How far the shards of a stream have been read, and which of them were trimmed before anybody read them.

Pure: reads no stream. A gap inside a shard that has been begun is found by reading it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from event_assets.streams.protocol import Shard, StreamGap


class ShardPosition(NamedTuple):
    """How far a shard has been read.

    `after`: sequence number of the last record read, None if none was. `ended`: the shard was read to its end.
    `seen_at`: a time (UTC) before which nothing arrived that was left to read after `after`, if known. It tells a quiet
    shard, whose last read record has been trimmed, from one that lost records.
    """

    after: str | None = None
    ended: bool = False
    seen_at: dt.datetime | None = None


BEGINNING = ShardPosition()


def was_finished(shard_id: str, shards: list[Shard], checkpoint: Mapping[str, ShardPosition]) -> bool:
    """Whether the checkpoint shows that a shard was read to its end: a child of it was begun."""
    return any(shard_id in shard.parents and shard.shard_id in checkpoint for shard in shards)


def lost_shards(shards: list[Shard], checkpoint: Mapping[str, ShardPosition]) -> list[StreamGap]:
    """The gaps that the list of shards alone shows: shards that are gone, and unread shards that were trimmed."""
    return _vanished(shards, checkpoint) + _overtaken(shards, checkpoint)


def _vanished(shards: list[Shard], checkpoint: Mapping[str, ShardPosition]) -> list[StreamGap]:
    """Shards of the checkpoint that are gone and may have held more than was read.

    A stream forgets a closed shard once its records are past retention. It was read to its end if it says so, or
    if a child of it was begun; the children may be gone as well, then any shard of the checkpoint that is still
    there shows that reading went on after it.
    """
    listed = {shard.shard_id for shard in shards}
    begun = listed & checkpoint.keys()
    gaps = []
    for shard_id, position in checkpoint.items():
        if shard_id in listed or position.ended or position.after is None:
            continue
        children = {shard.shard_id for shard in shards if shard_id in shard.parents}
        if not begun or (children and not children & begun):
            gaps.append(StreamGap(shard_id, position.after, None))
    return gaps


def _overtaken(shards: list[Shard], checkpoint: Mapping[str, ShardPosition]) -> list[StreamGap]:
    """Shards that lost records after reading had begun elsewhere, and that were never read.

    What was trimmed before the earliest position of the checkpoint was gone when reading began: no gap.
    """
    begun = [position.after for position in checkpoint.values() if position.after is not None]
    return [
        StreamGap(shard.shard_id, min(begun), None)
        for shard in shards
        if shard.shard_id not in checkpoint and shard.trimmed_through and begun and shard.trimmed_through > min(begun)
    ]
