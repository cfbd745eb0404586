"""Many events to a record, each in the shard that its own key says: which shard that is, and the records of a group.

A record may hold the events of all keys of one shard, so that how many records there are depends on how much there is
to write and not on how many people it is of. Nothing is written here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from event_assets.contract.records import TEXT_BYTES, Encoding, pack_text
from event_assets.streams.protocol import HASH_BYTES, Shard, StreamRecord, hash_bytes, hash_key


class EventLines(NamedTuple):
    """Events to write in their order, a line each: `head`, its piece and `tail`. Each has a key, which decides its
    shard."""

    keys: Sequence[str]
    pieces: Sequence[bytes]
    head: bytes = b""
    tail: bytes = b""

    def text(self, pieces: Sequence[bytes]) -> bytes:
        """The lines of some of the pieces."""
        return self.head + (self.tail + b"\n" + self.head).join(pieces) + self.tail


class PackedRecord(NamedTuple):
    """A record to put, and the keys whose events it holds, or parts of them."""

    record: StreamRecord
    keys: Sequence[str]


class ShardMap:
    """The shards that take records, by where the hashes of their keys begin."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self._shards = sorted((shard.first_hash, shard.shard_id) for shard in shards if not shard.closed)
        self._starts = [start for start, _ in self._shards] or [0]
        self._first_hashes = [start.to_bytes(HASH_BYTES) for start in self._starts]
        self._record_keys = _record_keys(self._starts)
        self.record_key = lru_cache(_KEYS)(self._record_key)
        """The key of records in the shard that takes a key: one for all keys of a shard, and nobody's. Where a shard is
        too small for finding one, the key itself. Who comes comes again, so some are known."""

    def is_of(self, shards: Iterable[Shard]) -> bool:
        """Whether it is the map of these."""
        return self._shards == sorted((shard.first_hash, shard.shard_id) for shard in shards if not shard.closed)

    def knows(self, shard_ids: Iterable[str | None]) -> bool:
        """Whether each of these shards is among them; None, which no record went to, is."""
        return {shard_id for shard_id in shard_ids if shard_id is not None} <= {each for _, each in self._shards}

    def _record_key(self, key: str) -> str:
        place = bisect_right(self._first_hashes, hash_bytes(key)) - 1 if len(self._starts) > 1 else 0
        return self._record_keys.get(place, key)

    def parts(self, lines: EventLines) -> Iterable[tuple[str, Sequence[str], Sequence[bytes]]]:
        """The lines by the keys of their records: that, their own keys and their pieces."""
        only = self._record_keys.get(0)
        if len(self._starts) == 1 and only is not None:
            return [(only, lines.keys, lines.pieces)] if lines.keys else []
        keys: dict[str, list[str]] = defaultdict(list)
        pieces: dict[str, list[bytes]] = defaultdict(list)
        for record_key, key, piece in zip(map(self.record_key, lines.keys), lines.keys, lines.pieces, strict=True):
            keys[record_key].append(key)
            pieces[record_key].append(piece)
        return [(record_key, keys[record_key], some) for record_key, some in pieces.items()]


_KEYS = 65_536
"""Keys whose shard is remembered: hashing one costs ten times as much."""
_TRIES = 1_000
"""For each shard: enough for those of a hundredth of what all have on average."""


def _record_keys(starts: Sequence[int]) -> dict[int, str]:
    """For each range of hashes the first number whose hash falls into it."""
    found: dict[int, str] = {}
    for number in range(_TRIES * len(starts)):
        found.setdefault(bisect_right(starts, hash_key(str(number))) - 1, str(number))
        if len(found) == len(starts):
            break
    return found


def pack_events(lines: Iterable[EventLines], shards: ShardMap, encoding: Encoding = "zstd") -> list[PackedRecord]:
    """Packs events into records of one shard, each of as much text as fits.

    The lines of a key keep their order. A line that is larger alone has a record of its own.
    """
    packed: list[PackedRecord] = []
    gathering: dict[str, _Gathered] = {}
    for each in lines:
        for record_key, keys, pieces in shards.parts(each):
            text = each.text(pieces)
            gathered = gathering.get(record_key)
            if gathered is not None and gathered.size + len(text) > TEXT_BYTES:
                packed += gathered.records(encoding)
                gathered = None
            if gathered is None:
                gathered = gathering[record_key] = _Gathered(record_key)
            gathered.add(keys, text)
    for gathered in gathering.values():
        packed += gathered.records(encoding)
    return packed


class _Gathered:
    """What goes to one shard together."""

    def __init__(self, record_key: str) -> None:
        self._record_key = record_key
        self._texts: list[bytes] = []
        self._keys: list[str] = []
        self.size = 0

    def add(self, keys: Sequence[str], text: bytes) -> None:
        self._texts.append(text)
        self._keys += keys
        self.size += len(text) + 1

    def records(self, encoding: Encoding) -> list[PackedRecord]:
        return [
            PackedRecord(StreamRecord(self._record_key, data), self._keys)
            for data in pack_text(b"\n".join(self._texts), encoding)
        ]
