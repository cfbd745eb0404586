from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.transforms.affected import carrying, of_ids
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.people.user_traits import user_traits
from event_assets.transforms.people.users import affected_persons, ids_of, users
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms import incremental
from event_assets_tests.transforms.incremental import RULES, kept, replaced

Row = dict[str, Any]


class People:
    """All tables about the people of some events."""

    def __init__(self, spark: SparkSession, rows: list[Row]) -> None:
        self.events = frame(spark, rows)
        self.sessions = frame(spark, incremental.sessions_of(spark, rows), SESSIONS)
        self.identities = kept(spark, identities(self.events, partial(kept, spark)).rows)

    def users(self) -> DataFrame:
        return users(self.identities, self.events, self.sessions, user_traits(self.identities, self.events), RULES)

    def rows(self) -> list[Row]:
        return rows_of(self.users())


def identify(device: str, user: str, seconds: float = 0) -> Row:
    return enriched_event("identify", at(seconds), anonymous_id=device, user_id=user)


def test_a_user_is_a_person_with_all_ids_and_the_sums_of_their_devices(spark: SparkSession) -> None:
    rows = [
        enriched_event(page_view_id="p1", source="google", medium="cpc", channel_group="Paid Search"),
        identify("a1", "u1", 5),
        enriched_event("purchase", at(9), user_id="u1", properties='{"revenue": 20}'),
        identify("a2", "u1", 60),
        enriched_event(when=at(70), anonymous_id="a2", page_view_id="p2", source="bing"),
        enriched_event("purchase", at(80), anonymous_id=None, user_id="u1", platform="server"),
    ]
    (row,) = People(spark, rows).rows()
    assert tuple(row) == USERS.column_names
    assert (row["person_id"], row["user_ids"], row["anonymous_ids"]) == ("a1", '["u1"]', '["a1","a2"]')
    assert (row["first_seen_at"], row["last_seen_at"]) == (at(0), at(80))
    assert (row["sessions"], row["events"], row["page_views"]) == (3, 6, 2)
    assert (row["conversions"], row["revenue"]) == (2, 20.0)
    assert (row["source"], row["medium"], row["channel_group"]) == ("google", "cpc", "Paid Search")


def test_a_person_is_a_robot_when_all_their_events_are(spark: SparkSession) -> None:
    rows = [
        *(enriched_event(when=at(second), anonymous_id="crawler", is_bot=True) for second in (0, 5)),
        enriched_event(anonymous_id="watched"),
        enriched_event(when=at(5), anonymous_id="watched", is_bot=True),
        enriched_event("alias", user_id="new", is_bot=True, properties='{"previous_id": "named"}'),
        enriched_event(),
    ]
    found = {row["person_id"]: (row["is_bot"], row["events"]) for row in People(spark, rows).rows()}
    assert found["crawler"] == (True, 2)
    assert found["watched"] == (False, 2)
    assert not any(is_bot for person, (is_bot, _) in found.items() if person != "crawler")


def test_what_happens_on_a_shared_device_is_its_users(spark: SparkSession) -> None:
    rows = [enriched_event(user_id=f"u{number}", when=at(number)) for number in range(6)] + [enriched_event()]
    counts = {row["person_id"]: row["events"] for row in People(spark, rows).rows()}
    assert counts == {"a1": 1, **{f"u{number}": 1 for number in range(6)}}


def test_a_conversion_after_its_sessions_cut_still_counts(spark: SparkSession) -> None:
    late = enriched_event("purchase", at(days=4), session_id="s", properties='{"revenue": 3}')
    people = People(spark, [enriched_event(session_id="s"), late])
    (row,), (session,) = people.rows(), rows_of(people.sessions)
    assert (row["sessions"], row["conversions"], row["revenue"], session["conversions"]) == (1, 1, 3.0, 0)


def test_each_purpose_is_as_the_last_event_says_that_answers_it(spark: SparkSession) -> None:
    rows = [
        enriched_event("consent_changed", at(50), consent_analytics=True, consent_marketing=True, received_at=at(51)),
        enriched_event("consent_changed", at(40), consent_analytics=False, received_at=at(days=3)),
        identify("a1", "u1", 60),
        enriched_event("signup", at(55), anonymous_id=None, user_id="u1", consent_marketing=False),
        enriched_event("signup", at(70), anonymous_id="a9"),
    ]
    joined, other = People(spark, rows).rows()
    names = ("consent_analytics", "consent_marketing", "consent_personalisation", "consent_at")
    assert [joined[name] for name in names] == [True, False, None, at(55)]
    assert [other[name] for name in names] == [None, None, None, None]


def test_of_two_consents_at_the_same_moment_the_later_received_counts(spark: SparkSession) -> None:
    states = [(True, 7), (False, 9), (True, 8)]
    rows = [enriched_event(consent_analytics=state, received_at=at(seconds)) for state, seconds in states]
    (row,) = People(spark, rows).rows()
    assert row["consent_analytics"] is False


PURPOSES = ("consent_analytics", "consent_marketing", "consent_personalisation")


@examples(2)
@given(st.lists(st.lists(st.tuples(*[st.sampled_from([None, True, False])] * 3), max_size=6), min_size=20, max_size=40))
def test_a_purpose_holds_until_it_is_answered_anew(
    spark: SparkSession, people: list[list[tuple[bool | None, ...]]]
) -> None:
    """Each device answers as often as it is drawn, some purposes at a time."""
    rows = [
        enriched_event("signup", at(number), anonymous_id=f"d{device}", **dict(zip(PURPOSES, answer, strict=True)))
        for device, answers in enumerate(people)
        for number, answer in enumerate([(None, None, None), *answers])
    ]
    made = {row["person_id"]: row for row in People(spark, rows).rows()}
    for device, answers in enumerate(people):
        for index, name in enumerate(PURPOSES):
            said = [answer[index] for answer in answers if answer[index] is not None]
            assert made[f"d{device}"][name] is (said[-1] if said else None)


def test_a_user_shows_the_traits_that_hold(spark: SparkSession) -> None:
    rows = [
        {**identify("a1", "u1", seconds), "traits": f'{{"plan": "{plan}"}}'} for seconds, plan in ((5, "b"), (1, "a"))
    ]
    assert [row["traits"] for row in People(spark, rows).rows()] == ['{"plan":"b"}']
    assert [row["traits"] for row in People(spark, [identify("a1", "u1")]).rows()] == [None]


def test_touched_persons_alone_give_the_rows_of_all(spark: SparkSession) -> None:
    before = [enriched_event(), enriched_event(anonymous_id="a2"), identify("a3", "u3", 5)]
    came = [identify("a1", "u3", 50)]
    old, new = People(spark, before), People(spark, [*before, *came])
    regrouped = old.identities.exceptAll(new.identities).unionByName(new.identities.exceptAll(old.identities))
    persons = affected_persons(
        regrouped, frame(spark, came), lambda ids: of_ids(new.identities, ids, "id"), lambda: new.events
    )
    assert persons == ["a1", "a3", "u3"]
    ids = ids_of(persons, new.identities)
    assert ids == ["a1", "a3", "u3"]
    events = carrying(new.events, ids)
    made = users(new.identities, events, carrying(new.sessions, ids), user_traits(new.identities, events), RULES)
    assert rows_of(replaced(old.users(), made, "person_id", persons)) == new.rows()
