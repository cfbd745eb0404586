"""The rows of `visitors`: one an `anonymous_id`.

Who the visitor is beyond the device's last user stands in identities.py.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.people import VISITORS
from event_assets.transforms.affected import TIMES
from event_assets.transforms.sortable import DIGITS, sortable

_SEEN = ("anonymous_id", "user_id", "first_seen_at", "last_seen_at", "is_bot", "user_seen_at")


def visitors(events: DataFrame, sessions: DataFrame) -> DataFrame:
    """The visitors of enriched events and sessions, in the columns of `VISITORS`.

    The last `user_id` by `received_at` that was seen on a device is the device's user, for its whole past too. For some
    visitors only, give the rows of these; each visitor's row depends on its own rows alone.
    """
    return _visitors(_of_events(events, F.lit(1)).unionByName(_of_sessions(sessions, F.lit(1))))


def visitors_after(standing: DataFrame, came: DataFrame, sessions: DataFrame) -> DataFrame:
    """The visitors after events `came` and `sessions` came or went (both with `TIMES`), where none of their events
    went. `standing` are their rows as they were: a visitor without one had neither events nor sessions."""
    times = F.col(TIMES)
    changes = _of_events(came, times).unionByName(_of_sessions(sessions, times))
    return _visitors(standing.select(*changes.columns).unionByName(changes))


def _of_events(events: DataFrame, times: Column) -> DataFrame:
    none = F.lit(0).cast("long")
    devices = events.where(F.col("anonymous_id").isNotNull()).groupBy("anonymous_id", "user_id")
    return devices.agg(
        F.min("derived_at").alias("first_seen_at"),
        F.max("derived_at").alias("last_seen_at"),
        F.sum(times).alias("events"),
        F.bool_and("is_bot").alias("is_bot"),
        F.max("received_at").alias("user_seen_at"),
    ).select(*_SEEN, "events", none.alias("sessions"), none.alias("page_views"), none.alias("engaged_seconds"))


def _of_sessions(sessions: DataFrame, times: Column) -> DataFrame:
    nothing = {"user_id": "string", "is_bot": "boolean"}
    unseen = (F.lit(None).cast(nothing.get(name, "timestamp")).alias(name) for name in _SEEN[1:])
    return sessions.groupBy("anonymous_id").agg(
        *unseen,
        F.lit(0).cast("long").alias("events"),
        F.sum(times).alias("sessions"),
        F.sum(times * F.col("page_views")).alias("page_views"),
        F.sum(times * F.col("engaged_seconds")).alias("engaged_seconds"),
    )


def _visitors(parts: DataFrame) -> DataFrame:
    """The visitors of what is known of them in parts; one of whom there are sessions alone is none."""
    last = F.when(F.col("user_id").isNotNull(), F.concat(sortable("user_seen_at"), "user_id"))
    known = parts.groupBy("anonymous_id").agg(
        F.min("first_seen_at").alias("first_seen_at"),
        F.max("last_seen_at").alias("last_seen_at"),
        *(F.sum(name).alias(name) for name in ("events", "sessions", "page_views", "engaged_seconds")),
        F.bool_and("is_bot").alias("is_bot"),
        F.max(last).alias("last"),
        F.max(F.when(F.col("user_id").isNotNull(), F.col("user_seen_at"))).alias("user_seen_at"),
    )
    user = F.expr(f"substring(last, {DIGITS + 1}, length(last) - {DIGITS})")
    return (
        known.where("first_seen_at IS NOT NULL")
        .withColumn("user_id", user)
        .withColumn("stitched_user_id", F.coalesce("user_id", "anonymous_id"))
        .select(*VISITORS.column_names)
    )


def last_users(events: DataFrame) -> DataFrame:
    """The user of each device: `anonymous_id` and the last `user_id` by `received_at` (ties: the largest id)."""
    pairs = (
        events.where(F.col("anonymous_id").isNotNull() & F.col("user_id").isNotNull())
        .groupBy("anonymous_id", "user_id")
        .agg(F.max("received_at").alias("received_at"))
    )
    latest = Window.partitionBy("anonymous_id").orderBy(F.desc("received_at"), F.desc("user_id"))
    return pairs.withColumn("place", F.row_number().over(latest)).where("place = 1").select("anonymous_id", "user_id")
