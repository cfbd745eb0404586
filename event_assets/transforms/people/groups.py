"""The rows of `groups` and `group_members`: one a group, and one a group and person.

Whose an event is, is decided in stitching.py; how traits follow each other, in trait_history.py.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.transforms.affected import carrying, listed
from event_assets.transforms.identity.stitching import regrouped, with_person
from event_assets.transforms.people.trait_history import SAID_COLUMNS, current_traits, trait_history

MEMBER_COLUMNS = ("group_id", "anonymous_id", "user_id", "event_id", "derived_at")
"""The columns of enriched events that members are made of."""

GROUP_COLUMNS = ("group_id", "event", "properties", *SAID_COLUMNS)
"""The columns of enriched events that groups are made of."""


def of_a_group(events: DataFrame) -> DataFrame:
    """The events that name a group."""
    return events.where(F.col("group_id").isNotNull())


def of_members(events: DataFrame) -> DataFrame:
    """The events that name a group and are somebody's: one that stands for itself alone is nobody's."""
    is_nobodys = F.col("user_id").isNull() & (F.col("anonymous_id") == F.col("event_id"))
    return of_a_group(events).where(~F.coalesce(is_nobodys, F.lit(False)))


def group_members(identities: DataFrame, events: DataFrame) -> DataFrame:
    """The members of the groups that these events name, in the columns of `GROUP_MEMBERS`.

    An event that stands for itself alone, with no id but its own, is nobody's. Each group's rows depend on the events
    that name it alone, and on the identities of those whose events they are.
    """
    named = of_members(events)
    by_ids = named.groupBy("group_id", "anonymous_id", "user_id").agg(
        F.min("derived_at").alias("first_seen_at"),
        F.max("derived_at").alias("last_seen_at"),
        F.count(F.lit(1)).alias("events"),
    )
    return (
        with_person(by_ids, identities)
        .where(F.col("person_id").isNotNull())
        .groupBy("group_id", "person_id")
        .agg(
            F.min("first_seen_at").alias("first_seen_at"),
            F.max("last_seen_at").alias("last_seen_at"),
            F.sum("events").alias("events"),
        )
        .select(*GROUP_MEMBERS.column_names)
    )


def groups(members: DataFrame, events: DataFrame) -> DataFrame:
    """The groups that these events name, in the columns of `GROUPS`. `members` are their group_members. What
    has no event id is no event: it says what was known before."""
    named = of_a_group(events)
    seen = named.groupBy("group_id").agg(
        F.min("derived_at").alias("first_seen_at"),
        F.max("derived_at").alias("last_seen_at"),
        F.count(F.when(F.col("event_id") != "", 1)).alias("events"),
    )
    told = named.where("event = 'group'")
    traits = current_traits(trait_history(told, "group_id"), "group_id")
    counts = members.groupBy("group_id").agg(F.count(F.lit(1)).alias("members"))
    return (
        seen.join(_types(told), "group_id", "left")
        .join(counts, "group_id", "left")
        .join(traits, "group_id", "left")
        .fillna(0, ["members"])
        .select(*GROUPS.column_names)
    )


def groups_of(changed: DataFrame) -> list[str] | None:
    """The groups that these rows name; None where they are too many to be listed."""
    return listed(of_a_group(changed).select("group_id").distinct())


def groups_of_people(known: DataFrame, events: Callable[[], DataFrame]) -> list[str] | None:
    """The groups whose members may be others than they were, where these identities came or went; None where they are
    too many to be listed. `events` gives all of now."""
    ids = listed(regrouped(known).select("id").distinct())
    return ids and groups_of(carrying(of_a_group(events()), ids))


def _types(told: DataFrame) -> DataFrame:
    last = Window.partitionBy("group_id").orderBy(F.desc("derived_at"), F.desc("received_at"), F.desc("event_id"))
    typed = told.withColumn("group_type", F.get_json_object("properties", "$.group_type"))
    return (
        typed.where(F.col("group_type").isNotNull())
        .withColumn("place", F.row_number().over(last))
        .where("place = 1")
        .select("group_id", "group_type")
    )
