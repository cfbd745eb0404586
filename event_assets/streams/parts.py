"""Which of a stream's shards are whose, where several read it side by side: ranges of the hashes of keys.

Shards that follow from each other are one part's, so that nobody waits for another to come to a parent's end. Who reads
what is here a matter of speed alone: two who take the same shard for theirs are told apart where they commit. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from event_assets.streams.protocol import Shard


class ShardPart(NamedTuple):
    """The part `number` (from 0) of so many `parts`."""

    number: int = 0
    parts: int = 1

    def of(self, shards: Sequence[Shard]) -> frozenset[str]:
        """The shards of this part, by id. Of all parts each shard is in exactly one; each has as many open ones as any
        other, as far as shards that were merged allow."""
        if self.parts == 1:
            return frozenset(shard.shard_id for shard in shards)
        families = _families(shards)
        all_open = sum(not shard.closed for shard in shards) or 1
        before, mine = 0, set()
        for family in families:
            if min(before * self.parts // all_open, self.parts - 1) == self.number:
                mine |= {shard.shard_id for shard in family}
            before += sum(not shard.closed for shard in family)
        return frozenset(mine)


WHOLE = ShardPart()


def _families(shards: Sequence[Shard]) -> list[list[Shard]]:
    """Shards with their parents and children, as far as they are listed, in the order of where their hashes begin."""
    head = {shard.shard_id: shard.shard_id for shard in shards}

    def head_of(shard_id: str) -> str:
        while head[shard_id] != shard_id:
            shard_id = head[shard_id]
        return shard_id

    for shard in shards:
        for parent in shard.parents:
            if parent in head:
                head[head_of(shard.shard_id)] = head_of(parent)
    families: dict[str, list[Shard]] = {}
    for shard in sorted(shards, key=lambda each: (each.first_hash, each.shard_id)):
        families.setdefault(head_of(shard.shard_id), []).append(shard)
    return list(families.values())
