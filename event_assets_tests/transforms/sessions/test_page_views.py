"""The columns of a page-view row, one sentence each."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.sessions import PAGE_VIEWS
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.transforms.incremental import page_views_of

Row = dict[str, Any]


def view(seconds: float = 0, page_view_id: str | None = "p1", **fields: Any) -> Row:
    return enriched_event("page_view", at(seconds), page_view_id=page_view_id, **fields)


def ping(seconds: float, page_view_id: str = "p1", **fields: Any) -> Row:
    return enriched_event("page_ping", at(seconds), page_view_id=page_view_id, **fields)


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_a_row_has_the_columns_of_the_table_in_their_order(spark: SparkSession) -> None:
    assert tuple(only(page_views_of(spark, [view()]))) == PAGE_VIEWS.column_names


def test_a_page_view_is_a_page_view_event_and_without_an_id_its_event_is_it(spark: SparkSession) -> None:
    plain = [view(1, None, event_id="e1"), view(1, None, event_id="e2")]
    rows = [view(), *plain, ping(2, "p2"), enriched_event("search", at(3), page_view_id="p3")]
    found = {row["page_view_id"]: row["index_in_session"] for row in page_views_of(spark, rows)}
    assert found == {"p1": 1, "e1": 2, "e2": 3}


def test_a_screen_view_is_a_view_of_its_own_beside_those_of_pages(spark: SparkSession) -> None:
    screen = enriched_event("screen_view", at(5), event_id="e1", page_view_id="p1", screen_name="Home")
    rows = page_views_of(spark, [view(), ping(10), screen, view(20, "p2")])
    page, shown, last = sorted(rows, key=lambda row: row["index_in_session"])
    assert [row["kind"] for row in (page, shown, last)] == ["page", "screen", "page"]
    assert (shown["page_view_id"], shown["event_id"], shown["screen_name"]) == ("e1", "e1", "Home")
    assert (page["engaged_seconds"], shown["engaged_seconds"], shown["views_in_session"]) == (5, 0, 3)


def test_the_earliest_event_of_an_id_counts_then_the_earliest_by_the_clients_clock(spark: SparkSession) -> None:
    rows = [view(5, event_id="a"), view(3, event_id="b", occurred_at=at(9)), view(3, event_id="c", occurred_at=at(8))]
    assert only(page_views_of(spark, rows))["event_id"] == "c"


def test_an_id_that_two_sessions_carry_is_one_page_view_of_the_earlier(spark: SparkSession) -> None:
    rows = [view(5, session_id="s1"), view(3, session_id="s2"), view(9, "p2", session_id="s1")]
    first, second = page_views_of(spark, rows)
    assert (first["page_view_id"], first["session_id"]) == ("p1", "s2")
    assert (second["index_in_session"], second["views_in_session"]) == (1, 1)


def test_without_pings_the_end_is_the_start_and_nothing_is_engaged(spark: SparkSession) -> None:
    row = only(page_views_of(spark, [view()]))
    assert (row["end_at"], row["engaged_seconds"], row["absolute_seconds"]) == (at(0), 0, 0)


def test_the_end_is_the_last_ping_and_engaged_seconds_are_ten_a_slot_but_five_for_the_first(
    spark: SparkSession,
) -> None:
    row = only(page_views_of(spark, [view(0.5), ping(10), ping(11), ping(20), ping(59.4)]))
    assert (row["end_at"], row["engaged_seconds"], row["absolute_seconds"]) == (at(59.4), 25, 59)


@pytest.mark.parametrize(
    ("seconds", "engaged"),
    [
        ([9.999999], 5),
        ([9.999999, 10], 15),
        ([10, 19.999999], 5),
        ([9.999999, 10, 19.999999, 20], 25),
        ([20, 10, 20, 0, 10], 25),
        ([-0.000001, 0], 15),
    ],
)
def test_a_slot_begins_with_every_tenth_second_and_ends_before_the_next(
    spark: SparkSession, seconds: list[float], engaged: int
) -> None:
    rows = [view(-5), *(ping(30 + k, occurred_at=at(second)) for k, second in enumerate(seconds))]
    assert only(page_views_of(spark, rows))["engaged_seconds"] == engaged


def test_slots_before_1970_are_as_long_as_others(spark: SparkSession) -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    pings = [ping(10 + k, occurred_at=epoch + dt.timedelta(seconds=s)) for k, s in enumerate((-10, -0.5, 0, 9.5))]
    assert only(page_views_of(spark, [view(), *pings]))["engaged_seconds"] == 15


def test_a_ping_that_happened_before_its_view_does_not_end_it_before_it_began(spark: SparkSession) -> None:
    row = only(page_views_of(spark, [view(10), ping(4)]))
    assert (row["start_at"], row["end_at"], row["engaged_seconds"], row["absolute_seconds"]) == (at(10), at(10), 5, 0)


def test_pings_without_a_view_are_no_page_view(spark: SparkSession) -> None:
    assert page_views_of(spark, [ping(10), ping(20)]) == []


def test_pings_after_the_cut_do_not_lengthen_a_view_before_it(spark: SparkSession) -> None:
    stray = enriched_event("page_ping", at(1, days=3), page_view_id="p1", session_id="s1")
    row = only(page_views_of(spark, [view(session_id="s1"), ping(10, session_id="s1"), stray]))
    assert (row["end_at"], row["engaged_seconds"]) == (at(10), 5)


def test_pings_of_another_session_do_not_count(spark: SparkSession) -> None:
    row = only(page_views_of(spark, [view(session_id="s1"), ping(10, session_id="s2")]))
    assert row["engaged_seconds"] == 0


@pytest.mark.parametrize(
    ("scrolls", "viewport", "document", "percent"),
    [
        ([], 500, 2000, 25),
        ([300, 700, 100], 500, 2000, 60),
        ([-50], 500, 2000, 25),
        ([5000], 500, 2000, 100),
        ([], 500, 200, 100),
        ([57], 0, 200, 29),
        ([10], None, 200, 5),
        ([10], 500, 0, None),
        ([10], 500, None, None),
    ],
)
def test_scroll_is_the_furthest_seen_share_of_the_document(
    spark: SparkSession, scrolls: list[int], viewport: int | None, document: int | None, percent: int | None
) -> None:
    size: dict[str, Any] = {"viewport_height": viewport, "document_height": document}
    rows = [view(**size), *(ping(10 * n, scroll_y_max=scroll, **size) for n, scroll in enumerate(scrolls, 1))]
    assert only(page_views_of(spark, rows))["scroll_percent"] == percent


def test_the_index_in_session_is_by_time_then_the_clients_clock_then_event_id(spark: SparkSession) -> None:
    rows = [
        view(2, "p1", event_id="z"),
        view(1, "p2", event_id="y", occurred_at=at(7)),
        view(1, "p3", event_id="x", occurred_at=at(8)),
        view(1, "p4", event_id="w", occurred_at=at(7)),
        view(0, "p5", anonymous_id="a2"),
    ]
    places = {
        row["page_view_id"]: (row["index_in_session"], row["views_in_session"]) for row in page_views_of(spark, rows)
    }
    assert places == {"p4": (1, 4), "p2": (2, 4), "p3": (3, 4), "p1": (4, 4), "p5": (1, 1)}


def test_url_title_and_channel_are_those_of_the_page_view_event(spark: SparkSession) -> None:
    rows = [view(page_url="/a", page_title="A", channel_group="Direct", is_bot=True), ping(9, page_url="/b")]
    row = only(page_views_of(spark, rows))
    assert (row["url"], row["title"], row["channel_group"], row["is_bot"]) == ("/a", "A", "Direct", True)


def test_a_page_view_after_its_session_was_cut_has_no_row_and_is_not_counted(spark: SparkSession) -> None:
    late = enriched_event(when=at(days=4), page_view_id="p2", session_id="s1")
    row = only(page_views_of(spark, [view(session_id="s1"), late]))
    assert (row["page_view_id"], row["index_in_session"], row["views_in_session"]) == ("p1", 1, 1)


def test_the_device_is_that_of_the_session_and_the_user_that_of_the_event(spark: SparkSession) -> None:
    rows = [
        enriched_event("search", session_id="s1", anonymous_id="a2", user_id="u2", received_at=at(1)),
        view(5, session_id="s1", anonymous_id="a1", user_id="u1", received_at=at(9)),
    ]
    row = only(page_views_of(spark, rows))
    assert (row["anonymous_id"], row["user_id"]) == ("a2", "u1")
