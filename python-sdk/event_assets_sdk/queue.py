"""The queue that the client puts into and the sender takes from: the file first, memory behind it.

While the file cannot be used, events wait in memory, and move into the file as soon as it can be used again. A queue
that spools has all events wait in memory for a moment, until `spool` moves them.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from event_assets_sdk.bounds import Bounds
from event_assets_sdk.disk_queue import DiskQueue, QueueUnavailable
from event_assets_sdk.events import NewEvent, QueuedEvent
from event_assets_sdk.memory_queue import MemoryQueue
from event_assets_sdk.report import Report

T = TypeVar("T")
_PUT_SECONDS = 0.25  # how long a caller may be kept, where another process writes to the file or the disk hangs
_SEND_SECONDS = 5.0
_MOVED_AT_ONCE = 500


class Mark(NamedTuple):
    """How far the queue reached at some moment."""

    disk: int
    memory: int


class Batch(NamedTuple):
    """Events to send, and whether they are in the file."""

    events: list[QueuedEvent]
    on_disk: bool


class EventQueue:
    """Events that wait to be sent. No method raises for what the disk does: problems go to the report."""

    def __init__(self, path: Path | None, bounds: Bounds, report: Report, spools: bool = False) -> None:
        self.spools = spools and path is not None
        self._report = report
        self._memory = MemoryQueue(bounds, numbers=path is None)
        self._disk = None if path is None else DiskQueue(path, bounds, _PUT_SECONDS, self._damaged)
        # The sender has a connection of its own, so that its work never keeps a caller waiting.
        self._sending = None if path is None else DiskQueue(path, bounds, _SEND_SECONDS, self._damaged)
        self._moving = threading.RLock()
        self._spilling = path is None
        self._moved_through = 0
        self._unsettled: list[int] = []

    @property
    def is_in_memory(self) -> bool:
        """Whether there is no file, so that events are numbered here."""
        return self._disk is None

    @property
    def storage(self) -> Literal["disk", "memory"]:
        """Where new events go."""
        return "memory" if self._spilling else "disk"

    def put(self, event: NewEvent) -> None:
        """Takes an event: into the file, else into memory."""
        dropped = None
        if self._disk is not None and not self._spilling and not self.spools:
            try:
                dropped = self._disk.put([event])
            except QueueUnavailable as error:
                self._spill(error)
        if self.spools:
            dropped = self._memory.put([event])  # waits for nobody who writes
        if dropped is None:
            with self._moving:
                dropped = self._memory.put([event])
        self._count_dropped(dropped)

    def spool(self) -> None:
        """Moves what waits in memory for it into the file; a queue that does not spool has nothing."""
        if self._sending is None or not self.spools or self._spilling:
            return
        try:
            self._move(self._sending, numbers=True)
        except QueueUnavailable as error:
            self._spill(error)

    def recover(self) -> None:
        """Moves events from memory into the file, if it can be used again. Not while any of them is being sent."""
        if self._sending is None or not self._spilling:
            return
        try:
            # Their numbers would come after those of events that were sent from memory meanwhile: they get none.
            self._move(self._sending, numbers=False)
            self._sending.tidy()
        except QueueUnavailable as error:
            self._spill(error)
            return
        with self._moving:
            self._spilling = not self.spools and self._memory.waiting()[0] > 0

    def _move(self, disk: DiskQueue, numbers: bool) -> None:
        with self._moving:
            while events := self._memory.take(_MOVED_AT_ONCE, 2**62):
                self._count_dropped(disk.put([_as_new(event) for event in events], numbers))
                self._moved_through = disk.last()
                self._memory.settle([event.position for event in events])

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether this process may send from the file, for as long as the block runs."""
        with contextlib.ExitStack() as stack:
            mine = False
            if self._sending is not None:
                try:
                    mine = stack.enter_context(self._sending.sending())
                except QueueUnavailable as error:
                    self._spill(error)
            yield mine

    def take(self, events: int, most_bytes: int, from_disk: bool) -> Batch:
        """The oldest events: of the file, else of memory, which holds what came after."""
        self.spool()
        if self._sending is not None and from_disk and self._settle_on_disk():
            try:
                if taken := self._sending.take(events, most_bytes):
                    return Batch(taken, on_disk=True)
            except QueueUnavailable as error:
                self._spill(error)
        if self.spools and not self._spilling:
            return Batch([], on_disk=True)  # what came meanwhile is on its way into the file
        return Batch(self._memory.take(events, most_bytes), on_disk=False)

    def settle(self, batch: Batch, places: Sequence[int]) -> None:
        """Lets go of the events at these places. What the file cannot forget now is remembered, and not sent again."""
        positions = [batch.events[place].position for place in places]
        if batch.on_disk:
            self._unsettled += positions
            self._settle_on_disk()
        else:
            self._memory.settle(positions)

    def mark(self) -> Mark:
        """How far the queue reaches now."""
        return Mark(self._asked(self._sending, lambda disk: disk.last(), 0), self._memory.last())

    def is_past(self, mark: Mark) -> bool:
        """Whether everything up to the mark has left the queue."""
        if self._memory.holds_any_through(mark.memory):
            return False
        through = max(mark.disk, self._moved_through)
        return through == 0 or not self._asked(self._sending, lambda disk: disk.holds_any_through(through), True)

    def waiting(self) -> tuple[int, int]:
        """How many events there are, and their bytes."""
        events, size = self._memory.waiting()
        on_disk = self._asked(self._disk, lambda disk: disk.waiting(), (0, 0))
        return events + on_disk[0], size + on_disk[1]

    def tidy(self) -> None:
        """Housekeeping of the file, off the caller's way."""
        if self._sending is not None:
            with contextlib.suppress(QueueUnavailable):
                self._sending.tidy()

    def clear(self) -> None:
        """Drops every event that waits."""
        self._memory.settle([event.position for event in self._memory.take(2**31, 2**62)])
        self._asked(self._disk, lambda disk: disk.clear(), None)

    def state(self) -> dict[str, Any] | None:
        """What the file keeps about the install; None if there is no file that can be read."""
        nothing: dict[str, str] | None = None
        kept = self._asked(self._disk, lambda disk: disk.state(), nothing)
        return None if kept is None else {name: json.loads(value) for name, value in kept.items()}

    def keep_state(self, name: str, value: Any, *, if_absent: bool = False) -> bool:
        """Keeps a JSON-able value about the install; None forgets it. Whether the file could be written."""
        text = None if value is None else json.dumps(value)

        def keep(disk: DiskQueue) -> bool:
            disk.keep_state(name, text, if_absent=if_absent)
            return True

        return self._asked(self._disk, keep, False)

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        for disk in self._disks():
            disk.close()

    def before_fork(self) -> None:
        """See `DiskQueue.before_fork`."""
        for disk in self._disks():
            disk.before_fork()

    def after_fork_in_parent(self) -> None:
        """Goes on as before."""
        for disk in self._disks():
            disk.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Begins anew: what was in memory is the parent's to send, what is in the file is everybody's."""
        self._moving = threading.RLock()
        self._memory.forget()
        self._unsettled = []
        for disk in self._disks():
            disk.after_fork_in_child()

    def _disks(self) -> list[DiskQueue]:
        return [disk for disk in (self._disk, self._sending) if disk is not None]

    def _settle_on_disk(self) -> bool:
        """Whether the file holds nothing that got its final verdict."""
        if self._sending is not None and self._unsettled:
            try:
                self._sending.settle(self._unsettled)
            except QueueUnavailable as error:
                self._spill(error)
                return False
            self._unsettled = []
        return True

    def _asked(self, disk: DiskQueue | None, question: Callable[[DiskQueue], T], otherwise: T) -> T:
        if disk is None:
            return otherwise
        try:
            return question(disk)
        except QueueUnavailable as error:
            self._report.problem("storage", str(error))
            return otherwise

    def _spill(self, error: QueueUnavailable) -> None:
        self._spilling = True
        self._report.problem("storage", f"{error}; events are kept in memory meanwhile")

    def _damaged(self, detail: str) -> None:
        self._report.problem("storage", detail)

    def _count_dropped(self, dropped: int) -> None:
        if dropped:
            self._report.count("dropped_by_full_queue", dropped)
            self._report.problem("queue_full", "the queue is full: events were dropped by its policy")


def _as_new(event: QueuedEvent) -> NewEvent:
    return NewEvent(event.event_id, event.anonymous_id, event.text, event.tracked_at, event.steady, event.process)
