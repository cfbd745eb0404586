"""Writes to a stream: many events to a record, again what failed, a verdict for each.

Which events are fit to be written was decided before; what a stream is, is `protocol.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from event_assets.contract.records import Encoding
from event_assets.streams.packing import EventLines, ShardMap, pack_events
from event_assets.streams.protocol import PERMANENT_ERRORS, EventStream, PutResult, StreamBusy, StreamRecord
from event_assets.streams.retry_policy import RetryPolicy

WRITE_BACKOFF = RetryPolicy()
SHARDS_KNOWN_SECONDS = 10.0
"""So long the stream's shards are taken for what they were: after a split or a merge of them, events of a key may go to
the wrong one for so long, and not in their order."""

OnPut = Callable[[Sequence[StreamRecord], Sequence[PutResult], float], None]
"""Told what was put, what became of it, and in how many seconds."""


class StreamWriter:
    """Writes to `stream` and repeats, after a back-off, only the records that failed.

    A repeat may change the order of a key's records, and may write a record twice if an answer was lost. `on_put` is
    told of what was written of events, and where it is.
    """

    def __init__(
        self,
        stream: EventStream,
        backoff: RetryPolicy = WRITE_BACKOFF,
        clock: Callable[[], float] = time.monotonic,
        on_put: OnPut | None = None,
    ) -> None:
        self.stream = stream
        self._on_put = on_put
        self._backoff = backoff
        self._clock = clock
        self._known: tuple[float, ShardMap] | None = None

    def write(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        """One result per record, in order: durable where there is no `error`, given up where there is one.

        Raises `StreamNotFound`.
        """
        results = self.stream.put(records)
        failures = 1
        while pending := [index for index, result in enumerate(results) if _may_pass(result)]:
            if not self._backoff.wait(failures):
                break
            failures += 1
            again = self.stream.put([records[index] for index in pending])
            for index, result in zip(pending, again, strict=True):
                results[index] = result
        return results

    def write_events(self, lines: Sequence[EventLines], encoding: Encoding = "zstd") -> dict[str, str]:
        """Packs and writes events. Gives the keys whose events are not durable, each with its error.

        If one of the records fails that hold a key's events, so do all events of that key: sending an event again is
        harmless, calling one durable that is not is not. Raises `StreamNotFound`, and `StreamBusy` where the stream
        never said which shards it has.
        """
        shards = self._shards()
        packed = pack_events(lines, shards, encoding)
        records = [record for record, _ in packed]
        began = self._clock()
        results = self.write(records)
        if self._on_put is not None:
            self._on_put(records, results, self._clock() - began)
        if not shards.knows(result.shard_id for result in results):
            self._known = None
        return {
            key: result.error
            for (_, keys), result in zip(packed, results, strict=True)
            if result.error is not None
            for key in keys
        }

    def _shards(self) -> ShardMap:
        known, now = self._known, self._clock()
        if known is not None and now - known[0] <= SHARDS_KNOWN_SECONDS:
            return known[1]
        try:
            shards = self.stream.shards()
        except StreamBusy:
            if known is None:
                raise
            return known[1]
        found = known[1] if known is not None and known[1].is_of(shards) else ShardMap(shards)
        self._known = now, found
        return found


def _may_pass(result: PutResult) -> bool:
    return result.error is not None and not result.error.startswith(PERMANENT_ERRORS)
