"""Sessions: which events belong together. The sentences are those of the algorithms, one test each."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from event_assets.transforms.sessions.sessionise import SessionRules, session_events, sessions_of_events
from event_assets_tests.factories import at, enriched_event, frame
from event_assets_tests.transforms.incremental import sessions_of

Row = dict[str, Any]


def sessions_by_event(spark: SparkSession, rows: list[Row], rules: SessionRules = SessionRules()) -> dict[str, Row]:
    """The session of each event, by event id."""
    result = sessions_of_events(session_events(frame(spark, rows), rules), rules).toArrow().to_pylist()
    return {row["event_id"]: row for row in result}


def groups(spark: SparkSession, rows: list[Row]) -> list[list[int]]:
    """Which rows, by their place in the list, share a session."""
    result = sessions_by_event(spark, rows)
    together: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        together.setdefault(result[row["event_id"]]["session_id"], []).append(place)
    return sorted(together.values())


def test_a_client_session_is_all_events_of_its_id_whoever_sent_them(spark: SparkSession) -> None:
    rows = [
        enriched_event(session_id="s1"),
        enriched_event(when=at(hours=10), session_id="s1", anonymous_id="a2"),
        enriched_event(when=at(minutes=1)),
    ]
    assert groups(spark, rows) == [[0, 1], [2]]
    assert sessions_by_event(spark, rows)[rows[1]["event_id"]]["session_id"] == "s1"


def test_a_gap_of_exactly_thirty_minutes_does_not_start_a_session_and_a_longer_one_does(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(minutes=30)), enriched_event(when=at(0.001, minutes=60))]
    assert groups(spark, rows) == [[0, 1], [2]]


def test_events_with_a_clients_session_id_do_not_bridge_a_gap(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(minutes=20), session_id="s1"), enriched_event(when=at(minutes=40))]
    assert groups(spark, rows) == [[0], [1], [2]]


def test_sessions_are_by_anonymous_id_else_by_user_id(spark: SparkSession) -> None:
    rows = [
        enriched_event(user_id="u1"),
        enriched_event(anonymous_id="a2", user_id="u1"),
        enriched_event(anonymous_id=None, user_id="u1"),
        enriched_event(anonymous_id=None, user_id="u1", when=at(60)),
    ]
    assert groups(spark, rows) == [[0], [1], [2, 3]]


def test_a_session_never_lasts_longer_than_24_hours_and_the_next_counts_from_its_first_event(
    spark: SparkSession,
) -> None:
    rows = [enriched_event(when=at(minutes=29 * number)) for number in range(120)]
    result = sessions_by_event(spark, rows)
    assert groups(spark, rows) == [list(range(50)), list(range(50, 100)), list(range(100, 120))]
    assert [result[rows[n]["event_id"]]["session_is_cut"] for n in (0, 49, 50, 99, 100, 119)] == [True] * 4 + [
        False
    ] * 2


def test_an_event_exactly_24_hours_after_the_first_still_belongs(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(minutes=30 * number)) for number in range(50)]
    assert groups(spark, rows) == [list(range(49)), [49]]


def test_a_session_breaks_neither_at_midnight_nor_on_the_hour_and_belongs_to_the_date_of_its_start(
    spark: SparkSession,
) -> None:
    rows = [enriched_event(when=at(hours=11, minutes=50)), enriched_event(when=at(hours=12, minutes=10))]
    (session,) = sessions_of(spark, rows)
    assert session["events"] == 2 and str(session["event_date"]) == "2026-03-02"


def test_the_computed_id_is_a_hash_of_key_and_beginning_only(spark: SparkSession) -> None:
    rows = [enriched_event(), enriched_event(when=at(60), event_id="other")]
    ids = {row["session_id"] for row in sessions_by_event(spark, rows).values()}
    again = {row["session_id"] for row in sessions_by_event(spark, [enriched_event("signup", event_id="x")]).values()}
    assert ids == again == {"f55ff16f66f43360266b95db6f8fec01-34920622628e2389"}


def test_a_client_session_is_cut_three_days_after_its_first_received_event(spark: SparkSession) -> None:
    rows = [
        enriched_event(session_id="s1", when=at(hours=-1), received_at=at(days=1)),
        enriched_event(session_id="s1", received_at=at(1)),
        enriched_event(session_id="s1", when=at(days=3)),
        enriched_event(session_id="s1", when=at(0.001, days=3)),
    ]
    result = [sessions_by_event(spark, rows)[row["event_id"]] for row in rows]
    assert [row["after_cut"] for row in result] == [False, False, False, True]
    assert all(row["session_is_cut"] and row["session_id"] == "s1" for row in result)
    (session,) = sessions_of(spark, rows)
    assert (session["events"], session["end_at"], session["is_cut"]) == (3, at(days=3), True)


def test_an_event_without_any_id_belongs_to_no_session(spark: SparkSession) -> None:
    rows = [enriched_event(anonymous_id=None), enriched_event(anonymous_id=None, when=at(1))]
    assert {row["session_id"] for row in sessions_by_event(spark, rows).values()} == {None}
    assert sessions_of(spark, rows) == []


def test_no_events_give_no_sessions(spark: SparkSession) -> None:
    assert sessions_of(spark, []) == []
