"""What goes on over time, as a figure: a row a period, a column a series or formula and value of the breakdown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise

from event_assets.dashboards.database import Row
from event_assets.dashboards.figures import Field, Figure

COLUMNS = ("span", "series", "measure", "series_name", "breakdown", "period_start", "value")
"""The columns that a figure is made of, in this order."""
_MOST_LINES, _MOST_PERIODS = 12, 1_000
_ALL, _HOUR, _DAY = "(all)", dt.timedelta(hours=1), dt.timedelta(days=1)
_COUNTED = ("count", "people", "sum")
_Line = tuple[int, str, str, str, str]
"""Place, measure, name, value of the breakdown, span."""


def figure_of_trend(title: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """The figure. Formulas stand for the series that they are of; values of a breakdown for everybody."""
    shown = [row for row in rows if row[2] == "formula"] or list(rows)
    shown = [row for row in shown if row[4] != _ALL] or shown
    lines: dict[_Line, dict[dt.datetime, float | None]] = {}
    for span, series, measure, name, value, start, measured in shown:
        lines.setdefault((series, measure, name, value, span), {})[start] = measured
    most = sorted(lines, key=lambda line: (line[0], line[4] != "now", -_size(lines[line]), line[3]))[:_MOST_LINES]
    starts = list(_periods({start for line in most for start in lines[line]}))
    is_hourly = any(start.time() != dt.time() for start in starts)
    has_values, has_names = any(line[3] != _ALL for line in most), len({line[0] for line in most}) > 1
    fields = (
        Field("period", "Period from", "moment" if is_hourly else "date"),
        *(Field(f"l{n}", _title(line, has_names, has_values), _format(lines[line])) for n, line in enumerate(most)),
    )
    made = [
        (start if is_hourly else start.date(), *(lines[line].get(start, _missing(line)) for line in most))
        for start in starts
    ]
    notes = (note, f"The first {_MOST_LINES} of {len(lines)}.") if len(lines) > _MOST_LINES else (note,)
    names = dict.fromkeys(line[2] for line in most)
    told = f"{', '.join(names)}, by period." if names else ""
    return Figure(title, fields, made, told, notes, empty=empty)


def _size(values: dict[dt.datetime, float | None]) -> float:
    return sum(value or 0 for value in values.values())


def _title(line: _Line, has_names: bool, has_values: bool) -> str:
    _, _, name, value, span = line
    parts = ([name] if has_names or not has_values else []) + ([value] if has_values else [])
    return ", ".join(parts) + (" (before)" if span != "now" else "")


def _format(values: dict[dt.datetime, float | None]) -> str:
    is_whole = all(value is None or value == int(value) for value in values.values())
    return "number" if is_whole else "decimal"


def _missing(line: _Line) -> float | None:
    """What a period without a row has."""
    return 0.0 if line[1] in _COUNTED else None


def _periods(starts: set[dt.datetime]) -> Iterator[dt.datetime]:
    """The periods, those between them too that have no rows; of months, and of very many, those that there are."""
    ordered = sorted(starts)
    steps = {later - earlier for earlier, later in pairwise(ordered)}
    length = next((step for step in (7 * _DAY, _DAY, _HOUR) if all(not each % step for each in steps)), None)
    is_monthly = all(start.day == 1 for start in ordered)
    if not steps or length is None or is_monthly or (ordered[-1] - ordered[0]) // length > _MOST_PERIODS:
        yield from ordered[-_MOST_PERIODS:]
        return
    for number in range((ordered[-1] - ordered[0]) // length + 1):
        yield ordered[0] + number * length


def figure_of_funnel_trend(title: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """How a funnel converts, by the period in which people begin it."""
    fields = (
        Field("period", "Period from", "moment" if any(row[0].time() != dt.time() for row in rows) else "date"),
        Field("people", "People who began", "number"),
        Field("converted", "Of them to the end", "number"),
        Field("conversion", "Conversion", "percent"),
    )
    made = [(row[0] if fields[0].format == "moment" else row[0].date(), *row[1:]) for row in sorted(rows)]
    told = "Who took the first step in each period, and who of them reached the last within the window."
    return Figure(title, fields, made[-_MOST_PERIODS:], told, (note,), empty=empty)


def figure_of_times(title: str, rows: Sequence[Row], note: str, empty: str) -> Figure:
    """How many people took how long."""
    fields = (Field("from", "From", "duration"), Field("people", "People", "number"))
    return Figure(title, fields, sorted(rows), "How long people took from step to step.", (note,), empty=empty)
