"""Retention, sentence by sentence, and against sets in plain Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.rules.analysis import Retention
from event_assets.rules.condition import Step
from event_assets.transforms.product.retention import retention
from event_assets.verification.periods import retention_rows
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.product.test_walks import events_of

Row = dict[str, Any]


def seen(person: str, *days: float, event: str = "view", **fields: Any) -> list[Row]:
    return [enriched_event(event, at(days=day), anonymous_id=person, **fields) for day in days]


def of_people(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))


def table(spark: SparkSession, rows: Iterable[Row], *what: Any, **how: Any) -> dict[str, list[int]]:
    """Each cohort's cells, by the day on which it began."""
    cohorts: dict[str, dict[int, int]] = {}
    for row in rows_of(retention(of_people(spark, rows), *what, **how)):
        cohorts.setdefault(f"{row['cohort_start']:%m-%d}", {})[row["period"]] = row["people"]
    return {start: [cells[k] for k in sorted(cells)] for start, cells in sorted(cohorts.items())}


def test_a_cell_is_those_of_the_cohort_who_come_back_so_many_periods_later(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, 1, 3), *seen("p2", 0, 1, 2), *seen("p3", 1, 3)]
    assert table(spark, rows, "view", period="day", periods=4) == {
        "03-02": [2, 2, 1, 1],
        "03-03": [3, 1, 2],
        "03-04": [1, 0],
        "03-05": [2],
    }


def test_first_time_counts_everybody_in_their_first_period_only(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, 1, 3), *seen("p2", 0, 1, 2), *seen("p3", 1, 3)]
    assert table(spark, rows, "view", period="day", periods=4, first_time=True) == {
        "03-02": [2, 2, 1, 1],
        "03-03": [1, 0, 1],
    }


def test_the_returning_event_may_be_another_and_cell_0_is_the_cohort(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, event="signup"), *seen("p1", 1), *seen("p2", 0, event="signup"), *seen("p3", 1)]
    assert table(spark, rows, "signup", "view", period="day", periods=2) == {"03-02": [2, 1]}


def test_a_step_may_ask_for_properties(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, properties='{"plan": "pro"}'), *seen("p2", 0)]
    assert table(spark, rows, Step(event="view", where={"plan": "pro"}), period="day") == {"03-02": [1]}


@pytest.mark.parametrize(
    ("period", "how", "starts"),
    [
        ("week", {}, {"03-01": [1, 1], "03-08": [1]}),
        ("week", {"week_starts": "monday"}, {"03-02": [1]}),
        ("month", {}, {"03-01": [1]}),
    ],
)
def test_weeks_begin_on_sunday_unless_told_otherwise(
    spark: SparkSession, period: Any, how: Any, starts: dict[str, list[int]]
) -> None:
    assert table(spark, seen("p", 0, 6), "view", period=period, periods=2, **how) == starts


def test_months_are_of_the_calendar_and_hours_of_the_clock(spark: SparkSession) -> None:
    months = table(spark, seen("p", 0, 29.4, 29.6, 60), "view", period="month", periods=3)
    assert months == {"03-01": [1, 1, 1], "04-01": [1, 1], "05-01": [1]}
    rows = [enriched_event("view", at(seconds)) for seconds in (0, 3599, 3600)]
    hours = rows_of(retention(of_people(spark, rows), "view", period="hour", periods=2))
    assert [(row["cohort_start"], row["period"], row["people"]) for row in hours] == [
        (at(0), 0, 1),
        (at(0), 1, 1),
        (at(hours=1), 0, 1),
    ]


def period_times(period: str, *numbers: int) -> list[dt.datetime]:
    """A time within each of these periods, counted from that of `NOON`."""
    unit = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(weeks=1)}
    return [
        at().replace(year=2026 + (2 + k) // 12, month=(2 + k) % 12 + 1, day=28)
        if period == "month"
        else at(minutes=30) + k * unit[period]
        for k in numbers
    ]


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_every_kind_of_period_gives_the_same_table(spark: SparkSession, period: Any) -> None:
    came = {"p": (0, 1, 3, 4), "q": (0, 2, 4, 14)}
    rows = [
        enriched_event("view", when, anonymous_id=person)
        for person, numbers in came.items()
        for when in period_times(period, *numbers)
    ]
    made = rows_of(retention(of_people(spark, rows), "view", period=period, periods=5))
    starts = sorted({row["cohort_start"] for row in made})
    cells = {(starts.index(row["cohort_start"]), row["period"]): row["people"] for row in made}
    table = [[cells[k, j] for j in range(5) if (k, j) in cells] for k in range(len(starts))]
    assert table == [[2, 1, 1, 1, 2], [1, 0, 1, 1, 0], [1, 0, 1, 0, 0], [1, 1, 0, 0, 0], [2, 0, 0, 0, 0], [1]]


def test_without_a_target_any_event_counts(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, event="a"), *seen("p1", 1, event="b"), *seen("p2", 1, event="c")]
    assert table(spark, rows, period="day") == {"03-02": [1, 1], "03-03": [2]}
    assert table(spark, rows, None, "b", period="day", first_time=True) == {"03-02": [1, 1], "03-03": [1]}


def test_periods_go_on_to_the_last_event_of_all_and_an_empty_cohort_has_no_row(spark: SparkSession) -> None:
    made = rows_of(
        retention(of_people(spark, [*seen("p", 0), *seen("q", 2, event="x")]), "view", period="day", periods=2)
    )
    assert [(row["period"], row["people"], row["cohort_people"], row["share"]) for row in made] == [
        (0, 1, 1, 1.0),
        (1, 0, 1, 0.0),
    ]


