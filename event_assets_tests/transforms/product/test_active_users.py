from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.transforms.product.active_users import active_users
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def seen(person: str, *days: float, event: str = "view") -> list[Row]:
    return [enriched_event(event, at(days=day), anonymous_id=person) for day in days]


def table(spark: SparkSession, rows: Iterable[Row], *what: Any) -> dict[int, tuple[int, int, int]]:
    """Day, week and month of each day since the first of all."""
    made = rows_of(active_users(frame(spark, rows).withColumn("person_id", F.col("anonymous_id")), *what))
    return {(row["event_date"] - at(0).date()).days: (row["dau"], row["wau"], row["mau"]) for row in made}


def test_a_person_is_active_for_the_day_for_7_and_for_30(spark: SparkSession) -> None:
    found = table(spark, [*seen("p", 0), *seen("q", 40, event="x")], "view")
    assert [day for day, counts in found.items() if counts[0]] == [0]
    assert [day for day, counts in found.items() if counts[1]] == list(range(7))
    assert [day for day, counts in found.items() if counts[2]] == list(range(30))
    assert sorted(found) == list(range(30))


def test_one_event_of_another_decade_adds_its_own_days_and_no_others(spark: SparkSession) -> None:
    decades = seen("old", -18_000)
    found = table(spark, [*decades, *seen("p", 0, 1)])
    assert len(found) == 30 + 2
    assert {day: found[day] for day in (0, 1)} == table(spark, seen("p", 0, 1))


def test_a_span_rolls_on_day_by_day_after_the_last_of_many_has_come(spark: SparkSession) -> None:
    came = [row for day in range(10) for row in seen(f"p{day}", day)]
    found = table(spark, [*came, *seen("z", 17, event="x")], "view")
    assert [found[day][1] for day in range(18)] == [1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert [found[day][2] for day in (8, 9, 17)] == [9, 10, 10]


def test_stickiness_is_the_day_by_the_month(spark: SparkSession) -> None:
    rows = [*seen("p", 0, 1), *seen("q", 0)]
    made = rows_of(active_users(frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))))
    assert [(row["event_date"], row["stickiness"]) for row in made] == [
        (dt.date(2026, 3, 2), 1.0),
        (dt.date(2026, 3, 3), 0.5),
    ]


def test_nobody_is_no_row(spark: SparkSession) -> None:
    assert table(spark, seen("p", 0), "signup") == {}


@examples(6)
@given(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 70)), min_size=1, max_size=25))
def test_nobody_counts_twice_in_a_span(spark: SparkSession, data: set[tuple[int, int]]) -> None:
    def active(day: int, span: int) -> int:
        return len({person for person, other in data if day - span < other <= day})

    first, last = min(day for _, day in data), max(day for _, day in data)
    expected = {day: (active(day, 1), active(day, 7), active(day, 30)) for day in range(first, last + 1)}
    expected = {day: counts for day, counts in expected.items() if counts[2]}
    assert table(spark, [row for person, day in sorted(data) for row in seen(f"p{person}", day)]) == expected


@examples(3)
@given(
    st.sets(st.tuples(st.integers(1, 3), st.integers(0, 40)), min_size=1, max_size=20),
    st.integers(0, 40),
    st.integers(1, 12),
)
def test_days_choose_rows_that_know_all_before_and_hold_them_against_as_many_days_earlier(
    spark: SparkSession, data: set[tuple[int, int]], first: int, length: int
) -> None:
    rows = [row for person, day in sorted(data) for row in seen(f"p{person}", day)]
    whole = table(spark, rows)
    span = (at(days=first).date(), at(days=first + length - 1).date())
    events = frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))
    found: dict[str, dict[int, tuple[int, int, int]]] = {"now": {}, "before": {}}
    for row in rows_of(active_users(events, span=span, compare=True)):
        found[row["span"]][(row["event_date"] - at(0).date()).days] = (row["dau"], row["wau"], row["mau"])
    assert found["now"] == {day: whole[day] for day in range(first, first + length) if day in whole}
    assert found["before"] == {day + length: whole[day] for day in range(first - length, first) if day in whole}
