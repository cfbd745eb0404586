"""One line of the report, and the ways in which what is expected and what was found can be put side by side."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from event_assets.verification.evidence import Evidence

Key = tuple[Any, ...]
Values = tuple[Any, ...]
_CENTS = 2


class Expectation(NamedTuple):
    """One line of the report. `component` is the stage, `what` the question, `ok` whether expected and actual agree.

    `late`: nothing is judged, because the component has not been refreshed since what it is made of changed.
    """

    component: str
    what: str
    expected: Any
    actual: Any
    ok: bool
    late: bool = False


def same(component: str, what: str, evidence: Evidence, expected: str, actual: str) -> Expectation:
    """Two queries that must give the same number."""
    return equal(component, what, evidence.number(expected), evidence.number(actual))


def none(component: str, what: str, evidence: Evidence, query: str) -> Expectation:
    """A query that must give no rows."""
    return same(component, what, evidence, "SELECT 0", f"SELECT count(*) FROM ({query})")


def between(component: str, what: str, evidence: Evidence, least: str, more: str, actual: str) -> Expectation:
    """For counts that are not sure: a request without an answer may have left one more copy."""
    low, spare, found = evidence.number(least), evidence.number(more), evidence.number(actual)
    shown = low if not spare else f"{low} to {low + spare}"
    return Expectation(component, what, shown, found, low <= found <= low + spare)


def equal(component: str, what: str, expected: float, actual: float) -> Expectation:
    """Two numbers that must be the same, to the cent where they are sums of amounts."""
    if isinstance(expected, float) or isinstance(actual, float):
        expected, actual = (round(value + 0.0, _CENTS) for value in (expected, actual))
    return Expectation(component, what, expected, actual, expected == actual)


def differing(
    component: str, what: str, expected: Mapping[Key, Values], found: Iterable[tuple[Key, Values]]
) -> Expectation:
    """Rows by key: those that are missing, too many, there twice, or say something else are counted."""
    rows = list(found)
    twice = sum(count - 1 for count in Counter(key for key, _ in rows).values())
    by_key = dict(rows)
    wrong = sum(
        key not in expected or key not in by_key or not _agree(expected[key], by_key[key])
        for key in expected.keys() | by_key.keys()
    )
    return equal(component, what, 0, wrong + twice)


def _agree(expected: Values, found: Values) -> bool:
    return all(map(_is_same, expected, found))


def _is_same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-6)
    return bool(expected == found)


def moment(at: float) -> str:
    """Seconds since 1970 for people."""
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds")
