"""The rows of `user_segments`: each person's place by recency, frequency and money (RFM), and lifecycle stage.

Quintiles are over all persons, so a new event can move people who did nothing: there is no way to do a part of it.
"""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.segments import USER_SEGMENTS

_NAMES = (
    ("5[45]", "champions"),
    ("[34][45]", "loyal"),
    ("[45][23]", "potential loyalists"),
    ("51", "new"),
    ("41", "promising"),
    ("33", "need attention"),
    ("3[12]", "about to sleep"),
    ("[12]5", "cannot lose them"),
    ("[12][34]", "at risk"),
    ("[12][12]", "hibernating"),
)
"""The usual names, by recency and frequency score. Every pair of scores has one."""

_BEST = {"recency_days": -1, "frequency": 1, "monetary": 1}
"""Measures, and the sign of what is better: few days, many sessions, much money."""
_SCORE = {"recency_days": "r_score", "frequency": "f_score", "monetary": "m_score"}
WEEK = 7
"""Days of the period that a lifecycle stage is about."""


def user_segments(users: DataFrame, events: DataFrame, as_of: dt.date) -> DataFrame:
    """The segments of all users on a day, in the columns of `USER_SEGMENTS`. Robots are left out, also of the places of
    others.

    `events` have `person_id` and `event_date`; those of the week before the last (`week_before`) are enough.
    A score is 1 + floor(5 * persons who are worse / persons): equal values have equal scores, 5 is the best fifth. It
    follows from how many persons have each value, so that no task has to put all persons in order.
    """
    days = F.greatest(F.datediff(F.lit(as_of), F.to_date("last_seen_at")), F.lit(0))
    first, last = week_before(as_of)
    active = events.where(F.col("event_date").between(F.lit(first), F.lit(last)))
    before = active.select("person_id", F.lit(True).alias("_before")).distinct()
    people = users.where(~F.col("is_bot")).withColumns(
        {"recency_days": days, "frequency": F.col("sessions"), "monetary": F.col("revenue")}
    )
    rows = people.join(before, "person_id", "left").select(
        "person_id",
        F.lit(as_of).alias("as_of"),
        *_BEST,
        _stage(as_of).alias("lifecycle_stage"),
    )
    for measure, best_is in _BEST.items():
        rows = rows.crossJoin(F.broadcast(_fifths(people, measure, best_is)))
    return (
        rows.withColumns({_SCORE[measure]: _score(measure, best_is) for measure, best_is in _BEST.items()})
        .withColumn("segment", _name())
        .select(*USER_SEGMENTS.column_names)
    )


def week_before(as_of: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of the week before the one that ends with a day."""
    return as_of - dt.timedelta(days=2 * WEEK - 1), as_of - dt.timedelta(days=WEEK)


def _stage(as_of: dt.date) -> Column:
    since = F.lit(as_of - dt.timedelta(days=WEEK - 1))
    is_active, is_new = (F.to_date(name) >= since for name in ("last_seen_at", "first_seen_at"))
    was_active = F.coalesce("_before", F.lit(False))
    return (
        F.when(is_active & is_new, "new")
        .when(is_active & was_active, "returning")
        .when(is_active, "resurrecting")
        .when(was_active, "dormant")
        .otherwise("inactive")
    )


def _fifths(people: DataFrame, measure: str, best_is: int) -> DataFrame:
    """One row: of a measure the value of the last person of each of the four worse fifths, put from worst to best."""
    value = F.col(measure) * F.lit(best_is)
    counted = people.groupBy(value.alias("value")).agg(F.count(F.lit(1)).alias("persons"))
    in_order, all_of_them = Window.partitionBy(F.lit(0)).orderBy("value"), Window.partitionBy(F.lit(0))
    placed = counted.select(
        "value",
        F.sum("persons").over(in_order).alias("up_to"),
        F.sum("persons").over(all_of_them).alias("of"),
    )
    # With a fifth of all no better, at least: 5 * (persons up to this value) >= fifth * persons.
    reached = [F.when(F.col("up_to") * 5 >= F.col("of") * fifth, F.col("value")) for fifth in range(1, 5)]
    return placed.agg(*(F.min(value).alias(f"{measure}_{fifth}") for fifth, value in enumerate(reached, 1)))


def _score(measure: str, best_is: int) -> Column:
    value = F.col(measure) * F.lit(best_is)
    better = [F.when(value > F.col(f"{measure}_{fifth}"), 1).otherwise(0) for fifth in range(1, 5)]
    return (F.lit(1) + sum(better[1:], better[0])).cast("int")


def _name() -> Column:
    scores = F.concat(F.col("r_score").cast("string"), F.col("f_score").cast("string"))
    name = F.lit(None).cast("string")
    for pattern, segment in reversed(_NAMES):
        name = F.when(scores.rlike(f"^{pattern}$"), segment).otherwise(name)
    return name
