"""Whose a session is, one sentence each."""

from __future__ import annotations

from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.identity.stitching import reassigned_ids, stitch
from event_assets.transforms.sessions.sessionise import session_events, sessionise
from event_assets.transforms.sessions.sessions import sessions
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES, kept

Row = dict[str, Any]


def stitched(spark: SparkSession, *rows: Row) -> list[tuple[str | None, str | None, str]]:
    """The user, stitched user and person of each session, in the order of their beginnings."""
    events = frame(spark, rows)
    made = sessions(sessionise(session_events(events, RULES), RULES), events, RULES)
    people = identities(events, partial(kept, spark)).rows
    found = rows_of(stitch(made, people))
    assert all(tuple(row) == SESSIONS.column_names for row in found)
    return [
        (row["user_id"], row["stitched_user_id"], row["person_id"])
        for row in sorted(found, key=lambda r: r["start_at"])
    ]


def test_the_last_user_by_receipt_is_the_devices_for_its_past_sessions_too(spark: SparkSession) -> None:
    rows = [
        enriched_event(),
        enriched_event(when=at(hours=2), user_id="u1", received_at=at(hours=9)),
        enriched_event(when=at(hours=4), user_id="u2", received_at=at(hours=5)),
        enriched_event(when=at(hours=6)),
    ]
    assert [user for _, user, _ in stitched(spark, *rows)] == ["u1"] * 4


def test_without_a_user_the_stitched_user_is_the_device_itself(spark: SparkSession) -> None:
    assert stitched(spark, enriched_event()) == [(None, "a1", "a1")]


def test_a_session_without_a_device_is_its_users_and_stitched_to_none(spark: SparkSession) -> None:
    server = enriched_event("order", platform="server", anonymous_id=None, user_id="u1")
    assert stitched(spark, server) == [("u1", None, "u1")]


def test_a_user_of_another_device_of_the_session_is_not_the_devices(spark: SparkSession) -> None:
    rows = [
        enriched_event(session_id="s"),
        enriched_event(when=at(5), session_id="s", anonymous_id="a2", user_id="u1"),
    ]
    assert stitched(spark, *rows) == [("u1", "a1", "a1")]


def test_identify_makes_all_sessions_of_its_ids_one_persons_and_a_user_id_alone_does_not(spark: SparkSession) -> None:
    rows = [
        enriched_event(),
        enriched_event("identify", at(hours=2), anonymous_id="a2", user_id="u1"),
        enriched_event(when=at(hours=2), anonymous_id="a2"),
        enriched_event("identify", at(hours=4), user_id="u1"),
        enriched_event(when=at(hours=6), anonymous_id="a3", user_id="u1"),
    ]
    of_one = [(None, "u1", "a1"), ("u1", "u1", "a1"), ("u1", "u1", "a1")]
    assert stitched(spark, *rows) == [*of_one, ("u1", "u1", "a3")]


def test_a_session_of_a_shared_device_is_its_users_and_stitched_to_the_last(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(hours=2 * n), user_id=f"u{n}") for n in range(6)]
    found = stitched(spark, *rows, enriched_event(when=at(hours=20)))
    assert found == [*((f"u{n}", "u5", f"u{n}") for n in range(6)), (None, "u5", "a1")]


def test_ids_that_only_came_reassign_nothing(spark: SparkSession) -> None:
    def row(id_: str, person: str, **more: Any) -> Row:
        return {"id_type": "anonymous", "id": id_, "person_id": person, "is_shared": False, **more}

    rows = [
        row("new", "new"),
        row("known", "known", user_id="u"),
        row("joined", "other"),
        row("shared", "shared", is_shared=True),
    ]
    found = rows_of(reassigned_ids(frame(spark, rows, IDENTITIES)))
    assert [row["id"] for row in found] == ["joined", "known", "shared"]
