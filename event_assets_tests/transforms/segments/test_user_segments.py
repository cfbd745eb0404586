from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import USER_SEGMENTS
from event_assets.transforms.segments.user_segments import user_segments
from event_assets_tests.factories import NOON, at, enriched_event, frame, rows_of

Row = dict[str, Any]


def segments(
    spark: SparkSession, people: list[Row], as_of: dt.date = NOON.date(), events: Iterable[Row] = ()
) -> list[Row]:
    happened = frame(spark, events).withColumn("person_id", F.col("anonymous_id"))
    return rows_of(user_segments(frame(spark, people, USERS), happened, as_of))


def person(name: str, days_ago: int = 0, sessions: int = 1, revenue: float = 0.0) -> Row:
    seen = {"first_seen_at": at(days=-days_ago), "last_seen_at": at(days=-days_ago)}
    return {"person_id": name, "sessions": sessions, "revenue": revenue, "is_bot": False, **seen}


def test_robots_have_no_place_and_move_nobody_elses(spark: SparkSession) -> None:
    people = [person(f"p{n}", days_ago=n, sessions=n, revenue=float(n)) for n in range(5)]
    robots = [person(f"r{n}", sessions=1000 + n) | {"is_bot": True} for n in range(5)]
    assert segments(spark, people + robots) == segments(spark, people)


def test_ten_people_fall_into_fifths_of_two(spark: SparkSession) -> None:
    people = [person(f"p{n}", days_ago=n, sessions=10 - n, revenue=float(n)) for n in range(10)]
    rows = segments(spark, people)
    assert tuple(rows[0]) == USER_SEGMENTS.column_names
    assert [row["recency_days"] for row in rows] == list(range(10))
    assert [row["r_score"] for row in rows] == [row["f_score"] for row in rows] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [row["m_score"] for row in rows] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    names = ["champions"] * 2 + ["loyal"] * 2 + ["need attention"] * 2 + ["hibernating"] * 4
    assert [row["segment"] for row in rows] == names


def test_equal_values_have_equal_scores_and_the_many_without_money_the_lowest(spark: SparkSession) -> None:
    rows = segments(spark, [person(f"p{n}", revenue=9.0 if n == 0 else 0.0) for n in range(10)])
    assert [row["m_score"] for row in rows] == [5, *[1] * 9]
    assert {(row["r_score"], row["f_score"]) for row in rows} == {(1, 1)}


def test_every_pair_of_scores_has_a_name(spark: SparkSession) -> None:
    people = [person(f"p{r}{f}", days_ago=r, sessions=f) for r in range(5) for f in range(5)]
    rows = segments(spark, people)
    assert len({(row["r_score"], row["f_score"]) for row in rows}) == 25
    assert {row["segment"] for row in rows} >= {"new", "promising", "cannot lose them", "at risk", "about to sleep"}
    assert None not in {row["segment"] for row in rows}


def test_somebody_seen_after_the_day_was_seen_today(spark: SparkSession) -> None:
    (row,) = segments(spark, [person("p", days_ago=-1)])
    assert row["recency_days"] == 0


@pytest.mark.parametrize(
    ("days_ago", "stage"),
    [
        ([0], "new"),
        ([6, 0], "new"),
        ([6], "new"),
        ([7, 0], "returning"),
        ([13, 6], "returning"),
        ([30, 8, 1], "returning"),
        ([14, 0], "resurrecting"),
        ([30, 6], "resurrecting"),
        ([7], "dormant"),
        ([30, 13], "dormant"),
        ([14], "inactive"),
        ([-1], "new"),
    ],
)
def test_a_lifecycle_stage_is_of_the_week_that_ends_with_the_day(
    spark: SparkSession, days_ago: list[int], stage: str
) -> None:
    seen = {"first_seen_at": at(days=-max(days_ago)), "last_seen_at": at(days=-min(days_ago))}
    events = [enriched_event(when=at(days=-day), anonymous_id="p") for day in days_ago]
    [row] = segments(spark, [{**person("p"), **seen}], events=[*events, enriched_event(when=at(days=-8))])
    assert row["lifecycle_stage"] == stage


def test_a_week_is_of_utc_days(spark: SparkSession) -> None:
    first_instant, last_instant = at(hours=-12, days=-6), at(hours=-12, days=-6, seconds=-1)
    stages = [
        segments(spark, [{**person("p"), "first_seen_at": when, "last_seen_at": when}])[0]["lifecycle_stage"]
        for when in (first_instant, last_instant)
    ]
    assert stages == ["new", "inactive"]
