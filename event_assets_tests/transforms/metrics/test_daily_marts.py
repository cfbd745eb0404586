"""What of a day adds up, by combinations of dimensions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_PAGES, DAILY_SESSIONS, HOURLY_EVENTS
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.metrics.daily_marts import daily_events, daily_pages, daily_sessions, hourly_events
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES, page_views_of, sessions_of

Row = dict[str, Any]
SHOP: dict[str, Any] = {"app_id": "shop", "country": "DE", "channel_group": "Direct", "device_type": "mobile"}


def visits() -> list[Row]:
    """Two sessions alike in every dimension, one that is not, and a robot."""
    return [
        enriched_event(page_view_id="p1", page_path="/", **SHOP),
        enriched_event("page_ping", at(10), page_view_id="p1", **SHOP),
        enriched_event(when=at(20), page_view_id="p2", page_path="/cart", **SHOP),
        enriched_event("purchase", at(30), properties='{"revenue": 5.5}', **SHOP),
        enriched_event(when=at(1), anonymous_id="a2", page_view_id="p3", page_path="/", **SHOP),
        enriched_event("screen_view", at(2), anonymous_id="a3", platform="ios", screen_name="Home"),
        enriched_event(when=at(3), anonymous_id="bot", is_bot=True, page_view_id="p4", page_path="/", **SHOP),
    ]


def test_a_row_sums_the_sessions_of_a_day_that_are_alike_and_robots_stand_apart(spark: SparkSession) -> None:
    sessions = frame(spark, sessions_of(spark, visits()), SESSIONS)
    ios, people, robots = rows_of(daily_sessions(sessions).orderBy("app_id", "is_bot"))
    assert tuple(people) == DAILY_SESSIONS.column_names
    dimensions = ("app_id", "country", "channel_group", "source", "medium", "campaign", "device_type", "is_bot")
    assert [ios[name] for name in dimensions] == [*["(none)"] * 7, False]
    measures = ("sessions", "engaged_sessions", "bounces", "converting_sessions", "events", "page_views")
    assert [people[name] for name in measures] == [2, 1, 1, 1, 5, 3]
    assert [people[name] for name in ("engaged_seconds", "conversions", "revenue")] == [5, 1, 5.5]
    assert (people["is_bot"], robots["is_bot"], robots["sessions"]) == (False, True, 1)


def test_a_row_sums_the_events_of_a_day_and_name_that_are_alike(spark: SparkSession) -> None:
    rows = rows_of(daily_events(frame(spark, visits()), RULES))
    assert tuple(rows[0]) == DAILY_EVENTS.column_names
    found = {
        (row["event"], row["platform"], row["is_bot"]): (row["events"], row["conversions"], row["revenue"])
        for row in rows
    }
    assert found == {
        ("page_view", "web", False): (3, 0, 0.0),
        ("page_view", "web", True): (1, 0, 0.0),
        ("page_ping", "web", False): (1, 0, 0.0),
        ("purchase", "web", False): (1, 1, 5.5),
        ("screen_view", "ios", False): (1, 0, 0.0),
    }


def test_a_row_sums_the_events_of_an_hour_and_name_that_are_alike(spark: SparkSession) -> None:
    rows = rows_of(hourly_events(frame(spark, [*visits(), enriched_event("purchase", at(60 * 60 + 40))]), RULES))
    assert tuple(rows[0]) == HOURLY_EVENTS.column_names
    first = min(row["hour"] for row in rows)
    found = [
        (row["hour"] - first, row["event"], row["events"], row["conversions"]) for row in rows if not row["is_bot"]
    ]
    assert (first.minute, first.second) == (0, 0)
    assert sorted(found) == [
        (dt.timedelta(0), "page_ping", 1, 0),
        (dt.timedelta(0), "page_view", 3, 0),
        (dt.timedelta(0), "purchase", 1, 1),
        (dt.timedelta(0), "screen_view", 1, 0),
        (dt.timedelta(hours=1), "purchase", 1, 1),
    ]


def test_an_hour_tells_how_late_its_events_were_and_how_slow_its_pages(spark: SparkSession) -> None:
    happened = at(60)

    def event(name: str, taken_after: float, collected_after: float, **more: Any) -> dict[str, Any]:
        times = {"arrived_at": taken_after, "received_at": collected_after}
        moments = {column: happened + dt.timedelta(seconds=seconds) for column, seconds in times.items()}
        return enriched_event(name, happened, **moments, **more)

    events = [
        event("page_view", 2, 1, lcp_ms=4_000.5),
        event("page_view", 61, 60, lcp_ms=4_000.0),
        event("page_view", 20, 10),
        event("page_view", 3_601, 5, lcp_ms=9_000.0),
    ]
    (row,) = rows_of(hourly_events(frame(spark, events), RULES))
    told = {name: row[name] for name in ("events", "fresh", "delayed", "lagged", "timed", "slow")}
    assert told == {"events": 4, "fresh": 3, "delayed": 1, "lagged": 1, "timed": 3, "slow": 2}


def test_a_row_sums_the_views_of_a_page_or_screen_that_are_alike(spark: SparkSession) -> None:
    views = frame(spark, page_views_of(spark, visits()), PAGE_VIEWS)
    rows = [row for row in rows_of(daily_pages(views)) if not row["is_bot"]]
    assert tuple(rows[0]) == DAILY_PAGES.column_names
    measures = ("views", "entries", "exits", "engaged_seconds", "scrolled_views", "scroll_percent")
    assert {(row["kind"], row["page"], row["platform"]): [row[name] for name in measures] for row in rows} == {
        ("page", "/", "web"): [2, 2, 1, 5, 0, 0],
        ("page", "/cart", "web"): [1, 0, 1, 0, 0, 0],
        ("screen", "Home", "ios"): [1, 1, 1, 0, 0, 0],
    }