def test_one_event_of_another_decade_is_one_cohort_more(spark: SparkSession) -> None:
    rows = [*seen("p1", 0, 1), *seen("p2", 1)]
    found = table(spark, [*seen("old", -18_000.5), *rows], "view", period="day", periods=3)
    assert found == {"11-19": [1, 0, 0], **table(spark, rows, "view", period="day", periods=3)}


def test_without_a_target_there_is_no_row(spark: SparkSession) -> None:
    assert rows_of(retention(of_people(spark, seen("p", 0)), "signup")) == []


@examples(6)
@given(
    data=st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 12), st.sampled_from("trx")), min_size=1, max_size=40, unique=True
    ),
    first_time=st.booleans(),
    periods=st.integers(1, 6),
)
def test_a_table_is_what_sets_say(
    spark: SparkSession, data: list[tuple[int, int, str]], first_time: bool, periods: int
) -> None:
    rows = [row for person, day, event in data for row in seen(f"p{person}", day, event=event)]
    days: dict[str, dict[int, set[int]]] = {"t": {}, "r": {}, "x": {}}
    for person, day, event in data:
        days[event].setdefault(day, set()).add(person)
    targets, last = days["t"], max(day for _, day, _ in data)
    expected = {}
    for start in range(min(targets, default=last + 1), last + 1):
        cohort = set(targets.get(start, set()))
        if first_time:
            cohort -= set().union(*(people for day, people in targets.items() if day < start))
        if not cohort:
            continue
        later = [len(cohort & days["r"].get(start + k, set())) for k in range(1, min(periods, last - start + 1))]
        expected[f"{dt.date(2026, 3, 2) + dt.timedelta(days=start):%m-%d}"] = [len(cohort), *later]
    assert table(spark, rows, "t", "r", period="day", periods=periods, first_time=first_time) == expected


@examples(4)
@given(
    days=st.lists(
        st.tuples(st.sampled_from("pqr"), st.integers(0, 12), st.sampled_from("ab")), min_size=1, max_size=25
    ),
    rolling=st.booleans(),
    least=st.integers(1, 2),
    first_time=st.booleans(),
    returning=st.sampled_from([None, Step(event="b"), Step(event=None)]),
)
def test_who_comes_back_often_enough_in_a_period_or_later_is_what_plain_python_counts(
    spark: SparkSession, days: list[Any], rolling: bool, least: int, first_time: bool, returning: Step | None
) -> None:
    rows = [enriched_event(event, at(days=day), anonymous_id=person) for person, day, event in days]
    how: dict[str, Any] = {"period": "day", "periods": 6, "first_time": first_time}
    how |= {"rolling": rolling, "minimum_occurrences": least}
    target = Step(event="a")
    events = frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))
    found = {
        key_of(row): (row["people"], row["cohort_people"])
        for row in rows_of(retention(events, target, returning, **how))
    }
    asked = Retention(name="x", target=target, returning=returning, **how)
    expected = retention_rows(asked, events_of(rows))
    assert found == {key: values[:2] for key, values in expected.items()}


def key_of(row: Row) -> tuple[str, str, int, int]:
    return row["span"], row["breakdown"], round(row["cohort_start"].timestamp() * 1_000_000), row["period"]


def test_a_breakdown_is_by_the_first_target_of_the_period_and_its_values_add_up(spark: SparkSession) -> None:
    rows = [
        *seen("p", 0.1, country="DE"),
        *seen("p", 0.2, 1, country="FR"),
        *seen("q", 0, country=None),
        *seen("r", 0, 1, country="DE"),
    ]
    made = rows_of(retention(of_people(spark, rows), "view", period="day", periods=2, breakdown=["country"]))
    first = {(row["breakdown"], row["period"]): row["people"] for row in made if row["cohort_start"].day == 2}
    assert first == {
        ("(all)", 0): 3,
        ("(all)", 1): 2,
        ("DE", 0): 2,
        ("DE", 1): 2,
        ("(none)", 0): 1,
        ("(none)", 1): 0,
    }
    assert {row["breakdown"] for row in made if row["cohort_start"].day == 3} == {"(all)", "FR", "DE"}


@examples(5)
@given(
    days=st.lists(
        st.tuples(st.sampled_from("pqr"), st.integers(0, 15), st.sampled_from(["DE", "FR", None])),
        min_size=1,
        max_size=25,
    ),
    how=st.fixed_dictionaries(
        {
            "period": st.sampled_from(["day", "week"]),
            "first_time": st.booleans(),
            "rolling": st.booleans(),
            "breakdown_values": st.integers(1, 2),
        }
    ),
    first=st.integers(0, 9),
    length=st.integers(1, 8),
    compare=st.booleans(),
)
def test_days_choose_cohorts_whole_and_hold_them_against_as_many_before(
    spark: SparkSession, days: list[Any], how: dict[str, Any], first: int, length: int, compare: bool
) -> None:
    rows = [
        enriched_event("a", at(n, days=day), anonymous_id=person, country=country, event_id=str(n))
        for n, (person, day, country) in enumerate(days)
    ]
    span = (at(days=first).date(), at(days=first + length - 1).date())
    made = rows_of(retention(of_people(spark, rows), "a", breakdown=["country"], span=span, compare=compare, **how))
    asked = Retention(
        name="x", target=Step(event="a"), breakdown="country", from_=span[0], to=span[1], compare=compare, **how
    )
    expected = retention_rows(asked, events_of(rows), span)
    assert {key_of(row): (row["people"], row["cohort_people"]) for row in made} == {
        key: values[:2] for key, values in expected.items()
    }
    whole = rows_of(retention(of_people(spark, rows), "a", **how))
    cells = {key_of(row)[2:]: row["people"] for row in whole}
    here = [row for row in made if row["span"] == "now" and row["breakdown"] == "(all)"]
    assert all(cells[key_of(row)[2:]] == row["people"] for row in here)
