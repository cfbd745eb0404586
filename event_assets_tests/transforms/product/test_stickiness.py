from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.transforms.product.stickiness import stickiness
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def seen(person: str, *days: float, event: str = "view", **fields: Any) -> list[Row]:
    return [enriched_event(event, at(days=day), anonymous_id=person, **fields) for day in days]


def people(spark: SparkSession, rows: Iterable[Row], *what: Any, **how: Any) -> list[int]:
    """How many persons were active in one period, in two, in three, …"""
    made = rows_of(stickiness(frame(spark, rows).withColumn("person_id", F.col("anonymous_id")), *what, **how))
    found = {row["periods"]: row["people"] for row in made}
    assert sorted(found) == list(range(1, len(found) + 1))
    return [found[number] for number in sorted(found)]


def test_people_are_counted_by_the_number_of_periods_in_which_they_came(spark: SparkSession) -> None:
    rows = [*seen("p1", 0), *seen("p2", 0, 1, 1.2), *seen("p3", 0, 1, 2), *seen("p4", 5)]
    assert people(spark, rows) == [2, 1, 1]


def test_the_periods_need_not_follow_each_other_and_the_numbers_end_with_the_most_that_anybody_has(
    spark: SparkSession,
) -> None:
    rows = [*seen("p", 0, 3, 5), *seen("q", 7, event="x")]
    assert people(spark, rows, "view") == [0, 0, 1]


@pytest.mark.parametrize(("period", "days"), [("hour", 1 / 24), ("day", 1), ("week", 7), ("month", 31)])
def test_a_period_may_be_of_any_kind(spark: SparkSession, period: Any, days: float) -> None:
    rows = [*seen("p", 0, 0.01, days), *seen("q", 0, days, 2 * days), *seen("r", 3 * days)]
    assert people(spark, rows, period=period) == [1, 1, 1]


def test_weeks_begin_on_sunday_unless_told_otherwise(spark: SparkSession) -> None:
    assert people(spark, seen("p", 5, 6), period="week") == [0, 1]
    assert people(spark, seen("p", 5, 6), period="week", week_starts="monday") == [1]


def test_a_step_may_ask_for_properties_and_the_share_is_of_those_who_came(spark: SparkSession) -> None:
    pro = {"properties": '{"plan": "pro"}'}
    rows = [*seen("p", 0, 1, **pro), *seen("q", 0, **pro), *seen("q", 1), *seen("r", 1, **pro), *seen("s", 0)]
    events = frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))
    made = rows_of(stickiness(events, Step(event="view", where={"plan": "pro"})))
    assert [(row["periods"], row["people"], round(row["share"], 3)) for row in made] == [(1, 2, 0.667), (2, 1, 0.333)]


def test_nobody_is_no_row(spark: SparkSession) -> None:
    assert people(spark, seen("p", 0), "signup") == []
    assert people(spark, []) == []


@examples(6)
@given(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 12)), min_size=1, max_size=25))
def test_a_row_is_what_counting_says(spark: SparkSession, data: set[tuple[int, int]]) -> None:
    came = [sum(person == other for other, _ in data) for person in {person for person, _ in data}]
    rows = [row for person, day in sorted(data) for row in seen(f"p{person}", day)]
    assert people(spark, rows) == [came.count(number) for number in range(1, max(came) + 1)]
