"""A stream that does not take what it is given: a real one with faults put in front."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from event_assets.streams import EventStream, PutResult, ShardMap, StreamError, StreamRecord


class FaultyStream:
    """Passes everything on to `stream`, save that calls fail while `failing`, and puts wait while `gate` is closed."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self.failing: str | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.puts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def require_writable(self) -> None:
        """Says yes, unless everything is to `raise`."""
        if self.failing == "raise":
            raise StreamError("the disk is gone")

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        """Puts, or fails as told: `raise`, `all`, or the key whose shard fails."""
        self.puts += 1
        self.gate.wait()
        if self.failing == "raise":
            raise StreamError("the disk is full")
        if self.failing is None:
            return self._stream.put(records)
        failed = PutResult(None, None, "InternalFailure: try again")
        of_shard = ShardMap(self._stream.shards()).record_key(self.failing)
        fails = [self.failing == "all" or record.partition_key == of_shard for record in records]
        taken = iter(self._stream.put([record for record, fail in zip(records, fails, strict=True) if not fail]))
        return [failed if fail else next(taken) for fail in fails]
