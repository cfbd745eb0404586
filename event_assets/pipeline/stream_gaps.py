"""Gaps between what is landed and what the stream still holds: found, and passed where somebody says that the loss is
known. No record is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.pipeline.land import checkpoint
from event_assets.streams import EventStream, Shard, ShardPosition, StreamGap, StreamReader, lost_shards


def find_gaps(stream: EventStream, positions: Mapping[str, ShardPosition]) -> list[StreamGap]:
    """Every gap at which landing would stop."""
    shards = stream.shards()
    reader = StreamReader(stream)
    found = lost_shards(shards, positions)
    for shard in shards:
        position = positions.get(shard.shard_id)
        if position is not None and not position.ended:
            gap = reader.gap_after(shard.shard_id, position, shards, positions)
            found += [gap] if gap is not None else []
    return found


def pass_gaps(lake: Lake, stream: EventStream) -> list[StreamGap]:
    """Has landing go on with the oldest record that each of those shards still holds. Gives the gaps that it passed:
    what was in them stays lost."""
    table = lake.table(RAW_EVENTS.name)
    return retry_on_conflict(lambda: _pass(stream, table))


def _pass(stream: EventStream, table: LakeTable) -> list[StreamGap]:
    base = table.snapshot()
    gaps = find_gaps(stream, checkpoint(base.progress, stream.name))
    if not gaps:
        return []
    of_stream = dict(base.progress.positions.get(stream.name, {}))
    shards = {shard.shard_id: shard for shard in stream.shards()}
    for gap in gaps:
        of_stream.pop(gap.shard_id, None)
        through = _trimmed_through(shards.get(gap.shard_id))
        if through is not None:
            of_stream[gap.shard_id] = {"after": through, "ended": False, "seen_at": None}
    table.commit(base, replace(base.progress, positions={**base.progress.positions, stream.name: of_stream}))
    return gaps


def _trimmed_through(shard: Shard | None) -> str | None:
    """Where the stream keeps it; without it a shard is begun anew, with the oldest record that it holds."""
    return shard.trimmed_through if shard is not None else None
