"""The ledger: for every hour of arrival, what came in and what became of it.

Counting only; every count is taken from its own table, so that a row lost between two tables shows.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.transforms.events.deduplicate import POSITION

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_HOUR = ("arrival_date", "arrival_hour")
_COUNTS = ("landed", "clean", "quarantined", "enriched", "duplicates", "conflicts", "pending", "erased", "expired")


def event_ledger(
    raw: DataFrame,
    clean: DataFrame,
    quarantined: DataFrame,
    enriched: DataFrame,
    duplicates: DataFrame,
    pending: DataFrame,
    expired: DataFrame | None = None,
) -> DataFrame:
    """The ledger of the hours that the rows arrived in. Gives EVENT_LEDGER.

    `pending` are clean rows whose event date is not brought up to date yet, `expired` those of days that the enriched
    events have no more. A copy that is listed as duplicate counts
    as one, wherever else it still is.
    """
    copies = duplicates.select(*POSITION)
    position = list(POSITION)
    hops = [
        _count(raw, "landed", F.sum("events")),
        _count(raw, "erased", F.coalesce(F.sum("erased"), F.lit(0))),
        _count(clean, "clean"),
        _count(quarantined, "quarantined"),
        _count(enriched.select(*_HOUR, *POSITION).join(copies, position, "left_anti"), "enriched"),
        _count(duplicates, "duplicates"),
        _count(duplicates.where("is_conflict"), "conflicts"),
        _count(pending.select(*_HOUR, *POSITION).join(copies, position, "left_anti"), "pending"),
    ]
    if expired is not None:
        hops.append(_count(expired.select(*_HOUR, *POSITION).join(copies, position, "left_anti"), "expired"))
    counts = reduce(lambda one, other: one.unionByName(other), hops)
    by_hour = counts.groupBy(*_HOUR).agg(*(F.sum(name).alias(name) for name in _COUNTS))
    kept = F.col("landed") == F.col("clean") + F.col("quarantined") + F.col("erased")
    counted = F.col("clean") == F.col("enriched") + F.col("duplicates") + F.col("pending") + F.col("expired")
    return (
        by_hour.join(_reasons(quarantined), list(_HOUR), "left")
        .withColumn("quarantined_by_reason", F.coalesce("quarantined_by_reason", F.lit("{}")))
        .withColumn("balanced", kept & counted)
        .select(*EVENT_LEDGER.column_names)
    )


def _count(rows: DataFrame, name: str, what: Column | None = None) -> DataFrame:
    count = F.count(F.lit(1)) if what is None else what
    nothing = F.lit(0).cast("bigint")
    counted = rows.groupBy(*_HOUR).agg(count.cast("bigint").alias("counted"))
    return counted.select(*_HOUR, *((F.col("counted") if hop == name else nothing).alias(hop) for hop in _COUNTS))


def _reasons(quarantined: DataFrame) -> DataFrame:
    """The quarantined events of each hour by reason, as a JSON object in the order of the reasons."""
    counts = quarantined.groupBy(*_HOUR, "reason").agg(F.count(F.lit(1)).alias("n"))
    entry = F.concat(F.lit('"'), F.col("reason"), F.lit('": '), F.col("n").cast("string"))
    entries = counts.groupBy(*_HOUR).agg(F.sort_array(F.collect_list(entry)).alias("entries"))
    text = F.concat(F.lit("{"), F.array_join("entries", ", "), F.lit("}"))
    return entries.select(*_HOUR, text.alias("quarantined_by_reason"))
