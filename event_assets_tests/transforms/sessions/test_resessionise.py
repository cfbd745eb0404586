from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.sessions import PAGE_VIEWS
from event_assets.transforms.sessions.event_days import days_of_events
from event_assets.transforms.sessions.resessionise import Tables, resessionise
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES, SmallLake, kept, page_views_of, sessions_of

pytestmark = pytest.mark.slow

Row = dict[str, Any]


def lakes_agree(lake: SmallLake, events: list[Row]) -> None:
    assert lake.sessions == sessions_of(lake.spark, events)
    assert lake.page_views == page_views_of(lake.spark, events)


def brought_up_to_date(spark: SparkSession, *batches: list[Row], went: Sequence[Row] = ()) -> tuple[SmallLake, int]:
    """A lake after these batches, of which the last also takes rows away, and the rounds of the last."""
    lake, rounds = SmallLake(spark), 0
    for number, batch in enumerate(batches, 1):
        rounds = lake.change(batch, went if number == len(batches) else ())
    lakes_agree(lake, list(lake.events.values()))
    return lake, rounds


def test_a_late_event_joins_two_sessions_across_midnight(spark: SparkSession) -> None:
    evening, night = enriched_event(when=at(minutes=700)), enriched_event(when=at(minutes=740))
    lake, rounds = brought_up_to_date(spark, [evening, night], [enriched_event(when=at(minutes=720))])
    assert [row["events"] for row in lake.sessions] == [3] and rounds == 2


def test_an_event_of_today_continues_a_session_of_yesterday(spark: SparkSession) -> None:
    lake, _ = brought_up_to_date(spark, [enriched_event(when=at(minutes=700))], [enriched_event(when=at(minutes=725))])
    assert [row["events"] for row in lake.sessions] == [2]


def test_an_unbroken_chain_of_days_is_followed_to_its_beginning_and_end(spark: SparkSession) -> None:
    chain = [enriched_event("page_ping", at(minutes=25 * number), page_view_id="p") for number in range(170)]
    lake, rounds = brought_up_to_date(spark, chain[:-1], chain[-1:])
    assert len(lake.sessions) == 3 and rounds == 4
    lake, _ = brought_up_to_date(spark, chain[1:], chain[:1])
    assert [row["events"] for row in lake.sessions] == [58, 58, 54]


def test_an_event_that_goes_splits_its_session(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(minutes=minutes)) for minutes in (700, 725, 750)]
    lake, _ = brought_up_to_date(spark, rows, [], went=rows[1:2])
    assert [row["events"] for row in lake.sessions] == [1, 1]


def test_a_client_session_is_gathered_from_far_days(spark: SparkSession) -> None:
    far = enriched_event(when=at(days=-20), session_id="s1", received_at=at(days=2))
    rows = [enriched_event(session_id="s1"), enriched_event(when=at(days=2), session_id="s1")]
    lake, _ = brought_up_to_date(spark, rows, [far])
    assert [(row["events"], row["start_at"]) for row in lake.sessions] == [(3, at(days=-20))]
    lake, _ = brought_up_to_date(spark, [far, rows[1]], rows[:1])
    assert [row["events"] for row in lake.sessions] == [3]


def test_an_earlier_copy_of_a_page_view_moves_it_to_its_session_and_renumbers_the_other(spark: SparkSession) -> None:
    rows = [
        enriched_event(when=at(days=3), page_view_id="p1"),
        enriched_event(when=at(10, days=3), page_view_id="p2"),
    ]
    earlier = enriched_event(anonymous_id="a2", page_view_id="p1")
    lake, _ = brought_up_to_date(spark, rows, [earlier])
    assert [(row["page_view_id"], row["anonymous_id"], row["index_in_session"]) for row in lake.page_views] == [
        ("p1", "a2", 1),
        ("p2", "a1", 1),
    ]
    lake, _ = brought_up_to_date(spark, [*rows, earlier], [], went=[earlier])
    assert [row["index_in_session"] for row in lake.page_views] == [1, 2]


def test_a_later_copy_of_a_page_view_on_another_day_changes_nothing_there(spark: SparkSession) -> None:
    later = enriched_event(when=at(days=3), anonymous_id="a2", page_view_id="p1")
    lake, _ = brought_up_to_date(spark, [enriched_event(page_view_id="p1")], [later])
    assert [row["anonymous_id"] for row in lake.page_views] == ["a1"]


def test_a_view_whose_id_is_anothers_event_is_the_same_view_whichever_comes_first(spark: SparkSession) -> None:
    plain = enriched_event(event_id="one")
    named = enriched_event(when=at(days=-2), anonymous_id="a2", page_view_id="one")
    for batches in ([plain], [named]), ([named], [plain]):
        lake, _ = brought_up_to_date(spark, *batches)
        assert [(row["page_view_id"], row["anonymous_id"]) for row in lake.page_views] == [("one", "a2")]


def test_only_sessions_that_begin_in_a_zone_are_made_again(spark: SparkSession) -> None:
    others = [enriched_event("signup", at(hours=2 * hours), anonymous_id=f"a{hours % 3}") for hours in range(6)]
    came = enriched_event(when=at(60))
    rows = [*others, came]
    dates = {row["event_date"] for row in rows}
    views, index = frame(spark, [], PAGE_VIEWS), days_of_events(frame(spark, rows))
    tables = Tables(dates, lambda _: frame(spark, rows), lambda _: views, index, partial(kept, spark))
    done = resessionise(frame(spark, [came]), tables, RULES)
    assert [row["start_at"] for row in rows_of(done.sessions)] == [at(60)]


@st.composite
def events(draw: st.DrawFn) -> Row:
    minutes = draw(st.sampled_from([0, 29, 30, 31, 700, 715, 730, 745, 1440, 1441, 4320, 4325, 10000]))
    when = at(draw(st.integers(0, 40)), minutes=minutes)
    return enriched_event(
        draw(st.sampled_from(["page_view", "page_view", "screen_view", "page_ping", "signup", "purchase"])),
        when,
        received_at=at(draw(st.integers(0, 3)), minutes=draw(st.sampled_from([minutes, minutes, 10, 12000]))),
        anonymous_id=draw(st.sampled_from(["a1", "a1", "a2", None])),
        user_id=draw(st.sampled_from(["u1", "u2"])),
        session_id=draw(st.sampled_from([None, None, None, "s1", "s2"])),
        page_view_id=draw(st.sampled_from([None, "p1", "p2", "p3"])),
        sequence=draw(st.sampled_from([None, 1, 5])),
    )


@examples(5)
@given(data=st.data())
def test_any_split_of_events_into_batches_gives_the_rows_of_one_batch(spark: SparkSession, data: st.DataObject) -> None:
    rows = data.draw(st.lists(events(), min_size=8, max_size=24))
    lake = SmallLake(spark)
    rest = data.draw(st.permutations(rows))
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        present = list(lake.events.values())
        went = (
            data.draw(st.lists(st.sampled_from(present), unique_by=lambda row: row["event_id"], max_size=2))
            if present
            else []
        )
        lake.change(rest[:size], went)
        rest = rest[size:]
        lakes_agree(lake, list(lake.events.values()))
