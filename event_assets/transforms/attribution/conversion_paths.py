"""The rows of `conversion_paths`: the channel groups that a person touched before each conversion.

What they are credited with is told in `attribution.py`.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from event_assets.contract.tables.attribution import CONVERSION_PATHS
from event_assets.transforms.attribution.touches import DAY

ARROW = " > "
"""What stands between the channel groups of a path."""
LONGEST_PATH = 1_000
"""Of more touches before one conversion only the last ones count."""

_PATH = ("person_id", "event_id")


def conversion_paths(touches: DataFrame, conversions: DataFrame, lookback_days: int = 30) -> DataFrame:
    """The paths of these people, in the columns of `CONVERSION_PATHS`. All rows of a person must be there.

    A path is the touches of the person (sessions that are one, `is_touch`) up to the conversion and at most
    `lookback_days` before it, both ends included; of equal neighbours the first stands. A person who never converted
    has one path, up to the last touch. A touch of an unknown channel group is Unassigned.
    """
    visits = touches.where("is_touch").select(
        "person_id",
        "session_id",
        F.unix_micros("at").alias("touched"),
        F.coalesce("channel_group", F.lit("Unassigned")).alias("channel_group"),
    )
    paths = _with_reach(_ends(visits, conversions), visits, lookback_days)
    steps = _steps(paths, visits)
    return paths.join(_collapsed(steps), list(_PATH), "left").select(*CONVERSION_PATHS.column_names)


def _ends(visits: DataFrame, conversions: DataFrame) -> DataFrame:
    """Where paths end: at conversions, and at the last touch of everybody who never converted."""
    converted = conversions.select(
        *_PATH, F.unix_micros("at").alias("ended"), F.lit(1).cast("long").alias("conversions"), "revenue", "site_date"
    )
    others = visits.join(conversions.select("person_id"), "person_id", "left_anti")
    last = others.groupBy("person_id").agg(F.max("touched").alias("ended"))
    return converted.unionByName(
        last.select(
            "person_id",
            F.lit("").alias("event_id"),
            "ended",
            F.lit(0).cast("long").alias("conversions"),
            F.lit(0.0).alias("revenue"),
            F.lit(None).cast("date").alias("site_date"),
        )
    )


def _with_reach(ends: DataFrame, visits: DataFrame, lookback_days: int) -> DataFrame:
    """Paths with the place of their last touch among the person's, and how many touches the look-back holds.

    Counted along one line of touches and ends: joining each end with all touches would grow with their product.
    """
    line = ends.select("*", F.lit(0).alias("is_touch"))
    others = visits.select(
        "person_id",
        F.lit(None).cast("string").alias("event_id"),
        F.col("touched").alias("ended"),
        F.lit(None).cast("long").alias("conversions"),
        F.lit(None).cast("double").alias("revenue"),
        F.lit(None).cast("date").alias("site_date"),
        F.lit(1).alias("is_touch"),
    )
    in_time = Window.partitionBy("person_id").orderBy("ended")
    return (
        line.unionByName(others)
        .withColumn("last", _touches_over(in_time.rangeBetween(Window.unboundedPreceding, 0)))
        .withColumn("touches", _touches_over(in_time.rangeBetween(-lookback_days * DAY, 0)))
        .where("is_touch = 0")
        .withColumn("at", F.timestamp_micros("ended"))
        .withColumn("event_date", F.to_date("at"))
    )


def _touches_over(window: WindowSpec) -> Column:
    return F.sum("is_touch").over(window).cast("long")


def _steps(paths: DataFrame, visits: DataFrame) -> DataFrame:
    """One row a path and touch of it, with its place."""
    first = F.col("last") - F.least(F.col("touches"), F.lit(LONGEST_PATH)) + 1
    places = paths.where("touches > 0").select(
        *_PATH, "ended", F.explode(F.sequence(first, F.col("last"))).alias("place")
    )
    in_order = Window.partitionBy("person_id").orderBy("touched", "session_id")
    numbered = visits.withColumn("place", F.row_number().over(in_order).cast("long")).drop("session_id")
    return places.join(numbered, ["person_id", "place"])


def _collapsed(steps: DataFrame) -> DataFrame:
    """path and touched_before of each path that has a touch."""
    before = F.lag("channel_group").over(Window.partitionBy(*_PATH).orderBy("place"))
    kept = (
        steps.withColumn("before", before)
        .where(F.col("before").isNull() | (F.col("before") != F.col("channel_group")))
        .withColumn("ago", F.col("ended") - F.col("touched"))
    )
    step = F.struct("place", "channel_group", "ago")
    return (
        kept.groupBy(*_PATH)
        .agg(F.sort_array(F.collect_list(step)).alias("steps"))
        .select(
            *_PATH,
            F.concat_ws(ARROW, F.col("steps.channel_group")).alias("path"),
            F.to_json(F.col("steps.ago")).alias("touched_before"),
        )
    )
