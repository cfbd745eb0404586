from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.metrics.daily_metrics import daily_metrics
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES, page_views_of, sessions_of

Row = dict[str, Any]


def metrics(spark: SparkSession, rows: list[Row]) -> list[Row]:
    sessions = frame(spark, sessions_of(spark, rows), SESSIONS)
    page_views = frame(spark, page_views_of(spark, rows), PAGE_VIEWS)
    return rows_of(daily_metrics(frame(spark, rows), sessions, page_views, RULES))


def test_a_row_sums_a_day_and_platform(spark: SparkSession) -> None:
    rows = [
        enriched_event(page_view_id="p1", user_id="u1"),
        enriched_event("page_ping", at(10), page_view_id="p1"),
        enriched_event(page_view_id="p2", anonymous_id="a2", user_id="u1"),
        enriched_event("purchase", at(9), anonymous_id="a2", properties='{"revenue": 5}'),
        enriched_event("screen_view", anonymous_id="a3", platform="ios"),
    ]
    ios, web = metrics(spark, rows)
    assert tuple(web) == DAILY_METRICS.column_names
    assert (ios["platform"], ios["events"], ios["sessions"], ios["page_views"], ios["revenue"]) == ("ios", 1, 1, 1, 0.0)
    assert (web["events"], web["page_views"], web["sessions"], web["visitors"], web["known_users"]) == (4, 2, 2, 2, 1)
    assert (web["engaged_sessions"], web["bounces"], web["engaged_seconds"]) == (1, 1, 5)
    assert (web["conversions"], web["revenue"]) == (1, 5.0)


def test_robots_are_left_out(spark: SparkSession) -> None:
    assert metrics(spark, [enriched_event(is_bot=True, page_view_id="p1")]) == []


def test_a_session_counts_on_the_day_it_began_and_events_on_their_own(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(minutes=715)), enriched_event("purchase", when=at(minutes=725))]
    first, second = metrics(spark, rows)
    assert (first["sessions"], first["events"], first["conversions"]) == (1, 1, 0)
    assert (second["sessions"], second["events"], second["conversions"]) == (0, 1, 1)
