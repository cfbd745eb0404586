"""Trends by going through the events of each period one by one: what their rows must be."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction

from event_assets.rules.formula import parsed, worked_out
from event_assets.rules.trends import Series, Trends
from event_assets.verification.history import Event
from event_assets.verification.matching import NONE, is_step, number_of, period_of, start_of
from event_assets.verification.report import Key, Values

COLUMNS = ("span", "series", "breakdown", "period_start", "letter", "measure", "series_name", "value")
_ALL, _OTHER = "(all)", "(other)"
_LARGEST_AMOUNT = 1e15
_MILLIONTHS = 1_000_000
_Place = tuple[str, str, int]


def trends_rows(trends: Trends, events: Sequence[tuple[str, Event]]) -> dict[Key, Values]:
    """The rows of trends by (span, series, breakdown, beginning of the period in microseconds), of events with their
    spans."""
    by = (trends.interval, trends.week_starts)
    counted = [(span, each) for span, each in events if any(is_step(each, series) for series in trends.series)]
    kept = _kept(trends, [event for span, event in counted if span == "now"])
    places: dict[_Place, list[Event]] = defaultdict(list)
    for span, event in counted:
        number = period_of(event.at if trends.interval == "hour" else event.shown, *by)
        places[span, _ALL, number].append(event)
        if trends.breakdowns:
            group = breakdown_of(event, trends.breakdowns)
            places[span, group if group in kept else _OTHER, number].append(event)
    rows: dict[Key, Values] = {}
    for (span, group, number), here in places.items():
        start = start_of(number, *by)
        letters = {Series.letter(k): _measured(each, here) for k, each in enumerate(trends.series)}
        for k, (letter, value) in enumerate(letters.items()):
            rows[span, k + 1, group, start] = (letter, trends.series[k].measure, trends.series[k].title, value)
        for k, each in enumerate(trends.formulas, len(letters) + 1):
            rows[span, k, group, start] = (None, "formula", each.title, _worked_out(each.formula, letters))
    return rows


def breakdown_of(event: Event, fields: Sequence[str]) -> str:
    """The value of an event: of one field its text, of several a JSON list of theirs."""
    texts = [NONE if (text := event.text(name)) is None else text for name in fields]
    return texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False, separators=(",", ":"))


def nothing(fields: int) -> str:
    """The value of an event that has none of so many fields."""
    return NONE if fields == 1 else json.dumps([NONE] * fields, separators=(",", ":"))


def most_frequent(values: Sequence[str], most: int) -> set[str]:
    """The most frequent values, ties by their order; none that looks like everybody."""
    count = Counter(values)
    return set(sorted(count, key=lambda value: (-count[value], value))[:most]) - {_ALL}


def _kept(trends: Trends, events: Sequence[Event]) -> set[str]:
    if not trends.breakdowns:
        return set()
    return most_frequent([breakdown_of(event, trends.breakdowns) for event in events], trends.breakdown_values)


def _measured(series: Series, events: Sequence[Event]) -> float | None:
    here = [event for event in events if is_step(event, series)]
    people = {event.person for event in here} - {None}
    if series.measure == "count":
        return float(len(here))
    if series.measure == "people":
        return float(len(people))
    if series.measure == "per_person":
        return sum(event.person is not None for event in here) / len(people) if people else None
    found = (number_of(event.text(series.of or "")) for event in here)
    values = [value for value in found if value is not None and math.isfinite(value)]
    if series.measure in ("min", "max"):
        return (min if series.measure == "min" else max)(values, default=None)
    if series.measure == "percentile":
        return _percentile(sorted(values), series.share) if values else None
    amounts = [round(Fraction(str(value)) * _MILLIONTHS) for value in values if abs(value) < _LARGEST_AMOUNT]
    whole = sum(amounts) / _MILLIONTHS
    if series.measure == "sum":
        return float(whole)
    return whole / len(amounts) if amounts else None


def _percentile(values: Sequence[float], share: float) -> float:
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class _Nothing(Exception):
    """A part of a formula is null, or divides by 0."""


def _worked_out(formula: str, letters: dict[str, float | None]) -> float | None:
    def divide(left: float, right: float) -> float:
        if right == 0:
            raise _Nothing
        return left / right

    node = parsed(formula)
    known = {letter: value for letter, value in letters.items() if value is not None}
    try:
        return worked_out(node, known, float, divide)
    except (_Nothing, KeyError):
        return None
