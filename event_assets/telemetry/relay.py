"""What one process would tell, told by another: one that has no settings, whose output nobody reads, hands it on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from event_assets.telemetry.meter import Meter, Told
from event_assets.telemetry.process import meter, telling, traces, tracing
from event_assets.telemetry.traces import Place


class Relay:
    """Takes what is told in a block, of metrics and of the way of records of which a `share` is traced."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._lines: list[Any] = []
        self._way: list[Any] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What this process tells for as long as the block lasts is taken."""
        with telling(Meter(self._line, time.time)) as told, tracing(self if self.share else None):
            try:
                yield
            finally:
                told.flush()

    def landed(self, places: Iterable[tuple[Place, float]], ended: float) -> None:
        """As `Way` has it."""
        self._way.append(["landed", [[*place, arrived] for place, arrived in places], ended])

    def done(self, what: str, began: float, ended: float, rows: int) -> None:
        """As `Way` has it."""
        self._way.append(["done", what, began, ended, rows])

    def taken(self) -> bytes:
        """All of it, for `tell_on`."""
        return json.dumps({"lines": self._lines, "way": self._way}).encode()

    def _line(self, at: float, told: Told, notes: Mapping[str, Mapping[str, float]]) -> None:
        self._lines.append([told, notes])


def tell_on(taken: bytes) -> None:
    """Tells what a `Relay` took to this process's meter and traces."""
    found = json.loads(taken)
    for told, notes in found["lines"]:
        meter().take(told, notes)
    meter().beat()
    if (way := traces()) is None:
        return
    for what, *said in found["way"]:
        if what == "landed":
            places, ended = said
            way.landed([(Place(*place), arrived) for *place, arrived in places], ended)
        else:
            way.done(*said)
