"""One event counts once: which copies of an `event_id` do not count.

The earliest `received_at` counts, ties go to the lowest stream position (shard, sequence number, line). Only narrow
columns travel: what is found here is the short list of copies that do not count, which wide rows are filtered by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CLEAN_EVENTS, DUPLICATE_EVENTS, EVENT_IDS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

POSITION = ("stream", "shard_id", "sequence_number", "line")
"""What tells one copy from another."""

_TRANSPORT = {
    "arrival_date",
    "arrival_hour",
    "arrived_at",
    *POSITION,
    "sent_at",
    "received_at",
    "derived_at",
    "event_date",
    "ip",
    "library_name",
    "library_version",
    "device_user_agent",
    "plan_violations",
}
_CONTENT = tuple(name for name in CLEAN_EVENTS.column_names if name not in _TRANSPORT)


def index_entries(clean: DataFrame) -> DataFrame:
    """The narrow index rows of clean events. Takes CLEAN_EVENTS, gives EVENT_IDS.

    What a retry may change on its way (`sent_at`, `received_at`, `ip`, the library) is not content.
    """
    # Sail takes columns whose files hold one value for constants, and fails on a hash of nothing but constants, as when
    # all of a batch are copies of one event. The place on the stream differs from row to row; none of it is hashed.
    nothing = F.substring(F.concat("shard_id", "sequence_number", F.col("line").cast("string")), 1, 0)
    return clean.withColumn("content_hash", F.xxhash64(*_CONTENT, nothing)).select(*EVENT_IDS.column_names)


def duplicates(entries: DataFrame) -> DataFrame:
    """All copies that do not count, among index entries. Takes EVENT_IDS, gives DUPLICATE_EVENTS."""
    repeated = entries.groupBy("event_id").agg(F.count(F.lit(1)).alias("copies")).where("copies > 1")
    copies = entries.join(repeated.select("event_id"), "event_id", "left_semi")
    order = Window.partitionBy("event_id").orderBy("received_at", *POSITION)
    ranked = copies.withColumn("place", F.row_number().over(order)).withColumn(
        "first_hash", F.first("content_hash").over(order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    )
    losers = ranked.where("place > 1").withColumn("is_conflict", F.col("content_hash") != F.col("first_hash"))
    return losers.select(*DUPLICATE_EVENTS.column_names)


def same_ids(entries: DataFrame, others: DataFrame) -> DataFrame:
    """The entries whose event_id is among those of the others."""
    return entries.join(others.select("event_id").distinct(), "event_id", "left_semi").select(*EVENT_IDS.column_names)


def without(rows: DataFrame, duplicates: DataFrame) -> DataFrame:
    """The rows that are not listed as duplicates, by their position on the stream."""
    return rows.join(duplicates.select(*POSITION), list(POSITION), "left_anti")
