"""The queue in memory: where there is no disk to keep events on, or none that works. Lost with its process."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable, Sequence

from event_assets_sdk.bounds import Bounds
from event_assets_sdk.events import NewEvent, QueuedEvent


class MemoryQueue:
    """Events in the order in which they were put. Safe to use from many threads.

    `numbers`: whether events get a `sequence` here. They do not where a file is meant to number them.
    """

    def __init__(self, bounds: Bounds, numbers: bool) -> None:
        self._bounds = bounds
        self._numbers = numbers
        self._sequences: dict[str, int] = {}
        self.forget()

    def forget(self) -> None:
        """Empties it, with a new lock: after a fork, what it held is the parent's to send."""
        self._lock = threading.RLock()
        self._events: deque[QueuedEvent] = deque()
        self._positions = itertools.count(1)
        self._last = 0
        self._bytes = 0

    def put(self, events: Iterable[NewEvent]) -> int:
        """Takes events; gives how many were dropped, of these or of older ones."""
        with self._lock:
            return sum(self._put(event) for event in events)

    def _put(self, event: NewEvent) -> int:
        dropped, size = 0, len(event.text)
        while self._bytes + size > self._bounds.most_bytes:
            if self._bounds.when_full == "drop_newest" or not self._events:
                return dropped + 1
            self._bytes -= len(self._events.popleft().text)
            dropped += 1
        sequence = None
        if self._numbers and event.anonymous_id:
            sequence = self._sequences.pop(event.anonymous_id, 0)
            self._sequences[event.anonymous_id] = sequence + 1  # at the end: the front was not seen for longest
            while len(self._sequences) > 100_000:
                del self._sequences[next(iter(self._sequences))]
        self._last = next(self._positions)
        self._bytes += size
        self._events.append(
            QueuedEvent(
                self._last,
                event.event_id,
                sequence,
                event.text,
                event.tracked_at,
                event.steady,
                event.process,
                event.anonymous_id,
            )
        )
        return dropped

    def take(self, events: int, most_bytes: int) -> list[QueuedEvent]:
        """The oldest events, at least one if there is one. They stay until they are settled."""
        taken: list[QueuedEvent] = []
        size = 0
        with self._lock:
            for event in self._events:
                size += len(event.text)
                if taken and (len(taken) >= events or size > most_bytes):
                    break
                taken.append(event)
        return taken

    def settle(self, positions: Sequence[int]) -> None:
        """Lets go of events that got their final verdict."""
        done = set(positions)
        with self._lock:
            while self._events and self._events[0].position in done:
                self._bytes -= len(self._events.popleft().text)
            if self._events and self._events[0].position < max(done, default=0):
                self._events = deque(event for event in self._events if event.position not in done)
                self._bytes = sum(len(event.text) for event in self._events)

    def last(self) -> int:
        """The position of the newest event that was ever put."""
        return self._last

    def holds_any_through(self, position: int) -> bool:
        """Whether an event up to this position is still there."""
        with self._lock:
            return bool(self._events) and self._events[0].position <= position

    def waiting(self) -> tuple[int, int]:
        """How many events there are, and their bytes."""
        with self._lock:
            return len(self._events), self._bytes
