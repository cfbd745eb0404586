"""What is known of whoever an event is of, beside the event: fields `person.x`, `group.x` and `person.segment`.

It is what is known now, whenever the event was. A field of a person is a column of `users`, else a trait, else what
company data says of them; one of a company a column of `companies`, else an attribute, else a trait of the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.paths import parts_of
from event_assets.contract.tables.company import COMPANIES
from event_assets.contract.tables.people import USERS
from event_assets.rules.condition import GROUP, PERSON, SEGMENT
from event_assets.transforms.company.attributes import as_text
from event_assets.transforms.product.matching import inside

_DOCUMENTS = ("traits", "attributes")
"""Columns that are JSON objects, whose fields are asked for one by one."""


def with_people(events: DataFrame, fields: Iterable[str], users: DataFrame, attributes: DataFrame) -> DataFrame:
    """The events with a column for each of these fields that is a person's: `person.plan`, as text.

    `users` and `attributes` (person_attributes) are the lake's; events have `person_id`.
    """
    names = _named(fields, PERSON)
    if not names:
        return events
    columns = [name for name in names if name in USERS.column_names and name not in _DOCUMENTS]
    others = [name for name in names if name not in columns]
    known = users.select("person_id", "traits", *columns)
    if others:
        said = attributes.where(F.col("attribute").isin(others)).groupBy("person_id")
        known = known.join(said.agg(*(_attribute(name) for name in others)), "person_id", "left")
    made = [F.col(name).cast("string").alias(PERSON + name) for name in columns]
    made += [
        F.coalesce(inside(F.col("traits"), parts_of(name)), F.col(f"`_{name}`")).alias(PERSON + name) for name in others
    ]
    return events.join(known.select("person_id", *made), "person_id", "left")


def with_groups(events: DataFrame, fields: Iterable[str], companies: DataFrame, groups: DataFrame) -> DataFrame:
    """The events with a column for each of these fields that is a company's: `group.plan`, as text.

    `companies` and `groups` are the lake's; events have `unit_group` (see `with_group`).
    """
    names = _named(fields, GROUP)
    if not names:
        return events
    columns = [name for name in names if name in COMPANIES.column_names and name not in _DOCUMENTS]
    others = [name for name in names if name not in columns]
    known = companies.join(groups.select("group_id", "traits"), "group_id", "left")
    made = [F.col(name).cast("string").alias(GROUP + name) for name in columns]
    made += [
        F.coalesce(*(inside(F.col(each), parts_of(name)) for each in ("attributes", "traits"))).alias(GROUP + name)
        for name in others
    ]
    return events.join(known.select(F.col("group_id").alias("unit_group"), *made), "unit_group", "left")


def with_group(events: DataFrame, members: DataFrame) -> DataFrame:
    """The events with `unit_group`: the company that an event names, else the one of the person's companies that an
    event of theirs named last. `members` (group_members) are the lake's; events have `person_id` and `group_id`."""
    last = Window.partitionBy("person_id").orderBy(F.desc("last_seen_at"), "group_id")
    ranked = members.select("person_id", F.col("group_id").alias("_group"), F.row_number().over(last).alias("_nth"))
    of_people = ranked.where("_nth = 1").drop("_nth")
    known = events.join(of_people, "person_id", "left")
    return known.withColumn("unit_group", F.coalesce("group_id", "_group")).drop("_group")


def with_segments(events: DataFrame, memberships: DataFrame) -> DataFrame:
    """The events with `person.segment`: the names of all segments that the person is in now, an array that is never
    null. `memberships` (segment_memberships) are the lake's; events have `person_id`."""
    now = memberships.where("is_current").groupBy("person_id").agg(F.collect_set("segment").alias("_segments"))
    known = F.coalesce(F.col("_segments"), F.array().cast("array<string>"))
    return events.join(now, "person_id", "left").withColumn(SEGMENT, known).drop("_segments")


def _named(fields: Iterable[str], prefix: str) -> Sequence[str]:
    asked = (name.removeprefix(prefix) for name in fields if name.startswith(prefix) and name != SEGMENT)
    return list(dict.fromkeys(asked))


def _attribute(name: str) -> Column:
    return F.max(F.when(F.col("attribute") == name, as_text(F.col("value")))).alias(f"_{name}")
