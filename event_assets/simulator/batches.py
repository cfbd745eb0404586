"""Single events into the requests of an SDK: one install's events, up to 50, a while after the first. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from event_assets.simulator.generate import TimedEvent

BATCH_EVENTS = 50
FLUSH_SECONDS = 60.0


class Batch(NamedTuple):
    """Events of one install that leave in one request at `due` (epoch seconds of the simulated time)."""

    due: float
    install: str
    events: list[TimedEvent]


def batches(events: Iterable[TimedEvent], flush_seconds: float = FLUSH_SECONDS) -> Iterator[Batch]:
    """The batches in the order of `due`. The events come in the order of `send_at`; an install's keep their order."""
    open_batches: dict[str, Batch] = {}
    due: list[tuple[float, str]] = []
    for event in events:
        yield from _ripe(open_batches, due, event.send_at)
        batch = open_batches.get(event.install)
        if batch is None:
            batch = open_batches[event.install] = Batch(event.send_at + flush_seconds, event.install, [])
            heapq.heappush(due, (batch.due, batch.install))
        batch.events.append(event)
        if len(batch.events) == BATCH_EVENTS:
            yield open_batches.pop(event.install)._replace(due=event.send_at)
    yield from _ripe(open_batches, due, float("inf"))


def _ripe(open_batches: dict[str, Batch], due: list[tuple[float, str]], now: float) -> Iterator[Batch]:
    while due and due[0][0] <= now:
        moment, install = heapq.heappop(due)
        if install in open_batches and open_batches[install].due == moment:
            yield open_batches.pop(install)
