"""Trends and ranges as their users write them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.rules.analysis import Analyses, Stickiness
from event_assets.rules.trends import Trends


def fault_of(folder: Path, text: str) -> str:
    (folder / "x.yaml").write_text(text)
    return Analyses.load(folder).faults["x"]


@pytest.mark.parametrize(
    ("said_of_it", "said"),
    [
        ("series: []", "series: "),
        ("series: [{event: a, measure: sum}]", "series[0].of: sum is of a property"),
        ("series: [{event: a, of: price}]", "series[0].of: count is of events"),
        ("series: [{event: a, measure: percentile, of: price}]", "series[0].percentile: it is for"),
        ("series: [{event: a, measure: median, of: price}]", "series[0].measure: "),
        ("series: [{event: a}], formulas: [{formula: A /}]", "formulas[0].formula: it must go on with a number"),
        ("series: [{event: a}], formulas: [{formula: A / B}]", "formulas[0]: there is no series B; there are A"),
        ("series: [{event: a}], breakdown: [a, b, c, d]", "breakdown: "),
        ("series: [{event: a}], breakdown: person.segment", "ask for person.segment in where"),
        ("series: [{event: a}], compare: true", "compare: what is before needs a length"),
        ("series: [{event: a}], days_ago: 7", "days_ago: it needs days"),
        ("series: [{event: a}], days: 7, from: 2026-01-01", "from: from says all"),
        ("series: [{event: a}], from: 2026-01-02, to: 2026-01-01", "to: it needs a day before it"),
        ("series: [{event: a}], to: 2026-01-01", "to: it needs a day before it"),
        ("series: [{event: a}], from: yesterday", "from: "),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, said_of_it: str, said: str) -> None:
    assert said in fault_of(tmp_path, f"{{kind: trends, name: x, {said_of_it}}}")


def test_days_are_counted_back_or_from_one_day_to_another() -> None:
    last = dt.date(2026, 3, 31)
    asked = {"name": "x", "series": [{"event": "a"}]}

    def span(**more: object) -> tuple[dt.date, dt.date] | None:
        return Trends.model_validate(asked | more, by_alias=True, by_name=False).span(last)

    assert span() is None
    assert span(days=7) == (dt.date(2026, 3, 25), last)
    assert span(days=7, days_ago=7) == (dt.date(2026, 3, 18), dt.date(2026, 3, 24))
    assert span(**{"from": dt.date(2026, 3, 1)}) == (dt.date(2026, 3, 1), last)
    assert span(**{"from": dt.date(2026, 3, 1), "to": dt.date(2026, 3, 2)}) == (
        dt.date(2026, 3, 1),
        dt.date(2026, 3, 2),
    )
    assert Stickiness(name="x", from_=last).span(last) == (last, last)
