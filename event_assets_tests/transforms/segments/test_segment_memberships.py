"""Who is in a segment on which days: one test a rule."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.people import OUTLIER_VISITORS, USER_TRAITS
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.rules.condition import Step
from event_assets.rules.rule_files import RuleError
from event_assets.rules.segment import (
    All,
    AnyOf,
    Condition,
    Did,
    InSegment,
    IsOutlier,
    Next,
    Not,
    Segment,
    Sequence,
    Trait,
    User,
)
from event_assets.transforms.segments.segment_memberships import members_by_day, segment_memberships
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]
Days = tuple[int, int | None]
BUY = Step(event="buy")


def did(*days: float, event: str = "buy", **fields: Any) -> list[Row]:
    return [enriched_event(event, at(days=day), **fields) for day in days]


def said(trait: str, value: Any, from_day: float, to_day: float | None = None, person: str = "a1") -> Row:
    ends = None if to_day is None else at(days=to_day)
    row = {"person_id": person, "trait": trait, "value": json.dumps(value), "from_at": at(days=from_day)}
    return {**row, "to_at": ends, "is_current": ends is None, "event_id": f"{trait}{from_day}"}


def visit(day: float, number: int = 0, **fields: Any) -> Row:
    row = {"person_id": "a1", "session_id": f"s{number}", "start_at": at(days=day), "is_bot": False}
    return {**row, **fields}


def of_people(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))


def stays(
    spark: SparkSession,
    who: Condition,
    events: Iterable[Row],
    *,
    last: int = 20,
    traits: Iterable[Row] = (),
    sessions: Iterable[Row] = (),
    outliers: Iterable[Row] = (),
    **more: Any,
) -> list[Days]:
    """The days, counted from the first, from which on and until which `a1` is a member."""
    made = segment_memberships(
        of_people(spark, events),
        [Segment(name="s", who=who, **more)],
        at(days=last).date(),
        traits=frame(spark, traits, USER_TRAITS),
        sessions=frame(spark, sessions, SESSIONS),
        outliers=frame(spark, outliers, OUTLIER_VISITORS),
    )
    rows = [row for row in rows_of(made) if row["person_id"] == "a1"]
    assert all(row["is_current"] is (row["to_date"] is None) for row in rows)
    return sorted(((_number(row["from_date"]) or 0, _number(row["to_date"])) for row in rows), key=str)


def _number(date: dt.date | None) -> int | None:
    return None if date is None else (date - at().date()).days


# How often -----------------------------------------------------------------------------------------------------------


def test_who_did_something_is_a_member_from_that_day_on(spark: SparkSession) -> None:
    assert stays(spark, Did(did=BUY), [*did(0, event="view"), *did(3, 5)]) == [(3, None)]


def test_in_the_last_days_counts_the_day_itself_and_ends_when_the_event_leaves(spark: SparkSession) -> None:
    assert stays(spark, Did(did=BUY, last="1 day"), did(0, 1, 5)) == [(0, 2), (5, 6)]
    assert stays(spark, Did(did=BUY, last="7 days"), did(0, 5)) == [(0, 12)]
    assert stays(spark, Did(did=BUY, last="1 week"), did(0, 7)) == [(0, 14)]
    assert stays(spark, Did(did=BUY, last="7 days"), did(0, 8), last=10) == [(0, 7), (8, None)]


def test_a_day_is_a_day_in_utc_and_its_answer_that_at_its_end(spark: SparkSession) -> None:
    last_instant, midnight = at(hours=12, seconds=-0.000001), at(hours=12)
    assert stays(spark, Did(did=BUY), [enriched_event("buy", last_instant)]) == [(0, None)]
    assert stays(spark, Did(did=BUY), [enriched_event("buy", midnight)]) == [(1, None)]


def test_so_many_times(spark: SparkSession) -> None:
    events = did(0, 1, 1.1, 4)
    assert stays(spark, Did(did=BUY, at_least=3), events) == [(1, None)]
    assert stays(spark, Did(did=BUY, at_most=1), events) == [(0, 1)]
    assert stays(spark, Did(did=BUY, exactly=3), events) == [(1, 4)]
    assert stays(spark, Did(did=BUY, at_least=2, at_most=3, last="3 days"), events) == [(1, 4)]


def test_who_did_not_is_a_member_from_the_first_event_on_and_not_before(spark: SparkSession) -> None:
    events = [*did(2, event="view"), *did(5)]
    assert stays(spark, Did(did=BUY, exactly=0), events) == [(2, 5)]
    assert stays(spark, Did(did=BUY, exactly=0, last="3 days"), events) == [(2, 5), (8, None)]
    assert stays(spark, Not(condition=Did(did=BUY, last="3 days")), events) == [(2, 5), (8, None)]


def test_a_step_asks_for_values_and_anything_for_none(spark: SparkSession) -> None:
    events = [*did(0, properties='{"plan": "free"}'), *did(2, properties='{"plan": "pro"}', device_type="mobile")]
    assert stays(
        spark, Did(did=Step(event="buy", where={"plan": "pro", "device_type": ["mobile", "tablet"]})), events
    ) == [(2, None)]
    assert stays(spark, Did(did="anything", at_least=2), events) == [(2, None)]


# Sequences -----------------------------------------------------------------------------------------------------------


def steps(*names: str, within: str | None = None) -> list[Next]:
    return [Next(event=name, within=within if place else None) for place, name in enumerate(names)]


def test_a_sequence_is_there_when_its_last_event_is(spark: SparkSession) -> None:
    events = [*did(0, event="b"), *did(1, event="a"), *did(2, event="x"), *did(3, event="b")]
    assert stays(spark, Sequence(sequence=steps("a", "b")), events) == [(3, None)]
    assert stays(spark, Sequence(sequence=steps("b", "a", "b")), events) == [(3, None)]
    assert stays(spark, Sequence(sequence=steps("a", "b", "a")), events) == []


def test_all_of_a_sequence_is_in_the_period(spark: SparkSession) -> None:
    events = [*did(0, 1, event="a"), *did(3, event="b"), *did(9, event="a")]
    assert stays(spark, Sequence(sequence=steps("a", "b"), last="4 days"), events) == [(3, 5)]
    assert stays(spark, Sequence(sequence=steps("a", "b"), last="2 days"), events) == []
    assert stays(spark, Sequence(sequence=steps("b", "a"), last="1 week"), events) == [(9, 10)]


def test_each_step_is_within_its_window_after_the_one_before_its_end_included(spark: SparkSession) -> None:
    events = [*did(0, event="a"), *did(2, event="b"), *did(4, event="c")]
    assert stays(spark, Sequence(sequence=steps("a", "b", "c", within="2 days")), events) == [(4, None)]
    assert stays(spark, Sequence(sequence=steps("a", "b", "c", within="47 hours")), events) == []
    assert stays(spark, Sequence(sequence=steps("a", "c", within="3 days")), events) == []
    # The first b is too long before c, the second one is not.
    assert (
        stays(
            spark,
            Sequence(sequence=steps("a", "b", "c", within="2 days")),
            [*events[:2], *did(3, event="b"), *did(5, event="c")],
        )
        == []
    )
    late = [*did(0, 2, event="a"), *did(3, event="b")]
    assert stays(spark, Sequence(sequence=steps("a", "b", within="1 day")), late) == [(3, None)]


def test_one_event_is_one_step_and_those_of_an_instant_are_in_the_order_of_the_steps(spark: SparkSession) -> None:
    assert stays(spark, Sequence(sequence=steps("a", "a")), did(0, event="a")) == []
    assert stays(spark, Sequence(sequence=steps("a", "a")), did(0, 0, event="a")) == [(0, None)]
    assert stays(spark, Sequence(sequence=steps("a", "b")), [*did(0, event="b"), *did(0, event="a")]) == [(0, None)]


# Traits --------------------------------------------------------------------------------------------------------------


def test_a_trait_is_as_known_at_the_end_of_the_day(spark: SparkSession) -> None:
    traits = [
        said("plan", "trial", 1, 4),
        said("plan", "pro", 4, 6),
        said("plan", "trial", 6, 6.2),
        said("plan", "x", 6.2),
    ]
    assert stays(spark, Trait(trait="plan", is_="trial"), did(0), traits=traits) == [(1, 4)]
    assert stays(spark, Trait(trait="plan", is_=["trial", "pro"]), did(0), traits=traits) == [(1, 6)]
    assert stays(spark, Trait(trait="plan"), did(0), traits=traits) == [(1, None)]
    assert stays(spark, Not(condition=Trait(trait="plan")), did(0), traits=traits) == [(0, 1)]
    assert stays(spark, Trait(trait="name"), did(0), traits=traits) == []


def test_a_trait_may_be_a_number_and_inside_another(spark: SparkSession) -> None:
    traits = [
        said("company", {"size": 40, "eu": True}, 0, 2),
        said("company", {"size": 60.5}, 2, 5),
        said("company", "x", 5),
    ]
    assert stays(spark, Trait(trait="company.size", at_least=50), did(0), traits=traits) == [(2, 5)]
    assert stays(spark, Trait(trait="company.size", at_most=60, at_least=40), did(0), traits=traits) == [(0, 2)]
    assert stays(spark, Trait(trait="company.eu", is_=True), did(0), traits=traits) == [(0, 2)]
    assert stays(spark, Trait(trait="company.size", is_=60.5), did(0), traits=traits) == [(2, 5)]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "many", True, None, [60], {"size": 60}])
def test_a_trait_that_is_no_number_is_neither_large_nor_small(spark: SparkSession, value: Any) -> None:
    traits = [said("size", value, 0)]
    assert (
        stays(
            spark, AnyOf(any=[Trait(trait="size", at_least=0), Trait(trait="size", at_most=0)]), did(0), traits=traits
        )
        == []
    )


def test_a_trait_of_another_person_is_not_mine(spark: SparkSession) -> None:
    assert stays(spark, Trait(trait="plan"), did(0), traits=[said("plan", "pro", 0, person="a2")]) == []


# What events tell of a user ------------------------------------------------------------------------------------------


def test_numbers_of_a_user_are_those_up_to_the_day(spark: SparkSession) -> None:
    sales = [
        *did(0, event="view"),
        *did(2, 5, event="purchase", revenue_reporting=0.1),
        *did(6, event="purchase", revenue_reporting=None),
    ]
    assert stays(spark, User(user="events", at_least=2), sales) == [(2, None)]
    assert stays(spark, User(user="conversions", at_least=2, at_most=2), sales) == [(5, 6)]
    assert stays(spark, User(user="revenue", at_least=0.2), sales) == [(5, None)]
    assert stays(spark, User(user="revenue", at_most=0.1), sales) == [(0, 5)]
    visits = [visit(0, 1), visit(4, 2), visit(4.2, 3)]
    assert stays(spark, User(user="sessions", at_least=1, at_most=2), did(0), sessions=visits) == [(0, 4)]


def test_revenue_that_is_no_money_counts_as_none(spark: SparkSession) -> None:
    odd = [
        *did(0, event="purchase", revenue_reporting=float("nan")),
        *did(1, event="purchase", revenue_reporting=1e300),
    ]
    assert stays(spark, User(user="revenue", at_most=0), odd) == [(0, None)]


def test_without_conversions_there_is_no_revenue(spark: SparkSession) -> None:
    made = segment_memberships(
        of_people(spark, did(0, event="purchase", revenue_reporting=5.0)),
        [
            Segment(name="a", who=User(user="revenue", at_least=1)),
            Segment(name="b", who=User(user="conversions", at_least=1)),
        ],
        at().date(),
        conversion_events=(),
    )
    assert rows_of(made) == []


def test_days_since_the_first_and_the_last_event(spark: SparkSession) -> None:
    events = did(1, 3)
    assert stays(spark, User(user="days_since_first_seen", at_least=2), events) == [(3, None)]
    assert stays(spark, User(user="days_since_first_seen", at_most=6), events) == [(1, 8)]
    assert stays(spark, User(user="days_since_first_seen", at_least=0, at_most=0), events) == [(1, 2)]
    assert stays(spark, User(user="days_since_last_seen", at_least=2), events) == [(5, None)]
    assert stays(spark, User(user="days_since_last_seen", at_least=1, at_most=3), events) == [(2, 3), (4, 7)]
    assert stays(spark, User(user="days_since_last_seen", at_most=10**15), events) == [(1, None)]


def test_a_source_is_the_first_sessions_from_its_day_on(spark: SparkSession) -> None:
    visits = [visit(2, 2, source="google", campaign=None), visit(4, 1, source="news", campaign="x")]
    assert stays(spark, User(user="source", is_="google"), did(0), sessions=visits) == [(2, None)]
    assert stays(spark, User(user="source", is_=["bing", "google"]), did(0), sessions=visits) == [(2, None)]
    assert stays(spark, User(user="source", is_="news"), did(0), sessions=visits) == []
    assert stays(spark, User(user="source"), did(0), sessions=visits) == [(2, None)]
    assert stays(spark, User(user="campaign"), did(0), sessions=visits) == []


# Trees, robots, persons ----------------------------------------------------------------------------------------------


def test_who_is_an_outlier_is_one_from_the_first_day_of_the_device_on(spark: SparkSession) -> None:
    flagged = [
        {"anonymous_id": device, "person_id": "a1", "first_at": at(days=day), "is_outlier": is_outlier}
        for device, day, is_outlier in (("x", 1, False), ("y", 3, True), ("z", 5, True))
    ]
    assert stays(spark, IsOutlier(outlier=True), did(0), outliers=flagged) == [(3, None)]
    assert stays(spark, IsOutlier(outlier=False), did(0), outliers=flagged) == [(0, 3)]
    assert stays(spark, IsOutlier(outlier=False), did(0), outliers=flagged[:1]) == [(0, None)]


def test_conditions_are_put_together(spark: SparkSession) -> None:
    events = [*did(0, 4, event="a"), *did(2, event="b")]
    a, b = Did(did=Step(event="a"), last="2 days"), Did(did=Step(event="b"), last="2 days")
    assert stays(spark, All(all=[a, b]), events) == []
    assert stays(spark, AnyOf(any=[a, b]), events) == [(0, 6)]
    assert stays(spark, All(all=[AnyOf(any=[a, b]), Not(condition=b)]), events) == [(0, 2), (4, 6)]


def test_a_segment_is_made_of_others_in_whatever_order_they_are_given(spark: SparkSession) -> None:
    events = of_people(spark, did(0, 6))
    recent = Segment(name="recent", who=Did(did=BUY, last="3 days"))
    lapsed = Segment(name="lapsed", who=Not(condition=InSegment(segment="recent")))
    always = Segment(name="always", who=AnyOf(any=[InSegment(segment="recent"), InSegment(segment="lapsed")]))
    rows = rows_of(segment_memberships(events, [always, lapsed, recent], at(days=20).date()))
    assert [(row["segment"], _number(row["from_date"]), _number(row["to_date"])) for row in rows] == [
        ("always", 0, None),
        ("lapsed", 3, 6),
        ("lapsed", 9, None),
        ("recent", 0, 3),
        ("recent", 6, 9),
    ]
    with pytest.raises(RuleError, match="segment lapsed: there is no segment 'recent'"):
        segment_memberships(events, [lapsed], at().date())


def test_robots_do_not_count_unless_they_are_asked_for(spark: SparkSession) -> None:
    events = [*did(0, is_bot=True), *did(3, event="view")]
    visits = [visit(0, 1, is_bot=True, source="crawl"), visit(3, 2, source="google")]
    assert stays(spark, Did(did=BUY), events) == []
    assert stays(spark, Did(did=BUY), events, include_bots=True) == [(0, None)]
    assert stays(spark, Not(condition=Did(did=BUY)), events) == [(3, None)]
    assert stays(spark, User(user="source", is_="google"), events, sessions=visits) == [(3, None)]
    assert stays(spark, User(user="source", is_="crawl"), events, sessions=visits, include_bots=True) == [(0, None)]
    assert stays(spark, Sequence(sequence=steps("buy", "view")), events) == []


def test_who_is_a_robot_in_all_events_is_in_no_segment(spark: SparkSession) -> None:
    assert (
        stays(spark, Not(condition=Did(did=BUY)), did(0, event="view", is_bot=True), traits=[said("plan", "x", 0)])
        == []
    )


def test_nothing_after_the_day_counts(spark: SparkSession) -> None:
    assert stays(spark, Did(did=BUY, last="3 days"), did(0, 5), last=4) == [(0, 3)]
    assert stays(spark, Did(did=BUY), did(5), last=4) == []
    assert stays(spark, Did(did=BUY, last="3 days"), did(0), last=2) == [(0, None)]


def test_no_segments_and_no_events_are_no_rows(spark: SparkSession) -> None:
    for made in (
        segment_memberships(of_people(spark, did(0)), [], at().date()),
        segment_memberships(of_people(spark, []), [Segment(name="s", who=Did(did=BUY))], at().date()),
    ):
        assert tuple(made.columns) == SEGMENT_MEMBERSHIPS.column_names
        assert rows_of(made) == []


def test_events_without_a_column_for_robots_or_a_person_are_taken(spark: SparkSession) -> None:
    events = of_people(spark, [*did(0), *did(0, anonymous_id=None)]).drop("is_bot", "revenue_reporting")
    assert len(rows_of(segment_memberships(events, [Segment(name="s", who=Did(did=BUY))], at().date()))) == 1


def test_facts_that_are_not_given_are_asked_for(spark: SparkSession) -> None:
    for who, what in ((Trait(trait="plan"), "traits"), (User(user="source"), "sessions")):
        with pytest.raises(ValueError, match=f"pass {what}="):
            segment_memberships(of_people(spark, did(0)), [Segment(name="s", who=who)], at().date())


def test_members_are_counted_on_the_days_on_which_that_changes(spark: SparkSession) -> None:
    events = of_people(spark, [*did(0), *did(0, 2, anonymous_id="a2")])
    made = segment_memberships(events, [Segment(name="s", who=Did(did=BUY, last="2 days"))], at(days=3).date())
    counts = [(_number(row["event_date"]), row["members"]) for row in rows_of(members_by_day(made))]
    assert counts == [(0, 2), (2, 1)]
