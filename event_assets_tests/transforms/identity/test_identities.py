from __future__ import annotations

import json
import random
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.transforms.affected import listed, of_ids
from event_assets.transforms.identity.after_meetings import Identities, after_meetings
from event_assets.transforms.identity.identities import affected_ids, all_ids, events_of, identities, meetings
from event_assets.transforms.identity.known_meetings import told_apart
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept, replaced

Row = dict[str, Any]
Id = tuple[str, str]


def identify(device: str, user: str, seconds: float = 0) -> Row:
    return enriched_event("identify", at(seconds), anonymous_id=device, user_id=user)


def alias(previous: str, user: str, seconds: float = 0) -> Row:
    properties = json.dumps({"previous_id": previous})
    return enriched_event("alias", at(seconds), anonymous_id=None, user_id=user, properties=properties)


def seen(device: str | None, user: str | None = None, seconds: float = 0) -> Row:
    return enriched_event("signup", at(seconds), anonymous_id=device, user_id=user)


def found(spark: SparkSession, events: DataFrame) -> DataFrame:
    return kept(spark, identities(events, partial(kept, spark)).rows)


def persons(spark: SparkSession, *rows: Row) -> dict[str, str]:
    return {row["id"]: row["person_id"] for row in rows_of(found(spark, frame(spark, rows)))}


def test_a_row_has_the_columns_of_the_table_and_when_the_id_was_seen(spark: SparkSession) -> None:
    rows = rows_of(found(spark, frame(spark, [seen("a1"), seen("a1", seconds=9), seen(None, "u1", 5)])))
    assert tuple(rows[0]) == IDENTITIES.column_names
    assert [(row["id_type"], row["first_seen_at"], row["last_seen_at"]) for row in rows] == [
        ("anonymous", at(0), at(9)),
        ("user", at(5), at(5)),
    ]


def test_identify_joins_the_device_and_the_user_and_other_events_do_not(spark: SparkSession) -> None:
    assert persons(spark, identify("a1", "u1"), seen("a2", "u2", 5)) == {"a1": "a1", "u1": "a1", "a2": "a2", "u2": "u2"}


def test_alias_joins_the_previous_id_be_it_a_users_or_a_devices_or_never_seen(spark: SparkSession) -> None:
    rows = [seen(None, "u0"), seen("a0", seconds=1), alias("u0", "u1", 2), alias("a0", "u2", 3), alias("gone", "u3", 4)]
    assert persons(spark, *rows) == {"u0": "u0", "u1": "u0", "a0": "a0", "u2": "a0", "gone": "gone", "u3": "gone"}


def test_alias_joins_the_device_that_it_came_from_as_identify_does(spark: SparkSession) -> None:
    rows = [{**alias("u0", "u1"), "anonymous_id": "a1"}, {**alias("", "u2"), "anonymous_id": "a2"}]
    assert persons(spark, *rows) == {"a1": "a1", "u0": "a1", "u1": "a1", "a2": "a2", "u2": "a2"}


def test_an_id_is_first_seen_where_an_alias_names_it_be_it_a_users_or_a_devices(spark: SparkSession) -> None:
    assert persons(spark, alias("a0", "u0", 1), identify("a0", "u0", 2)) == {"a0": "a0", "u0": "a0"}
    assert persons(spark, alias("u1", "u9", 1), seen(None, "u1", 2)) == {"u1": "u1", "u9": "u1"}


def test_an_empty_previous_id_joins_nobody(spark: SparkSession) -> None:
    assert persons(spark, alias("", "u1"), alias("", "u2", 1)) == {"u1": "u1", "u2": "u2"}


def test_a_person_is_a_connected_component_named_by_its_first_seen_id(spark: SparkSession) -> None:
    rows = [identify("a2", "u1", 5), identify("a1", "u1", 9), alias("u1", "u2", 12), seen(None, "u2", 1)]
    assert set(persons(spark, *rows).values()) == {"u2"}


def test_among_ids_first_seen_at_the_same_time_the_smallest_names_the_person(spark: SparkSession) -> None:
    assert set(persons(spark, identify("b", "a")).values()) == {"a"}
    assert set(persons(spark, identify("a", "ab")).values()) == {"a"}


def test_a_device_with_more_than_five_users_is_shared_and_joins_none(spark: SparkSession) -> None:
    five = [identify("a1", f"u{number}", number) for number in range(5)]
    assert set(persons(spark, *five).values()) == {"a1"}
    six = [*five, seen("a1", "u9", 9)]
    assert persons(spark, *six) == {name: name for name in ("a1", "u0", "u1", "u2", "u3", "u4", "u9")}
    shared = {row["id"]: row["is_shared"] for row in rows_of(found(spark, frame(spark, six)))}
    assert [name for name, is_shared in shared.items() if is_shared] == ["a1"]


