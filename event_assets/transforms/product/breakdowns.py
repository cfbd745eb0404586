"""Values that analyses are broken down by: which there are, and which are put together.

A value of several fields is a JSON list of theirs, so that no two can be mistaken for each other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.transforms.product.matching import NONE, text_of

ALL, OTHER = "(all)", "(other)"


def value_of(fields: Sequence[str], columns: Collection[str]) -> Column:
    """The value of an event: of one field its text or `(none)`, of several a JSON list of such; null of no field."""
    texts = [F.coalesce(text_of(name, columns), F.lit(NONE)) for name in fields]
    if not texts:
        return F.lit(None).cast("string")
    return texts[0] if len(texts) == 1 else F.to_json(F.array(*texts))


def nothing(fields: int) -> str:
    """The value of an event that has none of so many fields."""
    return NONE if fields == 1 else json.dumps([NONE] * fields, separators=(",", ":"))


def few(rows: DataFrame, most: int, among: DataFrame | None = None) -> DataFrame:
    """The rows with all but the most frequent of the column `value` put together as `(other)`, and so is what looks
    like everybody. They are counted `among` others, where these are given; ties go by the value."""
    count = F.count(F.lit(1))
    frequent = (
        (rows if among is None else among)
        .groupBy("value")
        .agg(count.alias("_count"))
        .orderBy(F.desc("_count"), "value")
        .limit(most)
        .select("value", F.lit(True).alias("_kept"))
    )
    kept = F.when(F.col("_kept") & (F.col("value") != ALL), F.col("value")).otherwise(F.lit(OTHER))
    return rows.join(frequent, "value", "left").withColumn("value", kept).drop("_kept")
