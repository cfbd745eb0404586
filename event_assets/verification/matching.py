"""Which events an analysis is about, and in which period an event lies."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from event_assets.rules.analysis import Period, Scalar, Step, Weekday
from event_assets.verification.history import Event

NONE = "(none)"
"""Stands for a value that an event does not have."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*\Z")
_INTEGER = re.compile(r"\s*[+-]?[0-9]+(\.0*)?\s*\Z")
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


def is_step(event: Event, step: Step | None) -> bool:
    """Whether the event is what a step asks for; without a step every event is."""
    return step is None or (
        event.event == step.event
        and all(
            any(_is(event.text(name), value) for value in (allowed if isinstance(allowed, list) else [allowed]))
            for name, allowed in step.where.items()
        )
    )


def _is(text: str | None, value: Scalar) -> bool:
    if text is None:
        return False
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, str):
        return text == value
    if _NUMBER.match(text) is None:
        return False
    is_exact = abs(value) >= 2**53 and value % 1 == 0 and _INTEGER.match(text)
    return Decimal(text) == int(value) if is_exact else float(text) == float(value)


def period_of(at: int, period: Period, week_starts: Weekday = "sunday") -> int:
    """Number of the period that a time lies in; the next period has the next number."""
    if period == "month":
        date = _EPOCH + dt.timedelta(microseconds=at)
        return date.year * 12 + date.month - 1
    length, begins = _grid(period, week_starts)
    return (at - begins) // length


def start_of(number: int, period: Period, week_starts: Weekday = "sunday") -> int:
    """When a period begins, in microseconds since 1970."""
    if period == "month":
        month = dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)
        return (month - _EPOCH) // dt.timedelta(microseconds=1)
    length, begins = _grid(period, week_starts)
    return number * length + begins


def _grid(period: Period, week_starts: Weekday) -> tuple[int, int]:
    """Length of a period, and a moment at which one begins: 1970-01-04 was a Sunday."""
    if period == "week":
        return 7 * _DAY, (3 if week_starts == "sunday" else 4) * _DAY
    return (_HOUR if period == "hour" else _DAY), 0
