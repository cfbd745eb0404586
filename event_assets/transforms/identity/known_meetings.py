"""Meetings that say nothing but when an id was seen: of ids that are known and have met before, or of one that is new
and met nobody. What becomes of their identities follows from these as they are, so that no event of before is read.

What identities are made of is told in identities.py, whose rows these are.
"""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.transforms.affected import CARRIERS


class ToldApart(NamedTuple):
    """`rows` are the identities that follow from meetings which say nothing new, in the columns of `IDENTITIES`, all of
    the same ids among them; `others` the meetings that may say more. An id of which both tell is none of the `rows`'s:
    leave out whoever the others affect."""

    rows: DataFrame
    others: DataFrame


def told_apart(met: DataFrame, known: DataFrame) -> ToldApart:
    """Tells `meetings` of events that came apart. `known` are the identities of all ids that are in them, as they are
    before these events.

    A meeting says nothing new where every id in it is known and was seen before, where the device's last user is this
    one, and where an event that joins joins who is one person already. So does a single id that is none of anybody's
    yet: it becomes a person of its own.
    """
    judged = _judged(met, known)
    says_nothing = F.col("is_known") | F.col("is_alone")
    seen = _seen(judged.where(says_nothing))
    rows = _seen_again(known, seen).unionByName(_new(known, seen))
    return ToldApart(rows, judged.where(~says_nothing).select(*met.columns))


def _judged(met: DataFrame, known: DataFrame) -> DataFrame:
    """The meetings, each with whether its ids are known and have met before, and whether it is of a new id alone."""
    devices = known.where("id_type = 'anonymous'").select(
        F.col("id").alias("anonymous_id"),
        *(F.col(name).alias(f"device_{name}") for name in ("person_id", "first_seen_at", "is_shared", "user_id")),
    )
    users = known.where("id_type = 'user'").select(
        F.col("id").alias("user_id"),
        *(F.col(name).alias(f"user_{name}") for name in ("person_id", "first_seen_at")),
    )
    taken = known.select(F.col("id").alias("only_id"), F.lit(True).alias("is_taken")).distinct()
    by_text = Window.partitionBy("only_id")
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
    """When each id of the meetings was seen: id_type, id, first_at, last_at."""
    times = [
        quiet.where(F.col(column).isNotNull()).select(
            F.lit(kind).alias("id_type"), F.col(column).alias("id"), "first_at", "last_at"
        )
        for kind, column in zip(("anonymous", "user"), CARRIERS, strict=True)
    ]
    of_ids = times[0].unionByName(times[1]).groupBy("id_type", "id")
    return of_ids.agg(F.min("first_at").alias("first_at"), F.max("last_at").alias("last_at"))


def _seen_again(known: DataFrame, seen: DataFrame) -> DataFrame:
    """The known identities of these ids, of either type, seen last when they were."""
    last = F.greatest("last_seen_at", F.coalesce("last_at", "last_seen_at"))
    rows = known.join(seen.select("id").distinct(), "id", "left_semi").join(seen, ["id_type", "id"], "left")
    return rows.withColumn("last_seen_at", last).select(*IDENTITIES.column_names)


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
        F.lit(None).cast("string").alias("user_id"),
    )
