"""Lifecycle: who is new, returning, resurrecting or dormant in a period."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.question import Period, Weekday
from event_assets.transforms.product.matching import all_or_matching
from event_assets.transforms.product.periods import period_number, period_start
from event_assets.transforms.product.spans import Span, with_span

STATUSES = ("new", "returning", "resurrecting", "dormant")


def lifecycle(
    events: DataFrame,
    event: str | Step | None = None,
    *,
    period: Period = "week",
    week_starts: Weekday = "sunday",
    span: Span | None = None,
    compare: bool = False,
) -> DataFrame:
    """Persons by period and status, in the columns of `LIFECYCLE` without `analysis`.

    `events` have `person_id`, `event`, `derived_at` and `properties`; give all of history. Active is who has an event
    (`event`, where one is given) in the period. New: the first period ever. Returning: active in the one before too.
    Resurrecting: active before, not in the last one. Dormant: active in the last one, not in this; counted negative.
    There are rows, one a status, for every period that has people of any, as far as the last event of all; of a span
    for those that have a day of it, and with `compare` for as many before (see spans.py).

    >>> lifecycle(events, "page_view", period="day").show()
    """
    number = period_number(F.col("derived_at"), period, week_starts)
    now = events.select(F.max(number).alias("_now"))
    active = (
        events.where(F.col("person_id").isNotNull() & all_or_matching(events, event))
        .select("person_id", number.alias("_period"))
        .distinct()
    )
    counted = _statuses(active).groupBy("_period", "status").agg(F.sum("_people").alias("people"))
    rows = _grid(counted, now).join(counted, ["_period", "status"], "left").fillna(0, ["people"])
    shown = with_span(rows, "_period", span, period=period, week_starts=week_starts, compare=compare)
    start = period_start(F.col("_shown"), period, week_starts).alias("period_start")
    return shown.select("span", start, "status", "people")


def _statuses(active: DataFrame) -> DataFrame:
    """For each active period its status, and for each that is followed by a pause that the next one is dormant."""
    person = Window.partitionBy("person_id").orderBy("_period")
    before, after, this = F.lag("_period").over(person), F.lead("_period").over(person), F.col("_period")
    marked = active.select(
        this,
        F.when(before.isNull(), F.lit("new"))
        .when(before == this - 1, F.lit("returning"))
        .otherwise(F.lit("resurrecting"))
        .alias("_status"),
        F.coalesce(after > this + 1, F.lit(True)).alias("_pauses"),
    )
    here = F.struct(this.alias("_period"), F.col("_status").alias("status"), F.lit(1).cast("long").alias("_people"))
    next_one = F.struct(
        (this + 1).alias("_period"),
        F.lit("dormant").alias("status"),
        F.when(F.col("_pauses"), F.lit(-1)).otherwise(F.lit(0)).cast("long").alias("_people"),
    )
    return marked.select(F.explode(F.array(here, next_one)).alias("row")).select("row.*")


def _grid(counted: DataFrame, now: DataFrame) -> DataFrame:
    """Each period that has people, with each status."""
    periods = counted.where(F.col("people") != 0).select("_period").distinct().crossJoin(now).where("_period <= _now")
    return periods.select("_period", F.explode(F.array(*(F.lit(status) for status in STATUSES))).alias("status"))
