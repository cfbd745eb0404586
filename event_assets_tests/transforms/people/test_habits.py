from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.transforms.people.habits import HABITS, habits
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def views(count: int, every: float, path: str = "/p/{n}", begin: float = 0, **fields: Any) -> list[Row]:
    return [
        enriched_event(when=at(begin + every * n), page_url=f"https://shop.example{path.format(n=n)}", **fields)
        for n in range(count)
    ]


def habits_of(spark: SparkSession, rows: list[Row]) -> dict[str, Row]:
    return {row["anonymous_id"]: row for row in rows_of(habits(frame(spark, rows), ("purchase",)))}


def test_a_scraper_pages_on_at_an_even_pace_for_hours_without_attention(spark: SparkSession) -> None:
    (row,) = habits_of(spark, views(2_000, 5)).values()
    assert list(row) == ["anonymous_id", "first_at", "last_at", "actions", *HABITS]
    assert (row["first_at"], row["last_at"], row["actions"]) == (at(0), at(5 * 1_999), 2_000)
    assert row["seconds_between_views"] == pytest.approx(5, abs=0.01) and row["evenness"] == 1
    assert (row["views_in_sequence"], row["engaged_views"]) == (1_999 / 2_000, 0)
    assert (row["busiest_hour"], row["hours_of_a_day"]) == (720, 3)
    assert (row["conversions_a_day"], row["accounts"]) == (0, 0)


def test_what_a_person_does_is_told_by_pings_users_and_conversions(spark: SparkSession) -> None:
    rows = views(10, 60, "/p/{n}{n}", user_id="u1")
    rows += [enriched_event("page_ping", at(10 * n)) for n in range(20)]
    rows += [enriched_event("purchase", at(days=day, hours=1), user_id=f"u{day}") for day in (0, 0, 1)]
    (row,) = habits_of(spark, rows).values()
    assert (row["actions"], row["engaged_views"], row["accounts"]) == (13, 2.0, 2)
    assert (row["conversions_a_day"], row["hours_of_a_day"], row["views_in_sequence"]) == (2, 2, 0)
    assert row["seconds_between_views"] == pytest.approx(60, abs=0.1)


def test_the_pace_is_that_of_the_most_even_of_all_names_and_pauses_are_none(spark: SparkSession) -> None:
    uneven = [enriched_event("click", at(3 * n * n)) for n in range(40)]
    even = [enriched_event("purchase", at(600 * n)) for n in range(21)]
    visits = views(6, 20, begin=50_000) + views(6, 20, begin=90_000)
    row = habits_of(spark, [*uneven, *even, *visits])["a1"]
    assert row["evenness"] == 1
    assert row["seconds_between_views"] == pytest.approx(20, abs=0.1)


def test_who_did_little_or_says_that_it_is_a_robot_or_has_no_device_is_not_judged(spark: SparkSession) -> None:
    rows = [
        *views(9, 5, anonymous_id="few"),
        *views(20, 5, anonymous_id="robot", is_bot=True),
        *views(20, 5, anonymous_id=None, user_id="u1"),
        *(enriched_event("page_ping", at(n), anonymous_id="few") for n in range(20)),
        *(enriched_event("click", at(40 * n * n), anonymous_id="clicks") for n in range(10)),
    ]
    found = habits_of(spark, rows)
    assert set(found) == {"clicks"}
    unknown = {name for name in HABITS if found["clicks"][name] is None}
    assert unknown == {"seconds_between_views", "evenness", "views_in_sequence", "engaged_views"}
