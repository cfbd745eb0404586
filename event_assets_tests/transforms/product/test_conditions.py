"""Conditions on events hold on every engine of the events that plain Python finds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.rules.condition import Alternative, Comparison, Step
from event_assets.transforms.product.known import with_group, with_groups, with_people, with_segments
from event_assets.transforms.product.matching import all_hold, matches
from event_assets.verification.history import Event
from event_assets.verification.matching import is_step
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, row_of, rows_of

SAID: list[Any] = [None, "", "x", "Xy", "xy z", "ÄX", "3", 3, 3.5, -1, 2**53 + 1, True, False, "10", [1], {"a": 1}]
ASKED: list[dict[str, Any]] = [
    *({"is_": value} for value in ("x", 3, True, [3, "x"])),
    *({"is_not": value} for value in ("x", 3, ["Xy", False])),
    *({"contains": value} for value in ("X", ["äx", "z"])),
    {"contains_not": "y"},
    *({"matches": value} for value in ("^x", r"\d$")),
    {"matches_not": "^x"},
    *({bound: 3} for bound in ("above", "at_least", "below", "at_most")),
    {"above": 2**53},
    {"is_set": True},
    {"is_set": False},
    {"at_least": -1, "below": 10, "is_not": 3},
]


def test_every_operator_holds_of_what_plain_python_says(spark_engine: SparkSession) -> None:
    texts = ["{}", *(json.dumps({"p": value}) for value in SAID)]
    rows = [enriched_event("buy", at(n), event_id=str(n), properties=text) for n, text in enumerate(texts)]
    steps = [Step(event="buy", where={"p": Comparison(**asked)}) for asked in ASKED]
    events = frame(spark_engine, rows)
    found = events.select("properties", *(matches(step, events.columns).alias(f"s{n}") for n, step in enumerate(steps)))
    for row in rows_of(found):
        event = Event("e", "buy", "a", None, None, None, "web", 0, 0, 0.0, row, "p")
        for n, step in enumerate(steps):
            assert row[f"s{n}"] is is_step(event, step), (row["properties"], ASKED[n])


def test_alternatives_and_any_event_are_what_plain_python_says(spark_engine: SparkSession) -> None:
    rows = [enriched_event(name, at(n), properties=json.dumps({"p": n})) for n, name in enumerate("abcab")]
    steps = [
        Step(event=None),
        Step(event=None, where={"p": Comparison(above=2)}),
        Step(any=[Alternative(event="a", where={"p": 0}), Alternative(event="c")]),
    ]
    events = frame(spark_engine, rows)
    columns = (matches(step, events.columns).alias(f"s{n}") for n, step in enumerate(steps))
    found = {row["properties"]: row for row in rows_of(events.select("event", "properties", *columns))}
    assert [[found[f'{{"p": {n}}}'][f"s{k}"] for n in range(5)] for k in range(3)] == [
        [True] * 5,
        [False, False, False, True, True],
        [True, False, True, False, False],
    ]


def test_what_is_known_of_persons_companies_and_segments_is_a_field_of_their_events(spark_engine: SparkSession) -> None:
    """Of p1 a trait, of p2 company data; p1 is of two companies, the later one counts but where the event names one."""
    people = [("p1", '{"plan": "pro", "team": {"size": 3}}', "Paid"), ("p2", None, None)]
    users = [row_of(USERS, person_id=p, traits=traits, channel_group=channel) for p, traits, channel in people]
    attributes = [
        row_of(PERSON_ATTRIBUTES, person_id=p, attribute="plan", value=f'"{plan}"', group_id=None)
        for p, plan in (("p1", "old"), ("p2", "basic"))
    ]
    members = [
        row_of(GROUP_MEMBERS, group_id=group, person_id="p1", last_seen_at=at(days=day))
        for day, group in enumerate(("g1", "g2"))
    ]
    companies = [
        row_of(COMPANIES, group_id=group, plan=plan, attributes=attributes)
        for group, plan, attributes in (("g1", "team", None), ("g2", None, '{"size": 9}'))
    ]
    groups = [row_of(GROUPS, group_id="g1", traits='{"size": 4}')]
    segments = [
        row_of(SEGMENT_MEMBERSHIPS, segment=name, person_id="p1", is_current=is_current)
        for name, is_current in (("a", True), ("b", False))
    ]
    rows = [
        enriched_event(event_id="1", anonymous_id="p1", group_id=None),
        enriched_event(event_id="2", anonymous_id="p1", group_id="g1"),
        enriched_event(event_id="3", anonymous_id="p2", group_id=None),
    ]
    fields = ["person.plan", "person.channel_group", "person.team.size", "group.plan", "group.size", "person.segment"]
    events = frame(spark_engine, rows).withColumn("person_id", F.col("anonymous_id"))

    def table(rows: Any, spec: Any) -> Any:
        return frame(spark_engine, rows, spec)

    known = with_people(events, fields, table(users, USERS), table(attributes, PERSON_ATTRIBUTES))
    known = with_group(known, table(members, GROUP_MEMBERS))
    known = with_groups(known, fields, table(companies, COMPANIES), table(groups, GROUPS))
    known = with_segments(known, table(segments, SEGMENT_MEMBERSHIPS))

    expected: list[tuple[dict[str, Any], str]] = [
        ({"person.plan": "pro"}, "12"),
        ({"person.plan": "basic"}, "3"),
        ({"person.channel_group": "Paid"}, "12"),
        ({"person.channel_group": Comparison(is_set=False)}, "3"),
        ({"person.team.size": 3}, "12"),
        ({"group.plan": "team"}, "2"),
        ({"group.size": Comparison(above=5)}, "1"),
        ({"group.size": 4}, "2"),
        ({"person.segment": "a"}, "12"),
        ({"person.segment": ["b", "c"]}, ""),
        ({"person.segment": Comparison(is_not="a")}, "3"),
        ({"person.segment": Comparison(is_set=True, is_not="b")}, "12"),
    ]
    asked = (all_hold(where, known.columns).alias(f"w{n}") for n, (where, _) in enumerate(expected))
    found = rows_of(known.select("event_id", *asked))
    for n, (where, ids) in enumerate(expected):
        assert "".join(row["event_id"] for row in found if row[f"w{n}"]) == ids, where


@examples(4)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), min_size=1, max_size=5),
    word=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=2),
)
def test_words_are_found_whatever_their_case(spark: SparkSession, texts: list[str], word: str) -> None:
    rows = [enriched_event("buy", at(n), page_path=text) for n, text in enumerate(texts)]
    step = Step(event="buy", where={"page_path": Comparison(contains=word)})
    events = frame(spark, rows)
    for row in rows_of(events.select("page_path", matches(step, events.columns).alias("holds"))):
        event = Event("e", "buy", "a", None, None, None, "web", 0, 0, 0.0, row, "p")
        assert row["holds"] is is_step(event, step), row
