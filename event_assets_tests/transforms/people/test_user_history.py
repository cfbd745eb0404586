"""What is known of people, and when it was."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.people import USER_HISTORY
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.people.user_history import user_history
from event_assets.transforms.people.user_traits import user_traits
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept

Row = dict[str, Any]


def says(seconds: float, traits: Any = None, **fields: Any) -> Row:
    text = None if traits is None else json.dumps(traits)
    return enriched_event("identify", at(seconds), **{"user_id": "u1", "traits": text, **fields})


def history(spark: SparkSession, *rows: Row) -> list[Row]:
    events = frame(spark, rows)
    people = kept(spark, identities(events, partial(kept, spark)).rows)
    made = rows_of(user_history(people, events, kept(spark, user_traits(people, events))))
    return sorted(made, key=lambda row: (row["person_id"], row["valid_from"]))


def states(rows: list[Row], of: str = "a1") -> list[tuple[dt.datetime, Any, bool | None]]:
    return [
        (row["valid_from"], row["traits"] and json.loads(row["traits"]), row["consent_marketing"])
        for row in rows
        if row["person_id"] == of
    ]


def test_a_row_holds_until_something_of_it_changes_and_the_last_has_no_end(spark: SparkSession) -> None:
    rows = history(
        spark,
        enriched_event(when=at(0)),
        says(5, {"plan": "free", "n": 1}),
        says(9, {"plan": "pro"}, consent_marketing=True),
        says(12, {"plan": "pro"}, consent_marketing=True),
        says(20, {"plan": None, "n": None}, consent_marketing=False),
    )
    assert tuple(rows[0]) == USER_HISTORY.column_names
    assert states(rows) == [
        (at(0), None, None),
        (at(5), {"plan": "free", "n": 1}, None),
        (at(9), {"plan": "pro", "n": 1}, True),
        (at(20), None, False),
    ]
    assert [row["valid_to"] for row in rows] == [at(5), at(9), at(20), None]
    assert [row["is_current"] for row in rows] == [False, False, False, True]


def test_of_what_is_said_at_one_moment_the_last_received_holds_and_nothing_holds_for_no_time(
    spark: SparkSession,
) -> None:
    rows = history(
        spark,
        says(3, {"plan": "b"}, received_at=at(9), consent_marketing=True),
        says(3, {"plan": "a"}, received_at=at(8), consent_marketing=False),
    )
    assert states(rows) == [(at(3), {"plan": "b"}, True)]


def test_what_happened_earlier_and_came_late_changes_the_past_only(spark: SparkSession) -> None:
    late = says(0, {"plan": "free"}, received_at=at(days=9))
    assert states(history(spark, says(9, {"plan": "pro"}), late)) == [
        (at(0), {"plan": "free"}, None),
        (at(9), {"plan": "pro"}, None),
    ]


def test_the_order_in_which_events_come_does_not_matter(spark: SparkSession) -> None:
    events = [
        says(n % 7, {"plan": str(n % 3)}, received_at=at(100 + n), consent_marketing=[None, True, False][n % 3])
        for n in range(12)
    ] + [enriched_event(when=at(2), anonymous_id="a2")]
    assert history(spark, *events) == history(spark, *events[::-1])
    assert states(history(spark, *events), "a2") == [(at(2), None, None)]


def test_of_many_traits_of_which_one_changes_often_only_the_latest_rows_say_them(spark: SparkSession) -> None:
    long = "x" * 300_000
    changes = [says(5 + n, {"n": n}, consent_marketing=n > 4) for n in range(10)]
    rows = history(spark, says(0, {"about": long}), *changes)
    assert [row["valid_from"] for row in rows] == [at(0), *(at(5 + n) for n in range(10))]
    assert [row["traits"] and json.loads(row["traits"]) for row in rows] == [
        *(None for _ in range(8)),
        *({"about": long, "n": n} for n in (7, 8, 9)),
    ]
    assert [row["consent_marketing"] for row in rows] == [None, *(n > 4 for n in range(10))]
    assert [len(row["traits"]) for row in history(spark, says(0, {"about": long * 4}))] == [1_200_012]
