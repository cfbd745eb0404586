"""Adds up what one process tells, and gives it as a line a minute. No clock but the one that it is given, no output."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from event_assets.telemetry.metrics import Metric

EVERY_SECONDS = 60.0
MOST_VALUES = 100
"""Of a metric in one line; CloudWatch takes no more."""

Told = Mapping[str, float | Sequence[float]]
"""By metric what was told since the last line: a sum, or single values."""
Emit = Callable[[float, Told, Mapping[str, Mapping[str, float]]], None]
"""Takes a line: the time in seconds, what was told, and notes beside it."""


@dataclass
class Meter:
    """What is told is added up until a minute is over, or `flush` is called; then `emit` has it, once."""

    emit: Emit
    clock: Callable[[], float]
    _sums: dict[str, float] = field(default_factory=dict)
    _values: dict[str, list[float]] = field(default_factory=dict)
    _notes: dict[str, dict[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def count(self, metric: Metric, amount: float = 1) -> None:
        """So much more of it."""
        with self._lock:
            self._sums[metric.name] = self._sums.get(metric.name, 0) + amount

    def value(self, metric: Metric, *values: float) -> None:
        """Measured values, of which each counts."""
        if values:
            with self._lock:
                self._values.setdefault(metric.name, []).extend(values)

    def note(self, group: str, name: str, amount: float) -> None:
        """Something that is no metric of its own, such as the seconds of one table: added up beside them."""
        with self._lock:
            noted = self._notes.setdefault(group, {})
            noted[name] = round(noted.get(name, 0) + amount, 3)

    def take(self, told: Told, notes: Mapping[str, Mapping[str, float]]) -> None:
        """What another meter gave as a line."""
        with self._lock:
            for name, value in told.items():
                if isinstance(value, Sequence):
                    self._values.setdefault(name, []).extend(value)
                else:
                    self._sums[name] = self._sums.get(name, 0) + value
        for group, named in notes.items():
            for name, amount in named.items():
                self.note(group, name, amount)

    def beat(self) -> None:
        """A moment at which a line may be written: it is if the last was a minute ago."""
        if self.clock() - self._began >= EVERY_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what was told since the last line, if anything was."""
        with self._lock:
            told: dict[str, float | Sequence[float]] = dict(self._sums)
            told |= {name: representative(values) for name, values in self._values.items()}
            notes = self._notes
            self._sums, self._values, self._notes = {}, {}, {}
            self._began = self.clock()
        if told:
            self.emit(self._began, told, notes)


def representative(values: Sequence[float]) -> list[float]:
    """At most `MOST_VALUES` of the values, evenly from the least to the largest, both included."""
    if len(values) <= MOST_VALUES:
        return list(values)
    ordered, last = sorted(values), len(values) - 1
    return [ordered[round(place * last / (MOST_VALUES - 1))] for place in range(MOST_VALUES)]
