"""Charts show what figures say, and no more."""

from __future__ import annotations

import datetime as dt

import pytest

from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formatter import Formatter


@pytest.mark.parametrize("kind", ["line", "trends"])
@pytest.mark.parametrize(("values", "has_gaps"), [([1, 2, 3, 4], False), ([1, None, 3, None], True)])
def test_a_line_is_broken_where_there_is_nothing_to_measure(
    values: list[float | None], has_gaps: bool, kind: str
) -> None:
    fields = (Field("period", "Period from", "date"), Field("l0", "Views a person", "decimal"))
    rows = [(dt.date(2026, 11, day), value) for day, value in enumerate(values, 1)]
    chart = CHARTS[kind](Figure("Views", fields, rows), Formatter())
    assert (chart.connectNulls, chart.withDots) == (False, has_gaps)
