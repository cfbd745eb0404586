from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.people import VISITORS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.affected import TIMES
from event_assets.transforms.people.visitors import visitors, visitors_after
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import sessions_of

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


@st.composite
def seen(draw: st.DrawFn) -> Row:
    """An event of few devices and users; times meet, those of receipt are in another order."""
    return enriched_event(
        when=at(minutes=draw(st.integers(0, 90))),
        received_at=at(hours=9, seconds=draw(st.integers(0, 3))),
        anonymous_id=draw(st.sampled_from(["a1", "a2", "a3", None])),
        user_id=draw(st.sampled_from([None, None, "u", "u1", "u2"])),
        is_bot=draw(st.booleans()),
        page_view_id=draw(st.sampled_from(["p1", "p2"])),
    )


@pytest.mark.slow
@examples(10)
@given(before=st.lists(seen(), max_size=6), came=st.lists(seen(), min_size=1, max_size=6))
def test_what_comes_is_added_to_the_rows_as_they_stand(spark: SparkSession, before: list[Row], came: list[Row]) -> None:
    standing = frame(spark, visitors_of(spark, before) if before else [], VISITORS)
    went, now = (sessions_of(spark, rows) if rows else [] for rows in (before, [*before, *came]))
    changed = [frame(spark, rows, SESSIONS) for rows in (now, went)]
    signed = changed[0].withColumn(TIMES, F.lit(1)).unionByName(changed[1].withColumn(TIMES, F.lit(-1)))
    made = visitors_after(standing, frame(spark, came).withColumn(TIMES, F.lit(1)), signed)
    assert rows_of(made) == visitors_of(spark, [*before, *came])
