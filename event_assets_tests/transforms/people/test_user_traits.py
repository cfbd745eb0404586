from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.people import USER_TRAITS
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.trait_history import current_traits, that_say_more
from event_assets.transforms.people.user_traits import user_traits
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept

Row = dict[str, Any]


def says(seconds: float, traits: Any, **fields: Any) -> Row:
    text = traits if isinstance(traits, str) else json.dumps(traits)
    return enriched_event("identify", at(seconds), **{"user_id": "u1", "traits": text, **fields})


def history(spark: SparkSession, *rows: Row) -> list[Row]:
    events = frame(spark, rows)
    people = kept(spark, identities(events, partial(kept, spark)).rows)
    return rows_of(user_traits(people, events))


def values(rows: list[Row], trait: str = "plan") -> list[tuple[str, dt.datetime, dt.datetime | None]]:
    return [(row["value"], row["from_at"], row["to_at"]) for row in rows if row["trait"] == trait]


def now(spark: SparkSession, *rows: Row) -> dict[str, Any]:
    traits = frame(spark, history(spark, *rows), USER_TRAITS)
    return {row["person_id"]: json.loads(row["traits"]) for row in rows_of(current_traits(traits, "person_id"))}


def test_a_trait_holds_until_an_event_says_something_else(spark: SparkSession) -> None:
    rows = history(spark, says(0, {"plan": "free", "age": 7}), says(9, {"plan": "pro"}), says(20, {"plan": "free"}))
    assert values(rows) == [('"free"', at(0), at(9)), ('"free"', at(20), None), ('"pro"', at(9), at(20))]
    assert values(rows, "age") == [("7", at(0), None)]
    assert tuple(rows[0]) == USER_TRAITS.column_names
    assert [row["is_current"] for row in rows] == [row["to_at"] is None for row in rows]


def test_saying_the_same_again_changes_nothing(spark: SparkSession) -> None:
    first, again = says(0, '{"plan": {"name": "pro"}}'), says(5, '{"plan":{"name":"pro"}}')
    (row,) = history(spark, first, again)
    assert (row["from_at"], row["to_at"], row["event_id"]) == (at(0), None, first["event_id"])


def test_what_happened_earlier_and_came_late_changes_the_past_only(spark: SparkSession) -> None:
    late = says(0, {"plan": "free"}, received_at=at(days=9))
    rows = history(spark, says(9, {"plan": "pro"}), late)
    assert values(rows) == [('"free"', at(0), at(9)), ('"pro"', at(9), None)]


def test_of_two_at_the_same_moment_the_later_received_holds(spark: SparkSession) -> None:
    rows = [says(0, {"plan": "b"}, received_at=at(8)), says(0, {"plan": "a"}, received_at=at(7))]
    assert now(spark, *rows) == {"a1": {"plan": "b"}}


def test_null_takes_a_trait_back(spark: SparkSession) -> None:
    rows = [says(0, {"plan": "free", "age": 7}), says(5, {"plan": None}), says(6, {"gone": None})]
    assert values(history(spark, *rows)) == [('"free"', at(0), at(5))]
    assert now(spark, *rows) == {"a1": {"age": 7}}


def test_what_is_said_once_holds_only_where_nothing_does(spark: SparkSession) -> None:
    def once(seconds: float, traits: Any, **fields: Any) -> Row:
        return says(seconds, {"x": 1}, traits_once=json.dumps(traits), **fields)

    rows = [once(0, {"plan": "a"}), once(1, {"plan": "b", "age": None}), says(2, {"plan": "c"}), once(3, {"plan": "d"})]
    rows += [says(4, {"plan": None}), once(5, {"plan": "e", "x": 2}), once(6, {"plan": "f"})]
    assert values(history(spark, *rows)) == [('"a"', at(0), at(2)), ('"c"', at(2), at(4)), ('"e"', at(5), None)]
    assert now(spark, *rows) == {"a1": {"x": 1, "plan": "e"}}
    alone = enriched_event("page_view", user_id="u1", traits_once='{"came":"ad"}')
    assert now(spark, alone) == {"a1": {"came": "ad"}}


def test_what_is_said_of_a_group_is_no_trait_of_its_member(spark: SparkSession) -> None:
    group = enriched_event("group", at(1), user_id="u1", group_id="g", traits='{"plan":"b"}', traits_once='{"x":1}')
    assert now(spark, says(0, {"plan": "a"}), group) == {"a1": {"plan": "a"}}


def test_traits_are_the_persons_whichever_id_said_them(spark: SparkSession) -> None:
    rows = [
        says(0, {"plan": "free"}),
        says(5, {"plan": "pro"}, anonymous_id="a2"),
        says(6, {"x": 1}, anonymous_id="b", user_id="u2"),
    ]
    assert now(spark, *rows) == {"a1": {"plan": "pro"}, "b": {"x": 1}}


def test_names_and_values_may_be_any_json(spark: SparkSession) -> None:
    said = {'a"b\\': "名前", "": [1, {"x": None}], "n": 12345678901234567890, "true": True, "half": 0.5}
    assert now(spark, says(0, said)) == {"a1": said}


def test_long_names_are_cut(spark: SparkSession) -> None:
    (row,) = history(spark, says(0, {"x" * 1_000: 1}))
    assert row["trait"] == "x" * 128


def statement(names: str) -> st.SearchStrategy[tuple[int, bool, Row]]:
    traits = st.dictionaries(st.sampled_from(names), st.sampled_from([1, 2, None]), min_size=1)
    return st.tuples(st.integers(0, 5), st.booleans(), traits)


statements = statement("abc")


@pytest.mark.slow
@examples(8)
@given(before=st.lists(statement("a"), max_size=5), came=st.lists(statement("a"), min_size=1, max_size=2))
def test_whom_nothing_more_is_said_of_has_the_history_that_they_had(
    spark: SparkSession, before: list[tuple[int, bool, Row]], came: list[tuple[int, bool, Row]]
) -> None:
    def of(told: list[tuple[int, bool, Row]], first: int) -> list[Row]:
        return [
            says(seconds, traits, event_id=f"e{number % 3}{number}")
            | ({"traits": None, "traits_once": json.dumps(traits)} if once else {})
            for number, (seconds, once, traits) in enumerate(told, first)
        ]

    first, second = of(before, 0), of(came, len(before))
    first.append(says(6, {"z": 0}, event_id="z"))  # so that the person is known
    stood = history(spark, *first)
    told = with_person(frame(spark, second), identities(frame(spark, first), partial(kept, spark)).rows)
    more = rows_of(that_say_more(told, "person_id", frame(spark, stood, USER_TRAITS)))
    if not more:
        assert history(spark, *first, *second) == stood


@examples(6)
@given(said=st.lists(statements, max_size=8))
def test_the_last_word_of_each_trait_is_what_holds(
    spark: SparkSession, said: list[tuple[int, bool, dict[str, int | None]]]
) -> None:
    rows = [
        says(seconds, None if once else traits, traits_once=json.dumps(traits) if once else None)
        | ({"traits": None} if once else {})
        for seconds, once, traits in said
    ]
    held: dict[str, Any] = {}
    for _, once, traits in sorted(said, key=lambda each: each[0]):
        held |= {name: value for name, value in traits.items() if not once or held.get(name) is None}
    held = {name: value for name, value in held.items() if value is not None}
    assert now(spark, *rows[::-1]) == ({"a1": held} if held else {})
