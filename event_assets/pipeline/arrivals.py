"""Events as they come: a loop that stays while they do, and brings every table along at its own pace.

On the way from the stream to `fct_events` there is nothing else: those steps are taken again and again, about once a
second. Slower tables follow in a thread beside, pace by pace. Every step is the registry's and commits its own
progress, so the loop can be cut short anywhere, and whatever else refreshes the same tables goes on beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from queue import Empty, SimpleQueue
from threading import Event

from event_assets.contract.tables.schema import Table
from event_assets.pipeline.compaction import compact_new
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.following import Fault, Followed, Following
from event_assets.pipeline.land import has_new, others_have_landed
from event_assets.pipeline.registry import steps_of

LEAST_SECONDS = 0.5
"""From the beginning of one look at the stream to the next."""
EVERY: Mapping[Pace, float] = {"minute": 20.0, "minutes": 120.0}
"""Seconds from one turn of a pace to its next, while events come."""
COMPACT_SECONDS = 15.0
"""Seconds from a look at the files of one of the tables that micro-batches write, and of one of the slower, to the look
at the next."""
QUIET_SECONDS = 5.0
"""Without events for so long, the slower tables need not wait for their turn."""


class FollowingFailed(RuntimeError):
    """Tables that did not follow, each with the reason. All others did."""

    @classmethod
    def of(cls, faults: Mapping[str, Exception]) -> FollowingFailed:
        """The error that says what failed, and why, of the first of them."""
        reasons = "; ".join(f"{name}: {error}" for name, error in faults.items())
        failed = cls(f"{len(faults)} did not follow: {reasons}")
        failed.__cause__ = next(iter(faults.values()))
        return failed


@dataclass
class _Turn:
    """The turns of a pace: when the last began, and how many micro-batches it has seen."""

    every: float
    began: float = float("-inf")
    seen: int = -1


@dataclass
class Arrivals:
    """The loop: `idle_seconds` without events end it, or `is_over` at once. `slower` are those that the slower tables
    follow by, with an engine of their own perhaps; else they have that of the events."""

    following: Following
    idle_seconds: float = 30.0
    is_over: Callable[[], bool] = lambda: False
    slower: Following | None = None
    batches: int = 0
    """Micro-batches that brought something."""
    faults: dict[str, Exception] = field(default_factory=dict)
    """What did not follow the last time, and why."""
    _turns: dict[Pace, _Turn] = field(default_factory=lambda: {pace: _Turn(every) for pace, every in EVERY.items()})
    _done: SimpleQueue[Followed | Fault] = field(default_factory=SimpleQueue)
    _stopped: Event = field(default_factory=Event)
    _last_came: float = field(default_factory=time.monotonic)
    _compacted: float = field(default_factory=time.monotonic)
    _tables: Iterator[Table] = field(default_factory=lambda: _in_turn("seconds"))
    _slower_tables: Iterator[Table] = field(default_factory=lambda: _in_turn(*EVERY))

    def stay(self) -> Iterator[Followed]:
        """Takes in what comes until nothing has for long enough and every table has followed; gives each table that was
        brought up to date. Raises what fails on the way to `fct_events`, and at the end `FollowingFailed` for other
        tables."""
        with ThreadPoolExecutor(1, "following") as beside:
            try:
                yield from self._stay(beside)
            finally:
                self._stopped.set()
        yield from self._followed()
        if self.faults:
            raise FollowingFailed.of(self.faults)

    def _stay(self, beside: ThreadPoolExecutor) -> Iterator[Followed]:
        turn: Future[None] | None = None
        yield from self._take_in()  # whether or not something came: a run before may have been cut short
        while not self.is_over():
            began = time.monotonic()
            if has_new(self.following.run) or others_have_landed(self.following.run):
                yield from self._take_in()
            yield from self._followed()
            if turn is None or turn.done():
                if turn is not None:
                    turn.result()
                pace = self._due()
                if pace is None and time.monotonic() - self._last_came >= self.idle_seconds:
                    return
                turn = beside.submit(self._follow, pace) if pace is not None else None
            self._compact(began)
            time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))

    def _take_in(self) -> list[Followed]:
        done = self.following.take_in()
        self.batches += 1
        self._last_came = time.monotonic()
        return done

    def _compact(self, now: float) -> None:
        if now - self._compacted >= COMPACT_SECONDS:
            self._compacted = now
            for table in (next(self._tables), next(self._slower_tables)):
                compact_new(self.following.run, table)

    def _due(self) -> Pace | None:
        """The pace whose turn it is."""
        now = time.monotonic()
        is_quiet = now - self._last_came >= min(QUIET_SECONDS, self.idle_seconds)
        for pace, turn in self._turns.items():
            if turn.seen != self.batches and (is_quiet or now - turn.began >= turn.every):
                turn.began, turn.seen = now, self.batches
                return pace
        return None

    def _follow(self, pace: Pace) -> None:
        for each in (self.slower or self.following).follow(pace):
            self._done.put(each)
            if self._stopped.is_set():
                return

    def _followed(self) -> Iterator[Followed]:
        """What the thread beside has done since the last time."""
        while True:
            try:
                each = self._done.get_nowait()
            except Empty:
                return
            if isinstance(each, Fault):
                self.faults[each.name] = each.error
            else:
                self.faults.pop(each.asset[-1], None)
                yield each


def _in_turn(*paces: Pace) -> Iterator[Table]:
    """The tables of these paces, again and again."""
    return cycle(table for step in steps_of(*paces) for table in step.tables)
