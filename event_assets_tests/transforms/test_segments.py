from __future__ import annotations

import datetime as dt
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables import USER_SEGMENTS, USERS
from event_assets.transforms.segments import user_segments
from event_assets_tests.factories import NOON, at, frame, rows_of

Row = dict[str, Any]


def segments(spark: SparkSession, people: list[Row], as_of: dt.date = NOON.date()) -> list[Row]:
    return rows_of(user_segments(frame(spark, people, USERS), as_of))


def person(name: str, days_ago: int = 0, sessions: int = 1, revenue: float = 0.0) -> Row:
    seen = {"first_seen_at": at(days=-days_ago), "last_seen_at": at(days=-days_ago)}
    return {"person_id": name, "sessions": sessions, "revenue": revenue, **seen}


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
