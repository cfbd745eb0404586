"""Meetings of which the identities as they are tell what becomes of them, so that no event of before is read: those
that say nothing but when an id was seen, of ids that are known and have met before, or of one that is new and met
nobody; and those of a device with its first user, or with the one that it has.

What identities are made of is told in identities.py, whose rows these are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.transforms.affected import CARRIERS
from event_assets.transforms.checkpoint import Checkpoint

PERSONS = ("device_person_id", "user_person_id")
"""The columns of pairs that say who the device and the user were; null where they are new."""


class ToldApart(NamedTuple):
    """`rows` are the identities that follow from meetings which say nothing new but who is whose, in the columns of
    `IDENTITIES`, all of the same ids among them, of the person that each was; `pairs` the meetings of a device with its
    first user, or its only one, each with who the two were, and when each was first seen in these meetings: where they
    join, the two persons are one (`joined`).
    `others` are the meetings that may say more. An id of which both tell is none of the `rows`'s: leave out whoever the
    others affect, and all pairs where one of them is affected."""

    rows: DataFrame
    pairs: DataFrame
    others: DataFrame


def told_apart(met: DataFrame, known: DataFrame, checkpoint: Checkpoint) -> ToldApart:
    """Tells `meetings` of events that came apart. `known` are the identities of all ids that are in them, as they are
    before these events.

    A meeting says nothing new where every id in it is known and was seen before, where the device's last user is this
    one, and where an event that joins joins who is one person already. So does a single id that is none of anybody's
    yet: it becomes a person of its own. A device that had no user has the one that it meets here, if it meets no other;
    so it is not shared.
    """
    judged = checkpoint(_judged(met, known))
    is_told, is_pair = F.col("is_known") | F.col("is_alone"), ~F.col("is_known") & F.col("is_pair")
    seen = _seen(judged.where(is_told | is_pair))
    rows = _seen_again(known, seen).unionByName(_new(known, seen))
    pairs = judged.where(is_pair)
    seen_at = (f"{name}_at" for name in CARRIERS)
    return ToldApart(
        rows, pairs.select(*met.columns, *PERSONS, *seen_at), judged.where(~(is_told | is_pair)).select(*met.columns)
    )


def joined(pairs: Iterable[Mapping[str, Any]], first_seen: Mapping[str, dt.datetime]) -> dict[str, str]:
    """Of persons of these `pairs` that become one with others, the one that each is from now on: the one that was seen
    first (ties: the smallest id). `first_seen` says when the known ones were."""
    at, root = {**first_seen}, dict[str, str]()

    def root_of(person: str) -> str:
        while (above := root.setdefault(person, person)) != person:
            person = above
        return person

    joining = []
    for pair in pairs:
        persons = [pair[person] or pair[own] for person, own in zip(PERSONS, CARRIERS, strict=True)]
        at.update(
            (person, pair[f"{name}_at"]) for person, name in zip(persons, CARRIERS, strict=True) if person not in at
        )
        joining += [persons] if pair["joins"] else []
    for persons in joining:
        first, second = sorted(map(root_of, persons), key=lambda person: (at[person], person))
        root[second] = first
    return {person: to for person in root if (to := root_of(person)) != person}


def _judged(met: DataFrame, known: DataFrame) -> DataFrame:
    """The meetings, each with whether its ids are known and have met before, whether it is of a new id alone, and
    whether it is of a device that is not shared with the only user that it has."""
    devices = known.where("id_type = 'anonymous'").select(
        F.col("id").alias("anonymous_id"),
        *(F.col(name).alias(f"device_{name}") for name in ("person_id", "first_seen_at", "is_shared", "user_id")),
    )
    users = known.where("id_type = 'user'").select(
        F.col("id").alias("user_id"),
        *(F.col(name).alias(f"user_{name}") for name in ("person_id", "first_seen_at")),
    )
    taken = known.select(F.col("id").alias("only_id"), F.lit(True).alias("is_taken")).distinct()
    by_text, of_device = Window.partitionBy("only_id"), Window.partitionBy("anonymous_id")
    mixed = _of_several_kinds(met, known)
    kind = F.when(F.col("anonymous_id").isNotNull(), "anonymous").otherwise("user")
    single = F.when(F.col("anonymous_id").isNull() | F.col("user_id").isNull(), F.coalesce(*CARRIERS))
    return (
        met.join(devices, "anonymous_id", "left")
        .join(users, "user_id", "left")
        .withColumn("only_id", F.when(F.col("previous_id").isNull(), single))
        .join(taken, "only_id", "left")
        # The same text as a device's and as a user's id is one id, so that such two are not alone.
        .withColumn("is_one_kind", F.min(kind).over(by_text) == F.max(kind).over(by_text))
        .withColumn("is_known", F.col("previous_id").isNull() & _are_known() & _have_met())
        .withColumn("is_alone", F.col("only_id").isNotNull() & F.col("is_taken").isNull() & F.col("is_one_kind"))
        .join(mixed.select(F.col("text").alias("anonymous_id"), F.lit(True).alias("is_mixed")), "anonymous_id", "left")
        .join(mixed.select(F.col("text").alias("user_id"), F.lit(True).alias("is_mixed_too")), "user_id", "left")
        .withColumn("has_one_user", F.min("user_id").over(of_device) == F.max("user_id").over(of_device))
        .withColumn("is_pair", _is_pair())
        .withColumns({f"{name}_at": F.min("first_at").over(Window.partitionBy(name)) for name in CARRIERS})
    )


def _of_several_kinds(met: DataFrame, known: DataFrame) -> DataFrame:
    """The ids, as `text`, that are a device's and a user's, or that an alias names: they may say more."""
    named = known.select(F.col("id").alias("text"), F.col("id_type").alias("kind"))
    for column in (*CARRIERS, "previous_id"):
        kind = {"anonymous_id": "anonymous", "user_id": "user"}.get(column, "previous")
        named = named.unionByName(met.select(F.col(column).alias("text"), F.lit(kind).alias("kind")))
    kinds = named.where("text IS NOT NULL").groupBy("text")
    return kinds.agg(F.min("kind").alias("least"), F.max("kind").alias("most")).where("least <> most").select("text")


def _is_pair() -> Column:
    """Whether the meeting is of a device with the only user that it has, each of them new or first seen no later."""
    is_own = F.col("device_user_id").isNull() | (F.col("device_user_id") == F.col("user_id"))
    are_no_earlier = (
        F.col(first).isNull() | (F.col(first) <= F.col("first_at"))
        for first in ("device_first_seen_at", "user_first_seen_at")
    )
    return (
        F.col("anonymous_id").isNotNull()
        & F.col("user_id").isNotNull()
        & F.col("previous_id").isNull()
        & F.coalesce("has_one_user", F.lit(False))
        & ~F.coalesce("device_is_shared", F.lit(False))
        & F.col("is_mixed").isNull()
        & F.col("is_mixed_too").isNull()
        & is_own
        & next(are_no_earlier)
        & next(are_no_earlier)
    )


def _are_known() -> Column:
    """Whether each id of the meeting is known, and was first seen no later."""
    found = (
        F.col(column).isNull() | F.coalesce(F.col(first) <= F.col("first_at"), F.lit(False))
        for column, first in (("anonymous_id", "device_first_seen_at"), ("user_id", "user_first_seen_at"))
    )
    return next(found) & next(found)


def _have_met() -> Column:
    """Whether the meeting has one id alone, or the two are known to each other for as much as it says."""
    is_alone = F.col("anonymous_id").isNull() | F.col("user_id").isNull()
    is_last = F.coalesce(F.col("device_user_id") == F.col("user_id"), F.lit(False))
    are_one = F.coalesce(F.col("device_person_id") == F.col("user_person_id"), F.lit(False))
    joins_nobody = ~F.col("joins") | F.coalesce("device_is_shared", F.lit(False)) | are_one
    return is_alone | (is_last & joins_nobody)


def _seen(quiet: DataFrame) -> DataFrame:
    """When each id of the meetings was seen, and a device with whom: id_type, id, first_at, last_at, with_user."""
    user = {"anonymous": F.col("user_id"), "user": F.lit(None).cast("string")}
    times = [
        quiet.where(F.col(column).isNotNull()).select(
            *(F.lit(kind).alias("id_type"), F.col(column).alias("id"), "first_at", "last_at"),
            user[kind].alias("with_user"),
        )
        for kind, column in zip(("anonymous", "user"), CARRIERS, strict=True)
    ]
    of_ids = times[0].unionByName(times[1]).groupBy("id_type", "id")
    return of_ids.agg(
        F.min("first_at").alias("first_at"), F.max("last_at").alias("last_at"), F.max("with_user").alias("with_user")
    )


def _seen_again(known: DataFrame, seen: DataFrame) -> DataFrame:
    """The known identities of these ids, of either type, seen last when they were."""
    last = F.greatest("last_seen_at", F.coalesce("last_at", "last_seen_at"))
    rows = known.join(seen.select("id").distinct(), "id", "left_semi").join(seen, ["id_type", "id"], "left")
    user = F.coalesce("with_user", "user_id")
    return rows.withColumns({"last_seen_at": last, "user_id": user}).select(*IDENTITIES.column_names)


def _new(known: DataFrame, seen: DataFrame) -> DataFrame:
    """The identities of ids that nobody has."""
    rows = seen.join(known.select("id").distinct(), "id", "left_anti")
    return rows.select(
        "id_type",
        "id",
        F.col("id").alias("person_id"),
        F.col("first_at").alias("first_seen_at"),
        F.col("last_at").alias("last_seen_at"),
        F.lit(False).alias("is_shared"),
        F.col("with_user").alias("user_id"),
    )
