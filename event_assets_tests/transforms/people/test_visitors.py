from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.people import VISITORS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.affected import of_ids
from event_assets.transforms.people.visitors import affected_visitors, visitors
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import replaced, sessions_of

Row = dict[str, Any]


def visitors_of(spark: SparkSession, rows: list[Row]) -> list[Row]:
    return rows_of(_visitors(spark, rows))


def _visitors(spark: SparkSession, rows: list[Row]) -> DataFrame:
    return visitors(frame(spark, rows), frame(spark, sessions_of(spark, rows), SESSIONS))


def test_a_visitor_is_a_device_with_its_times_and_sums(spark: SparkSession) -> None:
    rows = [
        enriched_event(page_view_id="p1"),
        enriched_event("page_ping", at(10), page_view_id="p1"),
        enriched_event(when=at(hours=2), page_view_id="p2"),
        enriched_event("signup", at(hours=9)),
        enriched_event(anonymous_id=None, user_id="u1"),
    ]
    (row,) = visitors_of(spark, rows)
    assert tuple(row) == VISITORS.column_names
    assert (row["first_seen_at"], row["last_seen_at"], row["events"]) == (at(0), at(hours=9), 4)
    assert (row["sessions"], row["page_views"], row["engaged_seconds"]) == (3, 2, 5)


def test_a_visitor_is_a_robot_when_all_its_events_are(spark: SparkSession) -> None:
    rows = [
        enriched_event(anonymous_id="crawler", is_bot=True),
        enriched_event(anonymous_id="watched", is_bot=True),
        enriched_event(when=at(5), anonymous_id="watched"),
    ]
    assert {row["anonymous_id"]: row["is_bot"] for row in visitors_of(spark, rows)} == {
        "crawler": True,
        "watched": False,
    }


def test_the_user_is_the_last_by_received_at_for_the_devices_whole_past(spark: SparkSession) -> None:
    rows = [
        enriched_event(when=at(5), user_id="u1", received_at=at(60)),
        enriched_event(when=at(9), user_id="u2", received_at=at(50)),
        enriched_event(when=at(10)),
        enriched_event(anonymous_id="a2"),
    ]
    first, second = visitors_of(spark, rows)
    assert (first["user_id"], first["stitched_user_id"]) == ("u1", "u1")
    assert (second["user_id"], second["stitched_user_id"]) == (None, "a2")


def test_touched_visitors_alone_give_the_rows_of_all(spark: SparkSession) -> None:
    before = [enriched_event(), enriched_event(anonymous_id="a2")]
    came = [enriched_event(when=at(minutes=1), user_id="u1")]
    after = [*before, *came]
    events, sessions = frame(spark, after), frame(spark, sessions_of(spark, after), SESSIONS)
    affected = affected_visitors(frame(spark, came), frame(spark, [], SESSIONS))
    assert affected == ["a1"]
    made = visitors(*(of_ids(rows, affected, "anonymous_id") for rows in (events, sessions)))
    assert [row["anonymous_id"] for row in rows_of(made)] == ["a1"]
    assert rows_of(replaced(_visitors(spark, before), made, "anonymous_id", affected)) == visitors_of(spark, after)
