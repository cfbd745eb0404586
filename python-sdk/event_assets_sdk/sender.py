"""Sends what is in the queue: batch after batch in order, each event until it has its final verdict."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import NamedTuple

from event_assets_sdk.answers import Answer, FinalVerdict, Meaning, NoAnswer, meaning_of
from event_assets_sdk.backoff import Backoff
from event_assets_sdk.clock import steady
from event_assets_sdk.events import line_of
from event_assets_sdk.queue import Batch, EventQueue
from event_assets_sdk.report import Count, Report
from event_assets_sdk.transport import Transport

HOLD_SECONDS = 3_600.0
"""After the collector refused a request whatever is in it (a wrong key, a wrong address), the next is this far off."""
_COUNTS: dict[str, Count] = {"accepted": "accepted", "rejected": "rejected", "dropped": "consent_refused"}


class Pace(NamedTuple):
    """Batches of at most so many events and bytes; seconds between two looks at the queue; waits between tries."""

    batch_size: int
    batch_bytes: int
    flush_interval: float
    first_wait: float
    longest_wait: float


class Fresh:
    """What came since the sender last looked: whether a batch is full, and whether this process put anything."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._events = self._bytes = 0
        self.any = False

    def add(self, size: int, pace: Pace) -> bool:
        with self._lock:
            self.any = True
            self._events += 1
            self._bytes += size
            return self._events >= pace.batch_size or self._bytes >= pace.batch_bytes

    def clear(self) -> None:
        with self._lock:
            self._events = self._bytes = 0


class Sender:
    """Sends for one process, from one of its threads at a time.

    A batch leaves only when the one before was answered, and one process at a time sends from a file. So events reach
    the collector in the order in which they were tracked, save those that it asks for again.
    """

    def __init__(
        self, queue: EventQueue, transport: Transport, report: Report, pace: Pace, process: str, debug: bool
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._report = report
        self._pace = pace
        self._process = process
        self._debug = debug
        self.begin_anew()

    def begin_anew(self) -> None:
        """At first, and after a fork: the thread that may hold the locks is the parent's."""
        self._backoff = Backoff(self._pace.first_wait, self._pace.longest_wait)
        self._delivering = threading.Lock()
        self._nudged = threading.Event()
        self._stopped = False
        self._resume_at = 0.0
        self._is_held = False
        self._tidy_at = 0.0
        self._most_events = self._pace.batch_size

    def deliver(self, deadline: float | None = None, *, patiently: bool = True) -> None:
        """Sends until the queue is empty, it is stopped, or the deadline (monotonic seconds) has passed.

        Unless `patiently`, also until the collector wants to be left alone for a while.

        Returns at once where another process is sending from the file. The right to send is kept through the waits
        between tries, so that no other process begins its own.
        """
        if not self._delivering.acquire(timeout=-1 if deadline is None else _left(deadline)):
            return
        try:
            with self._queue.sending() as mine:
                while not self._stopped and (deadline is None or _left(deadline) > 0):
                    self._keep_house()
                    if (pause := self._resume_at - time.monotonic()) > 0:
                        if not patiently or (deadline is not None and self.is_paused_until(deadline)):
                            return
                        self._pause(pause)
                        continue
                    batch = self._queue.take(self._most_events, self._pace.batch_bytes, mine)
                    if not batch.events:
                        return
                    self._send(batch, deadline)
        finally:
            self._delivering.release()

    def is_paused_until(self, moment: float) -> bool:
        """Whether nothing will be sent before that moment (monotonic seconds)."""
        return self._resume_at > moment

    def try_held(self) -> None:
        """Lets a refused request be tried once more now: somebody asks for it."""
        if self._is_held:
            self._resume_at, self._is_held = 0.0, False
            self._nudged.set()

    def stop(self) -> None:
        """Ends `deliver` after its request."""
        self._stopped = True
        self._nudged.set()

    def _pause(self, seconds: float) -> None:
        self._nudged.wait(min(seconds, self._pace.flush_interval))
        self._nudged.clear()

    def _keep_house(self) -> None:
        """Looks after the file once in a while, so that no caller has to."""
        self._queue.recover()
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + self._pace.flush_interval
            self._queue.tidy()

    def _send(self, batch: Batch, deadline: float | None) -> None:
        self._is_held = False
        now, steady_now = time.time(), steady()
        lines = [line_of(event, self._process, now, steady_now) for event in batch.events]
        self._show("sends", lines)
        self._report.count("requests")
        answer = self._transport.post(lines, None if deadline is None else max(_left(deadline), 0.1))
        meaning = meaning_of(answer, [event.event_id for event in batch.events])
        self._show("was answered", [_shown(answer)])
        self._settle(batch, meaning)
        self._go_on(batch, meaning)

    def _settle(self, batch: Batch, meaning: Meaning) -> None:
        if not meaning.verdicts:
            return
        self._queue.settle(batch, list(meaning.verdicts))
        for verdict in meaning.verdicts.values():
            self._report.count(_COUNTS[verdict.status])
            if verdict.status == "rejected":
                self._report.problem("rejected", f"the collector rejected an event: {verdict.reason}", verdict.event_id)

    def _go_on(self, batch: Batch, meaning: Meaning) -> None:
        events = len(batch.events)
        if meaning.next == "go_on":
            self._backoff.begin_anew()
            self._most_events = min(self._most_events * 2, self._pace.batch_size)
        elif meaning.next == "try_again":
            self._report.count("retries")
            self._report.problem("unreachable", f"the collector did not take {events} events: {meaning.detail}")
            self._resume_at = time.monotonic() + self._backoff.wait(meaning.wait)
        elif meaning.next == "hold":
            self._report.problem("refused", f"the collector refuses every request: {meaning.detail}; events are kept")
            self._resume_at, self._is_held = time.monotonic() + HOLD_SECONDS, True
        elif events > 1:
            self._most_events = events // 2
        else:
            refused = FinalVerdict(batch.events[0].event_id, "rejected", meaning.detail)
            self._settle(batch, Meaning({0: refused}, "go_on"))

    def _show(self, what: str, lines: list[bytes]) -> None:
        if self._debug:
            with contextlib.suppress(Exception):
                text = b"\n".join(lines).decode("utf-8", "replace")
                print(f"event-assets {what}:\n{text}", file=sys.stderr, flush=True)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _shown(answer: Answer | NoAnswer) -> bytes:
    if isinstance(answer, NoAnswer):
        return f"nothing: {answer.detail}".encode()
    return b"HTTP %d %s" % (answer.status, answer.body)
