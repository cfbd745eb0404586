"""Charts show what figures say, and no more."""

from __future__ import annotations

import datetime as dt

import pytest

from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import text_of


@pytest.mark.parametrize("kind", ["line", "trends"])
@pytest.mark.parametrize(
    ("values", "has_dots"),
    [([1, 2, 3, 4], False), ([1, 2, 3, None], False), ([1, None, 3, None], True), ([1, 2, None, 3], True)],
)
def test_a_line_is_broken_where_there_is_nothing_to_measure_and_what_stands_alone_is_a_dot(
    values: list[float | None], has_dots: bool, kind: str
) -> None:
    fields = (Field("period", "Period from", "date"), Field("l0", "Views a person", "decimal"))
    rows = [(dt.date(2026, 11, day), value) for day, value in enumerate(values, 1)]
    chart = CHARTS[kind](Figure("Views", fields, rows), Formatter())
    assert (chart.connectNulls, chart.withDots) == (False, has_dots)


def test_an_axis_of_what_is_counted_has_no_halves_and_one_of_money_has() -> None:
    for format_, has_halves in (("number", False), ("money", True)):
        fields = (Field("day", "Day", "date"), Field("value", "Value", format_))
        chart = CHARTS["line"](Figure("Value", fields, [(dt.date(2026, 11, 1), 1)]), Formatter())
        assert chart.yAxisProps["allowDecimals"] is has_halves


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [(100, 50, "▲ 100.0%"), (9_990, 10_000, "▼ 0.1%"), (9_996, 10_000, "= 0.0%"), (10_004, 10_000, "= 0.0%")],
)
def test_a_change_that_would_be_written_as_none_is_none(now: float, before: float, told: str) -> None:
    fields = (Field("sessions", "Sessions", "number"), Field("before", "Period before", "number"))
    shown = text_of(CHARTS["number"](Figure("Sessions", fields, [(now, before)]), Formatter()))
    assert told in shown and ("up" in shown) == ("▲" in told) and ("down" in shown) == ("▼" in told)
