from __future__ import annotations

import json
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.people.groups import group_members, groups
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept

Row = dict[str, Any]


def tables(spark: SparkSession, *rows: Row) -> tuple[list[Row], list[Row]]:
    """The groups of these events, and their members."""
    events = frame(spark, rows)
    members = kept(spark, group_members(kept(spark, identities(events, partial(kept, spark)).rows), events))
    return rows_of(groups(members, events)), rows_of(members)


def says(seconds: float, traits: Row | None, properties: Row | None = None, **fields: Any) -> Row:
    said = {"group_id": "g", "traits": None if traits is None else json.dumps(traits), **fields}
    return enriched_event("group", at(seconds), properties=json.dumps(properties or {}), **said)


def test_a_group_has_its_times_its_members_and_what_is_known_of_it(spark: SparkSession) -> None:
    (group, other), members = tables(
        spark,
        says(0, {"name": "Initech", "seats": 3}, {"group_type": "company"}),
        enriched_event("purchase", at(5), group_id="g"),
        says(9, {"seats": 5, "gone": None}, traits_once='{"name":"late","since":2020}', anonymous_id="a2"),
        enriched_event("identify", at(10), anonymous_id="a2", user_id="u1", group_id="g", traits='{"name":"Ann"}'),
        enriched_event(when=at(11), anonymous_id=None, user_id="u1", group_id="g"),
        enriched_event(when=at(3), anonymous_id="a3", group_id="h"),
        enriched_event(when=at(1), anonymous_id="a4"),
    )
    assert (tuple(group), tuple(members[0])) == (GROUPS.column_names, GROUP_MEMBERS.column_names)
    assert json.loads(group.pop("traits")) == {"name": "Initech", "seats": 5, "since": 2020}
    seen = {"first_seen_at": at(0), "last_seen_at": at(11), "events": 5}
    assert group == {"group_id": "g", "group_type": "company", "members": 2, **seen}
    assert (other["group_id"], other["group_type"], other["members"], other["traits"]) == ("h", None, 1, None)
    assert [(row["group_id"], row["person_id"], row["first_seen_at"], row["events"]) for row in members] == [
        ("g", "a1", at(0), 2),
        ("g", "a2", at(9), 3),
        ("h", "a3", at(3), 1),
    ]


def test_an_event_that_stands_for_itself_alone_makes_nobody_a_member(spark: SparkSession) -> None:
    alone = says(0, {"name": "Initech"}, event_id="e", anonymous_id="e")
    (group,), members = tables(spark, alone, says(5, None, {"group_type": "team"}, event_id="f", anonymous_id="f"))
    assert (group["events"], group["members"], group["group_type"], members) == (2, 0, "team", [])