def test_the_same_text_as_device_and_user_is_one_person(spark: SparkSession) -> None:
    rows = rows_of(found(spark, frame(spark, [seen("x"), seen(None, "x", 4)])))
    assert [row["person_id"] for row in rows] == ["x", "x"]


def test_without_its_edge_a_person_falls_apart(spark: SparkSession) -> None:
    rows = [seen("a1"), seen(None, "u1", 1), identify("a1", "u1", 2)]
    assert set(persons(spark, *rows).values()) == {"a1"}
    assert persons(spark, *rows[:2]) == {"a1": "a1", "u1": "u1"}


@pytest.mark.slow
def test_one_device_with_ten_thousand_users_is_shared_and_each_user_stays_alone(spark: SparkSession) -> None:
    rows = [identify("a1", f"u{number:05}", 1) for number in range(10_000)]
    found_persons = persons(spark, *rows)
    assert len(found_persons) == len(set(found_persons.values())) == 10_001


@st.composite
def meeting(draw: st.DrawFn) -> Row:
    device, user = draw(st.sampled_from(["a1", "a2", "a3", "x"])), draw(st.sampled_from(["u1", "u2", "u3", "u4", "x"]))
    seconds = draw(st.integers(0, 9))
    kind = draw(st.sampled_from(["identify", "identify", "alias", "seen"]))
    if kind == "alias":
        return alias(device, user, seconds)
    return identify(device, user, seconds) if kind == "identify" else seen(device, user, seconds)


@pytest.mark.slow
@examples(6)
@given(data=st.data())
def test_doing_only_the_touched_ids_gives_the_rows_of_all(spark: SparkSession, data: st.DataObject) -> None:
    before = data.draw(st.lists(meeting(), max_size=10))
    went = data.draw(st.lists(st.sampled_from(before), unique_by=lambda row: row["event_id"])) if before else []
    came = data.draw(st.lists(meeting(), min_size=1, max_size=4))
    gone = {row["event_id"] for row in went}
    after = [row for row in before if row["event_id"] not in gone] + came
    shared_above = 2

    def made(events: DataFrame) -> DataFrame:
        return kept(spark, identities(events, partial(kept, spark), shared_above).rows)

    existing, events = made(frame(spark, before)), frame(spark, after)
    ids = affected_ids(meetings(frame(spark, [*came, *went])), lambda: events, lambda: existing)
    assert ids is not None
    again = replaced(existing, made(events_of(events, ids)), "id", ids)
    assert rows_of(again) == rows_of(made(events))


@examples(5)
@given(data=st.data())
def test_what_follows_from_the_identities_as_they_are_is_what_all_events_give(
    spark: SparkSession, data: st.DataObject
) -> None:
    before = data.draw(st.lists(meeting(), max_size=10))
    alone = st.sampled_from([("a1", None), ("x", None), ("new", None), (None, "u1"), (None, "x"), (None, "new")])
    more = data.draw(st.lists(st.tuples(alone, st.integers(0, 9)), max_size=4))
    came = [*data.draw(st.lists(meeting(), max_size=3)), *(seen(*who, seconds) for who, seconds in more)]
    came += [{**row, "event_id": f"again-{row['event_id']}", "derived_at": at(20)} for row in before[:2]]
    shared_above = 2

    def made(events: DataFrame) -> DataFrame:
        return kept(spark, identities(events, partial(kept, spark), shared_above).rows)

    existing, events, met = made(frame(spark, before)), frame(spark, [*before, *came]), meetings(frame(spark, came))
    ids = listed(all_ids(met))
    assert ids is not None
    known = Identities(lambda: existing, lambda ids: of_ids(existing, ids, "id"))
    after = after_meetings(met, ids, lambda: events, known, partial(kept, spark))
    assert after is not None
    again = replaced(existing, made(events_of(events, after.again)), "id", after.again)
    again = replaced(again, after.rows, "id", sorted({*after.ids}.difference(after.again)))
    assert rows_of(again) == rows_of(made(events))


@pytest.mark.parametrize(
    ("came", "others"),
    [
        ([("a1", None), ("new", None), (None, "u1"), ("a1", "u1")], 0),
        ([("new", "u1"), ("a2", "u1"), ("newer", "u9"), ("a3", "u8"), ("a3", None)], 0),
        ([("a1", "u2"), ("u1", None), (None, "a1"), ("a2", "u1"), ("a2", "u2")], 5),
        ([("twice", None), (None, "twice"), ("twice", "u7")], 3),
    ],
    ids=["known ids and new ones alone", "devices with their first user", "a second user", "one text of two kinds"],
)
def test_of_known_ids_and_new_ones_alone_nothing_of_before_is_asked(
    spark: SparkSession, came: list[tuple[str | None, str | None]], others: int
) -> None:
    rows = [identify("a1", "u1"), seen("a2"), seen("a3")]
    existing = identities(frame(spark, rows), partial(kept, spark)).rows
    met = meetings(frame(spark, [seen(device, user, 9) for device, user in came]))
    assert told_apart(met, existing, partial(kept, spark)).others.count() == others


