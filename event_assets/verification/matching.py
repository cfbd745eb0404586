"""Which events an analysis is about, and in which period an event lies."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from event_assets.rules.condition import SEGMENT, Comparison, Scalar, Step, compared_with, listed
from event_assets.rules.pattern import pattern_of
from event_assets.rules.question import Period, Weekday
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
    return step is None or any(
        (wanted.event is None or event.event == wanted.event) and all_hold(event, wanted.where)
        for wanted in step.alternatives
    )


def all_hold(event: Event, where: Mapping[str, Any]) -> bool:
    """Whether all that is asked of fields holds of the event."""
    return all(
        _is_in(event.segments, compared_with(asked)) if name == SEGMENT else _holds(event.text(name), asked)
        for name, asked in where.items()
    )


def _is_in(segments: frozenset[str], asked: Comparison) -> bool:
    return (
        (asked.is_ is None or any(each in segments for each in listed(asked.is_)))
        and (asked.is_not is None or not any(each in segments for each in listed(asked.is_not)))
        and (asked.is_set is None or bool(segments) == asked.is_set)
    )


def _holds(text: str | None, asked: Any) -> bool:
    said = compared_with(asked)

    def is_any(values: Any) -> bool:
        return any(_is(text, value) for value in listed(values))

    def contains(words: Any) -> bool:
        return text is not None and any(each.lower() in text.lower() for each in listed(words))

    def matches(pattern: str) -> bool:
        return text is not None and re.search(pattern_of(pattern, end=r"\Z"), text) is not None

    return all(
        (
            said.is_ is None or is_any(said.is_),
            said.is_not is None or not is_any(said.is_not),
            said.contains is None or contains(said.contains),
            said.contains_not is None or not contains(said.contains_not),
            said.matches is None or matches(said.matches),
            said.matches_not is None or not matches(said.matches_not),
            said.above is None or _compares(text, said.above, gt),
            said.at_least is None or _compares(text, said.at_least, ge),
            said.below is None or _compares(text, said.below, lt),
            said.at_most is None or _compares(text, said.at_most, le),
            said.is_set is None or (text is not None) == said.is_set,
        )
    )


def _is(text: str | None, value: Scalar) -> bool:
    if text is None:
        return False
    if isinstance(value, bool):
        return text == str(value).lower()
    return text == value if isinstance(value, str) else _compares(text, value, eq)


def _compares(text: str | None, value: int | float, how: Callable[[Any, Any], bool]) -> bool:
    if text is None or _NUMBER.match(text) is None:
        return False
    is_exact = abs(value) >= 2**53 and value % 1 == 0 and _INTEGER.match(text)
    return how(Decimal(text), int(value)) if is_exact else how(float(text), float(value))


def number_of(text: str | None) -> float | None:
    """The number that a text is; None where it is none."""
    return None if text is None or _NUMBER.match(text) is None else float(text)


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
