from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.transforms.product.lifecycle import lifecycle
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def seen(person: str, *days: float, event: str = "view") -> list[Row]:
    return [enriched_event(event, at(days=day), anonymous_id=person) for day in days]


def of_people(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))


def table(spark: SparkSession, rows: Iterable[Row], *what: Any, **how: Any) -> list[tuple[int, int, int, int]]:
    """New, returning, resurrecting and dormant of each period, in order."""
    periods: dict[Any, dict[str, int]] = {}
    for row in rows_of(lifecycle(of_people(spark, rows), *what, **how)):
        periods.setdefault(row["period_start"], {})[row["status"]] = row["people"]
    return [
        (found["new"], found["returning"], found["resurrecting"], found["dormant"])
        for _, found in sorted(periods.items())
    ]


def test_a_person_is_new_then_returning_then_dormant_then_resurrecting(spark: SparkSession) -> None:
    assert table(spark, seen("p", 0, 1, 4), period="day") == [
        (1, 0, 0, 0),
        (0, 1, 0, 0),
        (0, 0, 0, -1),
        (0, 0, 1, 0),
    ]


def test_one_event_of_another_decade_adds_its_own_periods_and_no_others(spark: SparkSession) -> None:
    found = table(spark, [*seen("old", -18_000), *seen("p", 0, 1)], period="day")
    assert found == [(1, 0, 0, 0), (0, 0, 0, -1), (1, 0, 0, 0), (0, 1, 0, 0)]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_every_kind_of_period_gives_the_same_table(spark: SparkSession, period: Any) -> None:
    came = {"p": (0, 1, 2, 4, 6), "q": (0, 3), "r": (3,)}
    unit = {"hour": 1 / 24, "day": 1, "week": 7}
    months = (0, 31, 61, 92, 122, 153, 183)
    rows = [
        row
        for person, numbers in came.items()
        for row in seen(person, *(months[k] if period == "month" else k * unit[period] for k in numbers))
    ]
    assert table(spark, rows, period=period) == [
        (2, 0, 0, 0),
        (0, 1, 0, -1),
        (0, 1, 0, 0),
        (1, 0, 1, -1),
        (0, 0, 1, -2),
        (0, 0, 0, -1),
        (0, 0, 1, 0),
    ]


def test_who_was_active_in_the_last_period_of_all_is_not_dormant_yet(spark: SparkSession) -> None:
    assert table(spark, seen("p", 0), period="day") == [(1, 0, 0, 0)]
    assert table(spark, [*seen("p", 0), *seen("q", 1, event="x")], "view", period="day") == [
        (1, 0, 0, 0),
        (0, 0, 0, -1),
    ]


def test_many_events_in_a_period_are_one_person(spark: SparkSession) -> None:
    assert table(spark, [*seen("p", 0, 0.1, 0.2), *seen("q", 0)], period="week") == [(2, 0, 0, 0)]


def test_weeks_and_months_follow_each_other_across_the_year(spark: SparkSession) -> None:
    assert table(spark, seen("p", 0, 7, 302, 310), period="month")[-2:] == [(0, 0, 1, 0), (0, 1, 0, 0)]
    assert table(spark, seen("p", 5, 6), period="week") == [(1, 0, 0, 0), (0, 1, 0, 0)]
    assert table(spark, seen("p", 5, 6), period="week", week_starts="monday") == [(1, 0, 0, 0)]


def test_nobody_is_no_row(spark: SparkSession) -> None:
    assert table(spark, seen("p", 0), "signup") == []


@examples(6)
@given(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=25))
def test_a_table_is_what_sets_say(spark: SparkSession, data: set[tuple[int, int]]) -> None:
    active = {day: {person for person, other in data if other == day} for day in range(-1, 10)}
    first, last = min(day for _, day in data), max(day for _, day in data)
    expected = []
    for day in range(first, last + 1):
        today, before = active[day], active[day - 1]
        ever = set().union(*(active[other] for other in range(-1, day)))
        expected.append((len(today - ever), len(today & before), len((today & ever) - before), -len(before - today)))
    rows = [row for person, day in sorted(data) for row in seen(f"p{person}", day)]
    assert table(spark, rows, period="day") == [counts for counts in expected if any(counts)]


def test_days_choose_periods_whole_and_hold_them_against_as_many_before(spark: SparkSession) -> None:
    """Weeks begin on March 1, 8, 15: the days lie in the last two, and before them there is the first alone."""
    rows = [*seen("p", 0, 7, 14), *seen("q", 1, 14)]
    span = (at(days=9).date(), at(days=14).date())
    found = {
        (row["span"], f"{row['period_start']:%m-%d}", row["status"]): row["people"]
        for row in rows_of(lifecycle(of_people(spark, rows), period="week", span=span, compare=True))
        if row["people"]
    }
    assert found == {
        ("before", "03-15", "new"): 2,
        ("now", "03-08", "returning"): 1,
        ("now", "03-08", "dormant"): -1,
        ("now", "03-15", "returning"): 1,
        ("now", "03-15", "resurrecting"): 1,
    }
