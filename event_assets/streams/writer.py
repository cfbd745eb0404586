"""Writes to a stream: many events to a record, again what failed, a verdict for each.

Which events are fit to be written was decided before; what a stream is, is `protocol.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from event_assets.contract.records import RECORD_BYTES, Encoding, pack_text
from event_assets.streams.protocol import PERMANENT_ERRORS, EventStream, PutResult, StreamRecord
from event_assets.streams.retry_policy import RetryPolicy

WRITE_BACKOFF = RetryPolicy()


class EventLines(NamedTuple):
    """Events to write, of one key, which decides their shard: `text` holds so many, one a line."""

    key: str
    text: bytes
    events: int = 1


def aggregate(
    lines: Iterable[EventLines], encoding: Encoding = "zstd", max_bytes: int = RECORD_BYTES
) -> list[StreamRecord]:
    """Packs events into records of one key and up to `max_bytes` each.

    The lines of a key keep their order. A line that is larger alone has a record of its own.
    """
    texts: dict[str, list[bytes]] = {}
    for key, text, _ in lines:
        texts.setdefault(key, []).append(text)
    return [
        StreamRecord(key, data)
        for key, group in texts.items()
        for data in pack_text(b"\n".join(group), encoding, max_bytes)
    ]


class StreamWriter:
    """Writes to `stream` and repeats, after a back-off, only the records that failed.

    A repeat may change the order of a key's records, and may write a record twice if an answer was lost.
    """

    def __init__(self, stream: EventStream, backoff: RetryPolicy = WRITE_BACKOFF) -> None:
        self.stream = stream
        self._backoff = backoff

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
        """Aggregates and writes events. Gives the keys whose events are not durable, each with its error.

        If one of a key's records fails, so do all events of that key: sending an event again is harmless, calling
        one durable that is not is not.
        """
        records = aggregate(lines, encoding)
        results = zip(records, self.write(records), strict=True)
        return {record.partition_key: result.error for record, result in results if result.error is not None}


def _may_pass(result: PutResult) -> bool:
    return result.error is not None and not result.error.startswith(PERMANENT_ERRORS)
