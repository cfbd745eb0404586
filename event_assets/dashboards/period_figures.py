"""Lifecycles, active people and retention as figures: what is now, and beside it what it is held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from event_assets.dashboards.database import Row
from event_assets.dashboards.figures import Field, Figure

LIFECYCLE_COLUMNS = ("span", "period_start", "status", "people")
ACTIVE_COLUMNS = ("span", "event_date", "dau", "wau", "mau", "stickiness")
RETENTION_COLUMNS = ("span", "breakdown", "cohort_start", "period", "share", "cohort_people")
"""The columns that each figure is made of, in this order."""
BEFORE = "_before"
"""What the name of a field has behind that of the one that it is held against."""
_NOW, _ALL = "now", "(all)"
_SHOWN_DAYS, _MOST_COHORTS, _MOST_OF_A_VALUE = 90, 26, 8
_STATUSES = ("new", "returning", "resurrecting", "dormant")


def figure_of_lifecycle(title: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """A row a period: the people of each status, then those of the period that it is held against, where it is."""
    counts: dict[dt.date, dict[tuple[str, str], int]] = {}
    for span, start, status, people in rows:
        counts.setdefault(start.date(), {})[span, status] = people
    spans = _spans(rows)
    fields = [_held(Field(status, status.capitalize(), "number"), span) for span in spans for status in _STATUSES]
    made = [
        (day, *(counts[day].get((span, status), 0) for span in spans for status in _STATUSES))
        for day in sorted(counts)[-_SHOWN_DAYS:]
    ]
    told = (
        "New, returning and resurrecting people of each period; those who were there the period before and are not any "
        "more stand below the line."
    )
    return Figure(title, (Field("period", "Period from", "date"), *fields), made, told, (note,), empty=empty)


def figure_of_active(title: str, name: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """A row a day: who was active on it, in the 7 and in the 30 days up to it, and the same of days before."""
    days: dict[dt.date, dict[str, Row]] = {}
    for row in rows:
        days.setdefault(row[1], {})[row[0]] = row[2:]
    spans = _spans(rows)
    measures = (
        Field("dau", "Day (DAU)", "number"),
        Field("wau", "7 days (WAU)", "number"),
        Field("mau", "30 days (MAU)", "number"),
        Field("stickiness", "Stickiness (DAU / MAU)", "percent"),
    )
    fields = [_held(field, span) for span in spans for field in measures]
    nothing = (None,) * len(measures)
    made = [
        (day, *(value for span in spans for value in days[day].get(span, nothing)))
        for day in sorted(days)[-_SHOWN_DAYS:]
    ]
    told = f"People active on the day, in the 7 and in the 30 days up to it, each once ({name})."
    return Figure(title, (Field("day", "Day", "date"), *fields), made, told, (note,), empty=empty)


def figure_of_retention(title: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """A row a cohort; of each value of the breakdown, and of what it is held against, where there are any."""
    cohorts: dict[tuple[str, dt.date, str], dict[int, float]] = {}
    sizes: dict[tuple[str, dt.date, str], int] = {}
    for span, value, start, period, share, size in rows:
        cohorts.setdefault((value, start.date(), span), {})[period] = share
        sizes[value, start.date(), span] = size
    most = max((period for known in cohorts.values() for period in known), default=0)
    values = sorted({value for value, _, _ in cohorts}, key=lambda value: (value != _ALL, value))
    has_parts = len(values) > 1 or _spans(rows) != [_NOW]
    made: list[tuple[Any, ...]] = []
    for value in values:
        days = sorted({day for of, day, _ in cohorts if of == value})
        for day in days[-(_MOST_COHORTS if value == _ALL else _MOST_OF_A_VALUE) :]:
            for span in sorted((s for of, d, s in cohorts if (of, d) == (value, day)), key=lambda s: s != _NOW):
                of = (value, day, span)
                part = [value if span == _NOW else f"{value} (before)"] if has_parts else []
                made.append((day, *part, sizes[of], *(cohorts[of].get(n) for n in range(most + 1))))
    fields = (
        Field("cohort", "Cohort from", "date"),
        *([Field("of", "Of")] if has_parts else []),
        Field("people", "People", "number"),
        *(Field(f"p{n}", str(n), "percent") for n in range(most + 1)),
    )
    told = "Share of each cohort that came back in each period after its first; 0 is the cohort itself."
    return Figure(title, fields, made, told, (note,), empty=empty)


def first_period(figure: Figure) -> int:
    """The place of the first period among the fields of a retention's figure."""
    return next(place for place, field in enumerate(figure.fields) if field.name == "p0")


def _spans(rows: Sequence[Row]) -> list[str]:
    return sorted({row[0] for row in rows} | {_NOW}, key=lambda span: span != _NOW)


def _held(field: Field, span: str) -> Field:
    return field if span == _NOW else Field(field.name + BEFORE, f"{field.title} (before)", field.format)
