"""Lifecycles, active people and retention beside what they are held against, and in the words of what is counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from event_assets.dashboards.analyses import figure_of_rows
from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.pictures import picture_of
from event_assets.rules.analysis import ActiveUsers, Lifecycle, Retention
from event_assets.rules.funnel import Funnel

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def spans(**row: Any) -> list[dict[str, Any]]:
    """A row, and the same row of the period before, in which all counts are 1 more."""
    before = {name: value + 1 if isinstance(value, int) else value for name, value in row.items()}
    return [{"span": "now", **row}, {"span": "before", **before}]


def test_a_lifecycle_stands_beside_the_period_before() -> None:
    rows = [*spans(period_start=DAY, status="new", people=3), *spans(period_start=DAY, status="dormant", people=-2)]
    figure = figure_of_rows(Lifecycle(name="x", days=1, compare=True), rows)
    assert figure.rows == [(DAY.date(), 3, 0, 0, -2, 4, 0, 0, -1)]
    chart = CHARTS["lifecycle"](figure, Formatter())
    assert {(each["name"], each["stackId"]) for each in chart.series} >= {("New", "now"), ("New (before)", "before")}
    assert chart.data[0]["New (before)"] == 4
    assert picture_of("lifecycle", figure, format_="svg").startswith(b"<?xml")
    alone = figure_of_rows(Lifecycle(name="x"), [row for row in rows if row["span"] == "now"])
    assert [field.title for field in alone.fields] == ["Period from", "New", "Returning", "Resurrecting", "Dormant"]


def test_active_people_have_a_dashed_line_of_the_days_before() -> None:
    rows = spans(event_date=DAY.date(), dau=1, wau=2, mau=4, stickiness=0.25)
    figure = figure_of_rows(ActiveUsers(name="x", days=1, compare=True), rows)
    assert figure.rows == [(DAY.date(), 1, 2, 4, 0.25, 2, 3, 5, 0.25)]
    series = CHARTS["active_users"](figure, Formatter()).series
    assert [(each["name"], "strokeDasharray" in each) for each in series][3:] == [
        (f"{name} (before)", True) for name in ("Day (DAU)", "7 days (WAU)", "30 days (MAU)")
    ]


def test_retention_has_a_row_of_each_value_and_of_what_it_is_held_against() -> None:
    rows = [
        row | {"share": 1.0, "period": 0}
        for value in ("DE", "(all)")
        for row in spans(breakdown=value, cohort_start=DAY, cohort_people=5)
    ]
    figure = figure_of_rows(Retention(name="x", days=1, compare=True, breakdown="country"), rows)
    assert figure.rows == [
        (DAY.date(), "(all)", 5, 1.0),
        (DAY.date(), "(all) (before)", 6, 1.0),
        (DAY.date(), "DE", 5, 1.0),
        (DAY.date(), "DE (before)", 6, 1.0),
    ]
    assert "DE (before)" in str(CHARTS["retention"](figure, Formatter()))
    assert picture_of("retention", figure, format_="svg").startswith(b"<?xml")
    everybody = [row for row in rows if (row["span"], row["breakdown"]) == ("now", "(all)")]
    assert figure_of_rows(Retention(name="x"), everybody).rows == [(DAY.date(), 5, 1.0)]


def test_companies_are_called_so() -> None:
    steps: Any = [{"event": "a"}, {"event": "b"}]
    row = {"breakdown": "(all)", "step": 1, "step_name": "a", "people": 7, "conversion": 1.0, "step_conversion": 1.0}
    asked = Funnel.model_validate({"name": "x", "steps": steps, "unit": "group"})
    figure = figure_of_rows(asked, [row | {"median_seconds": None}])
    assert "Companies" in [field.title for field in figure.fields] and figure.description.startswith("Companies who")
    assert "7 companies" in str(CHARTS["funnel"](figure, Formatter()))
