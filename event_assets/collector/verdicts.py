"""What became of the events of one request, and the answer that says so. Most are accepted: only the others have an
object of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, overload

import msgspec

Status = Literal["accepted", "rejected", "dropped", "retry"]

_encode = msgspec.json.Encoder().encode
_ACCEPTED = b'{"accepted":%d,"rejected":0,"dropped":0,"retry":0,"results":[{"event_id":"%b","status":"accepted"}]}'
_NEXT = b'","status":"accepted"},{"event_id":"'


class Verdict(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one event.

    `accepted`: it is on the stream. `rejected`: it never will be, for this reason. `dropped`: consent was refused; that
    there was an event is on the stream, so that it counts, and nothing of it. `retry`: the stream did not take it, send
    it again under the same `event_id`.
    """

    event_id: str | None
    status: Status
    reason: str | None = None
    detail: str | None = None


class _Answer(msgspec.Struct):
    accepted: int
    rejected: int
    dropped: int
    retry: int
    results: list[Verdict]


class Verdicts(Sequence[Verdict]):
    """The verdicts on a request's events in its order: accepted, unless another one was `put`."""

    __slots__ = ("_ids", "others", "sizes")

    def __init__(self, ids: list[str | None]) -> None:
        self._ids = ids
        self.others: dict[int, Verdict] = {}
        self.sizes: dict[int, int] = {}
        """Bytes of the events in `others`, where they are known."""

    def put(self, row: int, verdict: Verdict, size: int = 0) -> None:
        """Makes the verdict the row's, on an event of so many bytes."""
        self._ids[row] = verdict.event_id
        if verdict.status != "accepted":
            self.others[row] = verdict
            self.sizes[row] = size

    def retry(self, row: int, reason: str) -> None:
        """Takes back that the row's event is on the stream."""
        self.put(row, Verdict(self._ids[row], "retry", reason))

    def counts(self) -> Counter[Status]:
        """How many there are of each status."""
        counts: Counter[Status] = Counter()
        if self.others:
            counts.update(verdict.status for verdict in self.others.values())
        if len(self._ids) > len(self.others):
            counts["accepted"] = len(self._ids) - len(self.others)
        return counts

    def answer(self) -> bytes:
        """The answer to the request, as JSON."""
        if not self.others and self._ids:
            ids = _encode(self._ids)
            if b"\\" not in ids:  # then no quote is within an id
                return _ACCEPTED % (len(self._ids), ids[2:-2].replace(b'","', _NEXT))
        counts = self.counts()
        return _encode(_Answer(counts["accepted"], counts["rejected"], counts["dropped"], counts["retry"], list(self)))

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> Verdict: ...

    @overload
    def __getitem__(self, row: slice) -> list[Verdict]: ...

    def __getitem__(self, row: int | slice) -> Verdict | list[Verdict]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        return self.others.get(range(len(self))[row]) or Verdict(self._ids[row], "accepted")
