"""What the SDK tells of itself: counters, problems, log lines. It never tells by raising."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

log = logging.getLogger("event_assets_sdk")

Kind = Literal["invalid", "before_send", "rejected", "refused", "unreachable", "queue_full", "storage", "internal"]
Count = Literal[
    "tracked",
    "accepted",
    "rejected",
    "consent_refused",
    "invalid",
    "dropped_by_before_send",
    "dropped_by_full_queue",
    "opted_out",
    "requests",
    "retries",
]
_LOG_SECONDS = 60.0


class Problem(NamedTuple):
    """Something that went wrong: its kind, a sentence, and the event that it is about, if it is about one.

    `invalid`: the event breaks the contract and was not taken. `before_send`: the hook failed, its event was dropped.
    `rejected`: the collector will never take this event. `refused`: the collector refuses every request (wrong key,
    wrong address); events are kept. `unreachable`: nothing, or nothing usable, was answered; events are sent again.
    `queue_full`: events were dropped by the queue's policy. `storage`: the queue's file cannot be used; events are kept
    in memory. `internal`: a fault of the SDK.
    """

    kind: Kind
    detail: str
    event_id: str | None = None


class Stats(NamedTuple):
    """What this client did since its process began, in events, and what is waiting now.

    `tracked` events are in the queue or left it as `accepted` (on the stream), `rejected` (by the collector),
    `consent_refused` (the collector dropped them) or `dropped_by_full_queue`. Calls that made no event are `invalid`,
    `dropped_by_before_send` or `opted_out`. An event that is dropped while it is on its way may arrive all the same.
    `queued` counts the events of all processes that share the queue's file,
    and `storage` says where new ones go.
    """

    tracked: int
    accepted: int
    rejected: int
    consent_refused: int
    invalid: int
    dropped_by_before_send: int
    dropped_by_full_queue: int
    opted_out: int
    requests: int
    retries: int
    queued: int
    queued_bytes: int
    storage: Literal["disk", "memory"]
    last_problem: Problem | None


class Report:
    """Counts, remembers the last problem, and tells the application's callback and the log of each kind."""

    def __init__(self, on_error: Callable[[Problem], object] | None = None) -> None:
        self._on_error = on_error
        self._lock = threading.RLock()
        self._counts: Counter[Count] = Counter()
        self._next_log: dict[Kind, float] = {}
        self.last_problem: Problem | None = None

    def count(self, what: Count, by: int = 1) -> None:
        """Adds to a counter."""
        with self._lock:
            self._counts[what] += by

    def counts(self) -> dict[Count, int]:
        """The counters as they are."""
        with self._lock:
            return dict(self._counts)

    def problem(self, kind: Kind, detail: str, event_id: str | None = None) -> None:
        """Tells of a problem. The log gets one line a minute of each kind, without personal data."""
        problem = Problem(kind, detail, event_id)
        self.last_problem = problem
        now = time.monotonic()
        if now >= self._next_log.get(kind, 0.0):
            self._next_log[kind] = now + _LOG_SECONDS
            # What is said of one event may quote it.
            log.warning("%s: %s", kind, detail if event_id is None else f"event {event_id}")
        if self._on_error is not None:
            with contextlib.suppress(Exception):
                self._on_error(problem)

    def stats(self, queued: int, queued_bytes: int, storage: Literal["disk", "memory"]) -> Stats:
        """The counters with what is waiting."""
        counts = self.counts()
        own = {name: counts.get(name, 0) for name in Stats._fields[:10]}  # type: ignore[call-overload]
        return Stats(**own, queued=queued, queued_bytes=queued_bytes, storage=storage, last_problem=self.last_problem)

    def begin_anew(self) -> None:
        """After a fork: the child counts its own, and must not wait for a lock that a lost thread held."""
        self._lock = threading.RLock()
        self._counts.clear()
