"""Of any history and any conditions, memberships are what asking each person on each day gives."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.rules.condition import Step
from event_assets.rules.segment import (
    All,
    AnyOf,
    Condition,
    Did,
    InSegment,
    Next,
    Not,
    Segment,
    Trait,
    User,
    UserNumber,
)
from event_assets.rules.segment import Sequence as Walk
from event_assets.transforms.attribution.conversion_ids import conversion_ids, with_repeats
from event_assets.transforms.segments.segment_memberships import segment_memberships
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.day_by_day import History, Stay, stays

Row = dict[str, Any]
NAMES = ("view", "cart", "purchase")
PEOPLE = ("p1", "p2", "p3")
NUMBERS: tuple[UserNumber, ...] = get_args(UserNumber)
LAST = 12
HALF_DAYS = st.integers(-1, 2 * LAST - 2)
"""Noon or midnight, so that events meet at the same instant and at the beginning of a day."""


@st.composite
def events(draw: st.DrawFn) -> list[Row]:
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PEOPLE),
                st.sampled_from(NAMES),
                HALF_DAYS,
                st.integers(0, 3),
                st.booleans(),
                st.sampled_from([None, "o1", "o2"]),
            ),
            min_size=1,
            max_size=25,
        )
    )
    return [
        enriched_event(
            name,
            at(hours=12 * place),
            anonymous_id=person,
            properties=json.dumps(
                {"plan": ["free", "pro"][number % 2], "seats": number, "revenue": number + 0.1, "order_id": order}
            ),
            is_bot=bot and number == 0,
            device_type=["mobile", "desktop", None][number % 3],
        )
        for person, name, place, number, bot, order in drawn
    ]


@st.composite
def traits(draw: st.DrawFn) -> list[Row]:
    """What was said of each person, each until something else was."""
    rows = []
    for person in PEOPLE:
        for trait in ("plan", "seats"):
            said = sorted(draw(st.lists(HALF_DAYS, max_size=4)))
            for number, (place, after) in enumerate(zip(said, [*said[1:], None], strict=False)):
                value = draw(st.sampled_from(["free", "pro"] if trait == "plan" else [1, 2.5, "many"]))
                rows.append(
                    {
                        "person_id": person,
                        "trait": trait,
                        "value": json.dumps(value),
                        "from_at": at(hours=12 * place),
                        "to_at": None if after is None else at(hours=12 * after),
                        "is_current": after is None,
                        "event_id": f"t{number}",
                    }
                )
    return rows


@st.composite
def sessions(draw: st.DrawFn) -> list[Row]:
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(PEOPLE), HALF_DAYS, st.sampled_from(["google", "news", None]), st.booleans()),
            max_size=6,
        )
    )
    return [
        {
            "person_id": person,
            "session_id": f"s{number}",
            "start_at": at(hours=12 * place),
            "source": source,
            "is_bot": bot and number % 3 == 0,
        }
        for number, (person, place, source, bot) in enumerate(drawn)
    ]


counts = st.integers(0, 3)
spans = st.sampled_from([None, "1 day", "3 days", "1 week"])
wheres: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"plan": "pro"}, {"seats": [1, 2]}, {"device_type": "mobile"}]
)
steps = st.builds(Step, event=st.sampled_from(NAMES), where=wheres)


@st.composite
def dids(draw: st.DrawFn) -> Did:
    bounds = draw(
        st.one_of(
            st.fixed_dictionaries({"at_least": st.integers(1, 3)}),
            st.fixed_dictionaries({"at_most": counts}),
            st.fixed_dictionaries({"exactly": counts}),
            st.just({"at_least": 1, "at_most": 2}),
            st.just({}),
        )
    )
    return Did(did=draw(st.one_of(steps, st.just("anything"))), last=draw(spans), **bounds)


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    names = draw(st.permutations(NAMES))[: draw(st.integers(2, 3))]
    windows = st.sampled_from([None, None, "12 hours", "2 days"])
    return Walk(
        sequence=[
            Next(event=name, where=draw(wheres), within=draw(windows) if place else None)
            for place, name in enumerate(names)
        ],
        last=draw(spans),
    )


trait_conditions = st.sampled_from(
    [
        Trait(trait="plan", is_="pro"),
        Trait(trait="plan"),
        Trait(trait="seats", at_least=2),
        Trait(trait="seats", at_most=2),
        Trait(trait="seats", is_=1),
    ]
)


@st.composite
def user_conditions(draw: st.DrawFn) -> User:
    if draw(st.booleans()):
        return User(user="source", is_=draw(st.sampled_from([None, "google", ["news", "x"]])))
    least, most = sorted((draw(counts), draw(counts)))
    bounds = draw(st.sampled_from([(least, None), (None, most), (least, most)]))
    return User(user=draw(st.sampled_from(NUMBERS)), at_least=bounds[0], at_most=bounds[1])


leaves: st.SearchStrategy[Condition] = st.one_of(dids(), dids(), walks(), trait_conditions, user_conditions())


def trees(others: list[str]) -> st.SearchStrategy[Condition]:
    ends = st.one_of(leaves, st.sampled_from(others).map(lambda name: InSegment(segment=name))) if others else leaves
    return st.recursive(
        ends,
        lambda inside: st.one_of(
            st.lists(inside, min_size=1, max_size=3).map(lambda each: All(all=each)),
            st.lists(inside, min_size=1, max_size=3).map(lambda each: AnyOf(any=each)),
            inside.map(lambda each: Not(condition=each)),
        ),
        max_leaves=4,
    )


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """Segments, some of which are made of others; in any order."""
    made: list[Segment] = []
    for name in ("a", "b", "c", "d"):
        who = draw(trees([segment.name for segment in made]))
        made.append(Segment(name=name, who=who, include_bots=draw(st.booleans())))
    return list(draw(st.permutations(made)))


def people(spark: SparkSession, rows: list[Row]) -> DataFrame:
    return frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))


def found(spark: SparkSession, history: History, wanted: list[Segment]) -> list[Stay]:
    rows = people(spark, list(history.events))
    made = segment_memberships(
        rows,
        wanted,
        history.as_of,
        traits=frame(spark, history.traits, USER_TRAITS),
        sessions=frame(spark, history.sessions, SESSIONS),
        ids=with_repeats(conversion_ids(rows, SessionRules())),
    )
    return sorted((tuple(row.values()) for row in rows_of(made)), key=str)


@examples(8)
@given(events(), traits(), sessions(), segments(), st.integers(LAST - 4, LAST + 4))
def test_a_membership_is_what_every_day_says(
    spark: SparkSession,
    happened: list[Row],
    said: list[Row],
    visits: list[Row],
    wanted: list[Segment],
    last: int,
) -> None:
    as_of = at(days=last).date()
    history = History([{**row, "person_id": row["anonymous_id"]} for row in happened], said, visits, as_of)
    assert found(spark, history, wanted) == stays(history, wanted)
