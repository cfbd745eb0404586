"""What models learn from: persons at moments, and whether they did what is foretold in the days after."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.model import AnyModel, Model
from event_assets.transforms.product.matching import matches
from event_assets.transforms.product.periods import day_number

GROUPS = ("platform", "country")
"""The columns of the person's first event of the moment's day by which a model is held against itself."""
_DAY_MICROS = 86_400_000_000
_WEEK, _SUNDAY = 7, 4
"""Days of a week, and from 1970-01-01, a Thursday, back to a Sunday."""


def moments(events: DataFrame, model: AnyModel, last_day: int) -> DataFrame:
    """The moments of a model by the end of `last_day` (since 1970-01-01): `person_id`, `at` (the last microsecond of a
    day), `day`, `is_over` (its days have passed), and `GROUPS`.

    `events` are all events, with `person_id`. Robots have no moments.
    """
    told = F.min(F.struct(F.unix_micros("derived_at").alias("_t"), F.col("event_id"), *GROUPS)).alias("_told")
    days = _humans(events).groupBy("person_id", day_number(F.col("derived_at")).alias("active")).agg(told)
    if model.moment == "first_day":
        first = days.groupBy("person_id").agg(F.min(F.struct("active", "_told")).alias("_first"))
        found = first.select("person_id", F.col("_first.active").alias("day"), F.col("_first._told").alias("_told"))
    else:
        sunday = F.col("active") + (_WEEK - 1 - (F.col("active") + _SUNDAY - 1) % _WEEK)
        found = days.groupBy("person_id", sunday.alias("day")).agg(F.min("_told").alias("_told"))
    at = F.timestamp_micros((F.col("day") + 1) * _DAY_MICROS - 1)
    is_over = F.col("day") + model.days <= last_day
    return found.where(F.col("day") <= last_day).select(
        *("person_id", at.alias("at"), "day", is_over.alias("is_over")),
        *(F.col(f"_told.{name}").alias(name) for name in GROUPS),
    )


def outcomes(asked: DataFrame, events: DataFrame, model: Model) -> DataFrame:
    """The moments with `did`: whether the target came in the days after, until now. `events` are all events, with
    `person_id`."""
    days = _humans(events).where(_is_target(model, events)).select(
        "person_id", day_number(F.col("derived_at")).alias("active")
    ).distinct()  # fmt: skip
    came = (
        asked.join(days, "person_id")
        .where((F.col("active") > F.col("day")) & (F.col("active") <= F.col("day") + model.days))
        .select("person_id", "day", F.lit(True).alias("did"))
        .distinct()
    )
    return asked.join(came, ["person_id", "day"], "left").withColumn("did", F.coalesce("did", F.lit(False)))


def last_sunday(date: dt.date) -> dt.date:
    """The last Sunday before a day."""
    return date - dt.timedelta(days=date.isoweekday())


def _is_target(model: Model, events: DataFrame) -> Column:
    if not isinstance(model.target, Step):
        return F.lit(True)
    return matches(model.target, events.columns) & ~F.col("is_repeated")


def _humans(events: DataFrame) -> DataFrame:
    return events.where(F.col("person_id").isNotNull() & ~F.col("is_bot"))
