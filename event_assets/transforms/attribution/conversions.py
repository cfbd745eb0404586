"""The rows of `conversions`: conversion events by person. What led to them is told in `conversion_paths.py`."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import CONVERSIONS
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.sessions.sessionise import SessionRules


def conversions(
    events: DataFrame, identities: DataFrame, rules: SessionRules, ids: DataFrame | None = None
) -> DataFrame:
    """The conversions among enriched events, in the columns of `CONVERSIONS`; those of robots are left out.

    `ids` are rows of `conversion_ids`; without them every conversion event counts.
    """
    rows = (
        with_conversions(events, rules, ids)
        .where("is_conversion AND NOT is_bot")
        .select(
            "event_date",
            "event_id",
            "event",
            F.col("derived_at").alias("at"),
            "anonymous_id",
            "user_id",
            F.coalesce("revenue_reporting", F.lit(0.0)).alias("revenue"),
            "site_date",
        )
    )
    return with_person(rows, identities).where(F.col("person_id").isNotNull()).select(*CONVERSIONS.column_names)


def is_conversion(rules: SessionRules) -> Column:
    """Whether an event is a conversion by its name, be it the first that tells of it or not."""
    return F.col("event").isin(list(rules.conversion_events))
