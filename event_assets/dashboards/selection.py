"""What a visitor of the pages chose: period, comparison and filters, as the address says. No database here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

PERIODS: Mapping[str, str] = {
    "today": "Today",
    "7d": "Last 7 days",
    "28d": "Last 28 days",
    "90d": "Last 90 days",
    "month": "This month",
}
COMPARISONS: Mapping[str, str] = {"before": "Period before", "year": "A year before", "none": "Nothing"}
ROBOTS: Mapping[str, str] = {"without": "Left out", "with": "Counted too", "only": "Robots alone"}
MODELS: Mapping[str, str] = {
    "first": "First touch",
    "last": "Last touch",
    "linear": "Linear",
    "position": "By position",
    "time_decay": "Time decay",
    "data_driven": "Data-driven",
}
"""Attribution models: which of the touches before a conversion are credited with it."""
DIMENSIONS: Mapping[str, str] = {
    "app_id": "App",
    "platform": "Platform",
    "country": "Country",
    "channel_group": "Channel",
}
"""The dimensions that a page can be filtered by, with their titles."""

_DAYS = {"today": 1, "7d": 7, "28d": 28, "90d": 90}
_DEFAULT = "28d"
DEFAULT_MODEL = "last"
_MOST_VALUES, _LONGEST_VALUE = 50, 512
_YEAR = dt.timedelta(days=364)
"""A year of whole weeks, so that a Monday is held against a Monday."""


@dataclass(frozen=True)
class Span:
    """From a moment on, up to before another one, by a clock of sites. `spread`: how many days in UTC before and after
    its days may have part of them; 0 where sites' days are those in UTC."""

    first: dt.datetime
    until: dt.datetime
    spread: int = 0

    @property
    def days(self) -> list[dt.date]:
        """The days that it touches."""
        last = (self.until - dt.timedelta(microseconds=1)).date()
        return [self.first.date() + dt.timedelta(days=n) for n in range((last - self.first.date()).days + 1)]

    @property
    def is_of_whole_days(self) -> bool:
        """Whether it ends with a day."""
        return self.until.time() == dt.time()

    @property
    def whole(self) -> Span | None:
        """Its whole days, of one that begins with a day; None where it has none."""
        return replace(self, until=self._midnight) if self._midnight > self.first else None

    @property
    def rest(self) -> Span | None:
        """What it has of the day that goes on after these."""
        return replace(self, first=self._midnight) if self.until > self._midnight else None

    @property
    def _midnight(self) -> dt.datetime:
        return self.until.replace(hour=0, minute=0, second=0, microsecond=0)

    def shifted(self, by: dt.timedelta) -> Span:
        """The same so much earlier."""
        return replace(self, first=self.first - by, until=self.until - by)


@dataclass(frozen=True)
class Selection:
    """What is looked at. `values` are the chosen values by dimension; of none, all."""

    period: str = _DEFAULT
    compare: str = "before"
    robots: str = "without"
    model: str = DEFAULT_MODEL
    segments: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def of(address: str | None) -> Selection:
        """The selection of an address's query; what it does not know, or what cannot be, is as by default."""
        given = parse_qs((address or "").lstrip("?"))

        def one(name: str, known: Mapping[str, str], default: str) -> str:
            value = given.get(name, [default])[0]
            return value if value in known else default

        def several(name: str) -> tuple[str, ...]:
            kept = (
                value for value in given.get(name, []) if value and len(value) <= _LONGEST_VALUE and "\0" not in value
            )
            return tuple(dict.fromkeys(kept))[:_MOST_VALUES]

        return Selection(
            one("period", PERIODS, _DEFAULT),
            one("compare", COMPARISONS, "before"),
            one("robots", ROBOTS, "without"),
            one("model", MODELS, DEFAULT_MODEL),
            several("segment"),
            {name: chosen for name in DIMENSIONS if (chosen := several(name))},
        )

    @property
    def address(self) -> str:
        """The query of an address: only what is not as by default."""
        given: dict[str, object] = {}
        defaults = {"period": _DEFAULT, "compare": "before", "robots": "without", "model": DEFAULT_MODEL}
        for name, default in defaults.items():
            if (value := getattr(self, name)) != default:
                given[name] = value
        given |= {name: list(values) for name, values in self.values.items() if values}
        given |= {"segment": list(self.segments)} if self.segments else {}
        return f"?{urlencode(given, doseq=True)}" if given else ""

    @property
    def title(self) -> str:
        """The period in words."""
        return PERIODS[self.period]

    def with_value(self, name: str, value: str | tuple[str, ...]) -> Selection:
        """The same with another choice of one filter."""
        if name in DIMENSIONS:
            return replace(self, values={**self.values, name: tuple(value)})
        if name == "segment":
            return replace(self, segments=tuple(value))
        chosen: dict[str, Any] = {name: value}
        return replace(self, **chosen)

    def span(self, now: dt.datetime, spread: int = 0) -> Span:
        """The period: whole days up to now by its clock, today being one of them."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "month":
            return Span(midnight.replace(day=1), now, spread)
        return Span(midnight - dt.timedelta(days=_DAYS[self.period] - 1), now, spread)

    def span_before(self, now: dt.datetime, spread: int = 0) -> Span | None:
        """What the period is held against, up to the same hour; None for nothing."""
        span = self.span(now, spread)
        if self.compare == "none":
            return None
        if self.compare == "year":
            return span.shifted(_YEAR)
        if self.period == "month":
            first = (span.first - dt.timedelta(days=1)).replace(day=1)
            return replace(span, first=first, until=min(first + (span.until - span.first), span.first))
        return span.shifted(dt.timedelta(days=_DAYS[self.period]))


def equal_hours(now: Span, before: Span, *, whole_days: bool) -> tuple[Span, Span] | None:
    """The parts of two periods that can be held against each other: as long, from their beginnings on, and of
    `whole_days` where nothing is known of hours. None where there is no such part."""
    length = min(now.until - now.first, before.until - before.first)
    if whole_days:
        length = dt.timedelta(days=length.days)
    return (_beginning(now, length), _beginning(before, length)) if length else None


def _beginning(span: Span, length: dt.timedelta) -> Span:
    return replace(span, until=span.first + length)