def test_a_first_user_makes_one_person_of_both_and_of_whoever_they_were_with(spark: SparkSession) -> None:
    before = [identify("b1", "u1", 5), seen("a1", seconds=1), identify("c1", "u2", 2), alias("c0", "u2", 3)]
    came = [identify("a1", "u1", 9), identify("new", "u2", 9), seen("new", "u2", 9), identify("n1", "n2", 9)]
    came += [seen("z1", seconds=7), identify("z1", "m2", 9), seen("z2", "m2", 8)]
    existing = found(spark, frame(spark, before))
    met = meetings(frame(spark, came))
    known = Identities(lambda: existing, lambda ids: of_ids(existing, ids, "id"))
    after = after_meetings(met, listed(all_ids(met)) or [], none_are_read, known, partial(kept, spark))
    assert after is not None and not after.again
    again = replaced(existing, after.rows, "id", after.ids)
    assert rows_of(again) == rows_of(found(spark, frame(spark, [*before, *came])))
    named = {row["id"]: row["person_id"] for row in rows_of(again)}
    assert named == dict.fromkeys(("a1", "u1", "b1"), "a1") | dict.fromkeys(("c1", "c0", "u2", "new"), "c1") | {
        "n1": "n1",
        "n2": "n1",
        "z1": "z1",
        "m2": "z1",
        "z2": "z2",
    }


def none_are_read() -> DataFrame:
    raise AssertionError("events of before are read")


class UnionFind:
    """Plain sets of ids that are one person."""

    def __init__(self) -> None:
        self.parent: dict[Id, Id] = {}

    def root(self, one: Id) -> Id:
        while self.parent.setdefault(one, one) != one:
            one = self.parent[one]
        return one

    def join(self, one: Id, other: Id) -> None:
        self.parent[self.root(one)] = self.root(other)


def by_union_find(rows: list[Row], shared_above: int) -> dict[Id, str]:
    """The person of every id, by the document's sentences one after the other."""
    devices = {row["anonymous_id"] for row in rows} - {None}
    users: dict[str, set[str]] = {device: set() for device in devices}
    seen: dict[Id, Any] = {}
    edges: list[tuple[Id, Id]] = []
    for row in rows:
        device, user = row["anonymous_id"], row["user_id"]
        previous = json.loads(row["properties"]).get("previous_id")
        named = ("anonymous" if previous in devices else "user", previous)
        ids = [("anonymous", device), ("user", user), named]
        for one in ids:
            if one[1] is not None:
                seen[one] = min(seen.get(one, row["derived_at"]), row["derived_at"])
        if device and user:
            users[device].add(user)
        if user and device and row["event"] in ("identify", "alias"):
            edges.append((ids[0], ids[1]))
        if user and previous:
            edges.append((named, ids[1]))
    shared = {("anonymous", device) for device, theirs in users.items() if len(theirs) > shared_above}
    people = UnionFind()
    for one, other in edges:
        if one not in shared:
            people.join(one, other)
    members: dict[Id, list[Id]] = {}
    for one in seen:
        members.setdefault(people.root(one), []).append(one)
    return {one: min((seen[m], m[1]) for m in group)[1] for group in members.values() for one in group}


@st.composite
def graph(draw: st.DrawFn) -> list[Row]:
    """Identifies, aliases and other events between few or many ids, at few moments."""
    size = draw(st.integers(1, 12))
    device, user = (st.sampled_from([f"{kind}{number}" for number in range(size)]) for kind in "au")
    made: list[Row] = []
    for _ in range(draw(st.integers(0, 20))):
        kind, seconds = draw(st.sampled_from(["identify", "alias", "signup"])), draw(st.integers(0, 3))
        fields = {"anonymous_id": draw(device), "user_id": draw(st.one_of(st.none(), user))}
        if kind == "alias":
            fields["properties"] = json.dumps({"previous_id": draw(st.one_of(device, user))})
            fields["anonymous_id"] = draw(st.one_of(st.none(), device)) if fields["user_id"] else fields["anonymous_id"]
        made.append(enriched_event(kind, at(seconds), **fields))
    return made


@examples(8)
@given(rows=graph(), shared_above=st.integers(1, 5), order=st.randoms())
def test_persons_of_any_graph_are_those_of_a_union_find_in_any_order(
    spark: SparkSession, rows: list[Row], shared_above: int, order: random.Random
) -> None:
    mixed = order.sample(rows, len(rows))
    made = identities(frame(spark, mixed), partial(kept, spark), shared_above).rows
    assert {(row["id_type"], row["id"]): row["person_id"] for row in rows_of(made)} == by_union_find(rows, shared_above)
