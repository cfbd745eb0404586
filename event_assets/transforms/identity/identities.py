"""The rows of `identities`: which ids are one person.

- `identify` and `alias` say that their `anonymous_id` and their `user_id` are one person; `alias` says so of its
  `user_id` and `properties.previous_id` too. A previous id is an anonymous id where one like it was seen, else a user
  id. The same text as anonymous id and as user id is one id.
- Other events join nobody: their `user_id` only names the device's user (`user_id`), and counts for sharing.
- A device with more than five user ids, on whatever events, is shared, and joins none.
- A person is a connected component; its id is the smallest of its ids by (first seen, id), the same however the events
  came. An alias has seen the previous id that it names. Without an edge a person falls apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.transforms.affected import CARRIERS, frame_of, listed, of_ids
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.identity.components import connected_components
from event_assets.transforms.people.visitors import last_users
from event_assets.transforms.sortable import DIGITS, sortable

SHARED_ABOVE = 5
"""A device with more user ids than this is shared."""


class Identities(NamedTuple):
    """The rows, and how many rounds it took to find the components."""

    rows: DataFrame
    rounds: int


def identities(
    events: DataFrame, checkpoint: Checkpoint, shared_above: int = SHARED_ABOVE, known: DataFrame | None = None
) -> Identities:
    """The identities of enriched events, in the columns of `IDENTITIES`.

    `known` are identities that follow from events that are gone: who was one person is, and what was shared stays so.
    """
    met = meetings(events)
    met = checkpoint(met if known is None else met.unionByName(_sightings_of(known)))
    ids = _ids(met, shared_above)
    if known is not None:
        ids = _shared_too(ids, known)
    ids = checkpoint(ids)
    edges = _edges(met, ids)
    if known is not None:
        edges = edges.unionByName(_known_edges(known, ids))
    components = connected_components(edges, checkpoint)
    members = components.members.select("node", F.col("root").alias("person"))
    users = last_users(met).select(F.lit("anonymous").alias("id_type"), F.col("anonymous_id").alias("id"), "user_id")
    rows = (
        ids.join(members, "node", "left")
        .join(users, ["id_type", "id"], "left")
        .withColumn("person", F.coalesce("person", "node"))
        .withColumn("person_id", F.expr(f"substring(person, {DIGITS + 2}, length(person) - {DIGITS + 3})"))
        .select(*IDENTITIES.column_names)
    )
    return Identities(rows, components.rounds)


def _sightings_of(known: DataFrame) -> DataFrame:
    """When known ids were seen, and with whom last, as meetings that join nobody."""
    is_device = F.col("id_type") == "anonymous"

    def seen(at: str) -> DataFrame:
        user = F.when(is_device, F.when(F.lit(at == "first_seen_at"), F.col("user_id"))).otherwise(F.col("id"))
        return known.select(
            F.when(is_device, F.col("id")).alias("anonymous_id"),
            *(user.alias("user_id"), F.lit(None).cast("string").alias("previous_id"), F.lit(False).alias("joins")),
            *(F.col(at).alias("first_at"), F.col(at).alias("last_at"), F.col("first_seen_at").alias("received_at")),
        )

    return seen("first_seen_at").unionByName(seen("last_seen_at"))


def _shared_too(ids: DataFrame, known: DataFrame) -> DataFrame:
    shared = known.where("is_shared").select("id_type", "id", F.lit(True).alias("_was_shared"))
    rows = ids.join(shared, ["id_type", "id"], "left")
    is_shared = F.col("is_shared") | F.coalesce("_was_shared", F.lit(False))
    return rows.withColumn("is_shared", is_shared).select(*ids.columns)


def _known_edges(known: DataFrame, ids: DataFrame) -> DataFrame:
    """Each known id and the one that its person is named by."""
    left = known.join(ids.select("id_type", "id", F.col("node").alias("left")), ["id_type", "id"])
    right = ids.select(F.col("id").alias("person_id"), F.col("node").alias("right"))
    return left.where(F.col("id") != F.col("person_id")).join(right, "person_id").select("left", "right")


def meetings(events: DataFrame) -> DataFrame:
    """Which ids met on events, and when first and last: the little of the events that identities are made of.

    Columns: anonymous_id, user_id, previous_id (of an alias), joins, first_at, last_at, received_at (the last).
    """
    named = F.get_json_object("properties", "$.previous_id")
    # An empty id says that there is none; kept, it would make one person of all who send it.
    previous_id = F.when((F.col("event") == "alias") & (named != ""), named)
    return (
        events.withColumn("previous_id", previous_id)
        .withColumn("joins", F.col("event").isin("identify", "alias"))
        .groupBy("anonymous_id", "user_id", "previous_id", "joins")
        .agg(
            F.min("derived_at").alias("first_at"),
            F.max("derived_at").alias("last_at"),
            F.max("received_at").alias("received_at"),
        )
    )


def affected_ids(
    changed: DataFrame, events: Callable[[], DataFrame], identities: Callable[[], DataFrame]
) -> list[str] | None:
    """The ids whose rows may change after `changed`: `meetings` of events that came or went. None where they are too
    many to be listed.

    `events` gives all enriched events as they are now, `identities` the rows as they were. These are the persons of the
    changed events' ids and of whoever these met; what follows is `identities(events_of(events, ids), …)`.
    """
    ids = listed(all_ids(changed))
    if not ids:
        return ids
    first = listed(_with_their_persons(frame_of(changed.sparkSession, ids), identities()))
    if first is None:
        return None
    met = all_ids(meetings(events_of(events(), first))).unionByName(frame_of(changed.sparkSession, first))
    return listed(_with_their_persons(met.distinct(), identities()))


def events_of(events: DataFrame, ids: Sequence[str]) -> DataFrame:
    """The events that carry one of these ids, as anonymous, user or previous id."""
    previous_id = F.get_json_object("properties", "$.previous_id")
    return of_ids(events, ids, *CARRIERS, F.when(F.col("event") == "alias", previous_id))


def _ids(met: DataFrame, shared_above: int) -> DataFrame:
    """Every id with when it was seen, whether it is shared, and its node: a text that sorts by (first seen, id)."""
    seen = (
        _sightings(met)
        .groupBy("id_type", "id")
        .agg(F.min("first_at").alias("first_seen_at"), F.max("last_at").alias("last_seen_at"))
    )
    users = (
        met.where(F.col("user_id").isNotNull()).groupBy("anonymous_id").agg(F.countDistinct("user_id").alias("users"))
    )
    shared = users.where(F.col("users") > shared_above).select(
        F.lit("anonymous").alias("id_type"), F.col("anonymous_id").alias("id"), F.lit(True).alias("shared")
    )
    return (
        seen.join(shared, ["id_type", "id"], "left")
        .withColumn("is_shared", F.coalesce("shared", F.lit(False)))
        .withColumn("node", _node())
        .drop("shared")
    )


def _sightings(met: DataFrame) -> DataFrame:
    """(id_type, id, first_at, last_at), also of the previous ids of aliases."""
    devices = _seen_as(met, F.lit("anonymous"), "anonymous_id")
    known = devices.select(F.col("id").alias("previous_id"), F.lit("anonymous").alias("known_as")).distinct()
    previous = met.join(known, "previous_id", "left")
    return devices.unionByName(_seen_as(met, F.lit("user"), "user_id")).unionByName(
        _seen_as(previous, F.coalesce("known_as", F.lit("user")), "previous_id")
    )


def _seen_as(met: DataFrame, id_type: Column, column: str) -> DataFrame:
    rows = met.where(F.col(column).isNotNull())
    return rows.select(id_type.alias("id_type"), F.col(column).alias("id"), "first_at", "last_at")


def _node() -> Column:
    kind = F.when(F.col("id_type") == "anonymous", "a").otherwise("u")
    return F.concat(sortable("first_seen_at"), F.lit(" "), F.col("id"), F.lit("\u0001"), kind)


def _edges(met: DataFrame, ids: DataFrame) -> DataFrame:
    """Pairs of nodes that are one person: columns left, right."""
    users = ids.where("id_type = 'user'").select(F.col("id").alias("user_id"), F.col("node").alias("right"))
    devices = ids.where("id_type = 'anonymous'")
    lone = devices.where("NOT is_shared").select(F.col("id").alias("anonymous_id"), F.col("node").alias("left"))
    of_devices = (
        met.where("joins")
        .select("anonymous_id", "user_id")
        .unionByName(met.select(F.col("previous_id").alias("anonymous_id"), "user_id"))
    )
    of_users = met.join(devices.select(F.col("id").alias("previous_id")), "previous_id", "left_anti").join(
        users.select(F.col("user_id").alias("previous_id"), F.col("right").alias("left")), "previous_id"
    )
    same = devices.select(F.col("id").alias("user_id"), F.col("node").alias("left"))
    return (
        of_devices.join(lone, "anonymous_id")
        .join(users, "user_id")
        .select("left", "right")
        .unionByName(of_users.join(users, "user_id").select("left", "right"))
        .unionByName(same.join(users, "user_id").select("left", "right"))
    )


def all_ids(met: DataFrame) -> DataFrame:
    """The ids of meetings, each once, in the column `id`."""
    columns = F.array("anonymous_id", "user_id", "previous_id")
    return met.select(F.explode(columns).alias("id")).where(F.col("id").isNotNull()).distinct()


def _with_their_persons(ids: DataFrame, identities: DataFrame) -> DataFrame:
    persons = identities.join(ids, "id", "left_semi").select("person_id").distinct()
    return ids.unionByName(identities.join(persons, "person_id", "left_semi").select("id")).distinct()
