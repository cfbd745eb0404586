"""Funnels of every kind, against tries that plain Python makes from every start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.rules.analysis import Analyses
from event_assets.rules.condition import Alternative, Step
from event_assets.rules.funnel import Exclusion, Funnel, FunnelTrend, TimeToConvert
from event_assets.transforms.product.funnels import funnel, funnel_trend, times_to_convert
from event_assets.verification.funnels import (
    COLUMNS,
    TIME_COLUMNS,
    TREND_COLUMNS,
    funnel_rows,
    funnel_trend_rows,
    time_rows,
)
from event_assets.verification.history import Event
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def events_of(rows: Sequence[Row]) -> list[Event]:
    times = [round(row["derived_at"].timestamp() * 1_000_000) for row in rows]
    return [
        Event(row["event_id"], row["event"], None, None, None, None, "web", t, t, 0.0, row, row["anonymous_id"], t)
        for row, t in zip(rows, times, strict=True)
    ]


def made(spark: SparkSession, asked: Funnel | FunnelTrend | TimeToConvert, rows: Sequence[Row]) -> dict[Any, Any]:
    events = frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))
    how: dict[str, Any] = {"within": asked.within, "order": asked.order, "exclusions": asked.exclusions}
    if isinstance(asked, Funnel):
        how |= {"breakdown": asked.breakdowns, "breakdown_values": asked.breakdown_values}
        return keyed(funnel(events, asked.steps, **how, breakdown_of=asked.breakdown_of), COLUMNS, 2)
    if isinstance(asked, FunnelTrend):
        return keyed(funnel_trend(events, asked.steps, **how, interval=asked.interval), TREND_COLUMNS, 1)
    how |= {"from_step": asked.from_step, "to_step": asked.to_step, "bins": asked.bins}
    return keyed(times_to_convert(events, asked.steps, **how), TIME_COLUMNS, 1)


def keyed(table: DataFrame, columns: Sequence[str], key: int) -> dict[Any, Any]:
    found = {}
    for row in rows_of(table):
        if "period_start" in row:
            row["period_start"] = round(row["period_start"].timestamp() * 1_000_000)
        values = tuple(row[name] for name in columns)
        found[values[:key]] = values[key:]
    return found


def expected(asked: Funnel | FunnelTrend | TimeToConvert, rows: Sequence[Row]) -> dict[Any, Any]:
    events = events_of(rows)
    if isinstance(asked, Funnel):
        return funnel_rows(asked, events)
    return funnel_trend_rows(asked, events) if isinstance(asked, FunnelTrend) else time_rows(asked, events)


def assert_same(found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    assert found.keys() == wanted.keys()
    for key, values in wanted.items():
        for one, other in zip(found[key], values, strict=True):
            is_same = math.isclose(one, other, rel_tol=1e-9) if isinstance(other, float) else one == other
            assert is_same, (key, found[key], values)


@st.composite
def journeys(draw: st.DrawFn) -> list[Row]:
    return [
        enriched_event(
            draw(st.sampled_from("abcxy")),
            at(minutes=minute),
            anonymous_id=person,
            country=draw(st.sampled_from([None, "DE", "FR"])),
            platform=draw(st.sampled_from(["web", "ios"])),
        )
        for person in ("p", "q", "r")
        for minute in draw(st.sets(st.integers(0, 60 * 72), max_size=9))
    ]


STEPS = [
    Step(event="a"),
    Step(any=[Alternative(event="b"), Alternative(event="c", where={"platform": "ios"})]),
    Step(event=None, where={"country": ["DE", "FR"]}),
]


@examples(5)
@given(rows=journeys(), data=st.data())
def test_a_funnel_of_any_kind_is_what_trying_every_start_gives(
    spark: SparkSession, rows: list[Row], data: st.DataObject
) -> None:
    order = data.draw(st.sampled_from(["ordered", "ordered", "unordered"]))
    exclusions = [
        Exclusion(event=event, after=after, before=before)
        for event, after, before in data.draw(
            st.lists(st.sampled_from([("x", 1, None), ("y", 1, 2), ("x", 2, 3), ("b", 2, 3)]), max_size=2)
        )
    ]
    common: dict[str, Any] = {
        "name": "x",
        "steps": STEPS,
        "order": order,
        "window": data.draw(st.sampled_from(["3 hours", "1 day", "14 days"])),
        "exclusions": exclusions if order == "ordered" else [],
    }
    fields: Any = data.draw(st.sampled_from(["country", ["country", "platform"]]))
    asked: list[Funnel | FunnelTrend | TimeToConvert] = [
        Funnel(
            **common,
            breakdown=fields,
            breakdown_values=data.draw(st.integers(1, 3)),
            breakdown_of=data.draw(st.sampled_from([1, 2, 3, "first_touch", "last_touch"])),
        ),
        FunnelTrend(**common, interval="day"),
        TimeToConvert(**common, to_step=data.draw(st.sampled_from([2, 3])), bins=data.draw(st.sampled_from([None, 4]))),
    ]
    for each in asked:
        assert_same(made(spark, each, rows), expected(each, rows))


def way(person: str, events: str) -> list[Row]:
    return [enriched_event(name, at(minutes=n), anonymous_id=person) for n, name in enumerate(events)]


def people(spark: SparkSession, asked: Funnel, rows: Sequence[Row]) -> list[int]:
    return [made(spark, asked, rows)["(all)", step + 1][1] for step in range(len(asked.steps))]


def test_unordered_steps_come_in_any_order_and_a_try_begins_with_any_of_them(spark: SparkSession) -> None:
    rows = [*way("p", "cba"), *way("q", "bc"), *way("r", "xc")]
    asked = Funnel(name="x", steps=[Step(event=name) for name in "abc"], order="unordered")
    assert people(spark, asked, rows) == [3, 2, 1]
    assert made(spark, asked, rows)["(all)", 2][0] == "2 of 3 steps"


def test_a_try_with_an_excluded_event_between_its_steps_does_not_count_and_another_may(spark: SparkSession) -> None:
    rows = [*way("p", "axb"), *way("q", "axbab"), *way("r", "abx"), *way("s", "ax")]
    asked = Funnel(name="x", steps=[Step(event="a"), Step(event="b")], exclusions=[Exclusion(event="x")])
    assert people(spark, asked, rows) == [2, 2]


@pytest.mark.parametrize(
    ("said_of_it", "said"),
    [
        ("exclusions: [{event: x, after: 2}]", "exclusions[0]: after and before are two of the 2 steps"),
        ("exclusions: [{event: x}], order: strict", "exclusions: strict steps have none"),
        ("breakdown: country, breakdown_of: 3", "breakdown_of: there are 2 steps"),
        ("breakdown_of: best", "breakdown_of: "),
        ("breakdown: [person.segment]", "breakdown: a person is in several segments"),
        ("order: unordered, steps: [{event: a}, {event: a}]", "steps: of unordered steps no two"),
    ],
)
def test_what_a_funnel_cannot_be_is_told(tmp_path: Path, said_of_it: str, said: str) -> None:
    steps = "" if "steps" in said_of_it else ", steps: [{event: a}, {event: b}]"
    (tmp_path / "x.yaml").write_text(f"{{kind: funnel, name: x, {said_of_it}{steps}}}")
    assert said in Analyses.load(tmp_path).faults["x"]
