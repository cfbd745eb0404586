"""Which sessions are listed for having been cut, one sentence each."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.sessions import SESSION_ISSUES
from event_assets.transforms.sessions.session_issues import session_issues
from event_assets.transforms.sessions.sessionise import session_events, sessionise
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES

Row = dict[str, Any]


def issues(spark: SparkSession, *rows: Row) -> list[Row]:
    return rows_of(session_issues(sessionise(session_events(frame(spark, rows), RULES), RULES), RULES))


def test_a_client_session_is_listed_when_an_event_comes_more_than_three_days_after_its_first_received(
    spark: SparkSession,
) -> None:
    first, last = enriched_event(session_id="s1"), enriched_event(when=at(days=3), session_id="s1")
    assert issues(spark, first, last) == []
    stray = [enriched_event(when=at(n, days=3), session_id="s1", anonymous_id="a2") for n in (0.001, 9)]
    [issue] = issues(spark, first, last, *stray, enriched_event())
    assert tuple(issue) == SESSION_ISSUES.column_names
    assert issue == {
        "event_date": at(0).date(),
        "session_id": "s1",
        "reason": "too_long",
        "anonymous_id": "a1",
        "start_at": at(0),
        "end_at": at(days=3),
        "last_event_at": at(9, days=3),
        "events_after_cut": 2,
    }


def test_three_days_count_from_the_event_that_was_received_first(spark: SparkSession) -> None:
    late = enriched_event(when=at(days=-9), session_id="s1", received_at=at(days=1))
    assert issues(spark, enriched_event(session_id="s1"), late) == []
    assert len(issues(spark, enriched_event(session_id="s1"), late | {"received_at": at(-1)})) == 1


def test_a_computed_session_of_a_day_is_not_listed(spark: SparkSession) -> None:
    assert issues(spark, *(enriched_event(when=at(minutes=29 * number)) for number in range(120))) == []


def test_a_cut_session_is_listed_where_it_begins_even_if_it_has_no_row(spark: SparkSession) -> None:
    ping = enriched_event("page_ping", at(2, hours=12), session_id="s1", page_view_id="p")
    [issue] = issues(spark, ping, enriched_event(when=at(days=9), session_id="s1"))
    assert (str(issue["event_date"]), issue["start_at"]) == ("2026-03-02", at(-3, hours=12))
    [issue] = issues(spark, enriched_event("x", session_id="s2"), enriched_event("x", at(days=9), session_id="s2"))
    assert issue["session_id"] == "s2"
