"""The rows of `visitors`: one an `anonymous_id`.

Who the visitor is beyond the device's last user stands in identities.py.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.people import VISITORS
from event_assets.transforms.affected import listed


def visitors(events: DataFrame, sessions: DataFrame) -> DataFrame:
    """The visitors of enriched events and sessions, in the columns of `VISITORS`.

    The last `user_id` by `received_at` that was seen on a device is the device's user, for its whole past too. For some
    visitors only, give the rows of these; each visitor's row depends on its own rows alone.
    """
    devices = events.where(F.col("anonymous_id").isNotNull())
    seen = devices.groupBy("anonymous_id").agg(
        F.min("derived_at").alias("first_seen_at"),
        F.max("derived_at").alias("last_seen_at"),
        F.count(F.lit(1)).alias("events"),
        F.bool_and("is_bot").alias("is_bot"),
    )
    sums = sessions.groupBy("anonymous_id").agg(
        F.count(F.lit(1)).alias("sessions"),
        F.sum("page_views").alias("page_views"),
        F.sum("engaged_seconds").alias("engaged_seconds"),
    )
    return (
        seen.join(last_users(devices), "anonymous_id", "left")
        .join(sums, "anonymous_id", "left")
        .fillna(0, ["sessions", "page_views", "engaged_seconds"])
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


def affected_visitors(events: DataFrame, sessions: DataFrame) -> list[str] | None:
    """The `anonymous_id` of every visitor whose row changes with these events and sessions, as they were or are.

    None where they are too many to be listed.
    """
    ids = events.select("anonymous_id").unionByName(sessions.select("anonymous_id"))
    return listed(ids.where(F.col("anonymous_id").isNotNull()).distinct())
