"""The days that a run brings up to date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """All days from `first` to `last`, both included (UTC), or of these only the `days`. Dates of the lake are text,
    `2026-11-22`."""

    first: dt.date
    last: dt.date
    days: frozenset[str] | None = None

    @staticmethod
    def of(start: dt.datetime, end: dt.datetime) -> Window:
        """The days that a stretch of time (its end not included) lies on."""
        return Window(start.date(), max(start.date(), (end - dt.timedelta(microseconds=1)).date()))

    @staticmethod
    def of_days(days: Iterable[str]) -> Window:
        """Exactly these days, however far apart they lie."""
        return Window(dt.date.min, dt.date.max, frozenset(days))

    def __contains__(self, date: str) -> bool:
        return str(self.first) <= date <= str(self.last) and (self.days is None or date in self.days)

    def among(self, dates: Iterable[str]) -> list[str]:
        """Those of the dates that lie in the window, in order."""
        return sorted(date for date in dates if date in self)


EVERYTHING = Window(dt.date.min, dt.date.max)
"""A window that every date lies in."""
