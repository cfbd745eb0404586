"""Active people of a day, of 7 and of 30 days, and stickiness."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.transforms.product.matching import all_or_matching
from event_assets.transforms.product.periods import date_of, day_number
from event_assets.transforms.product.spans import Span, with_span

_SPANS = {"dau": 1, "wau": 7, "mau": 30}


def active_users(
    events: DataFrame, event: str | Step | None = None, *, span: Span | None = None, compare: bool = False
) -> DataFrame:
    """Active persons by day, in the columns of `ACTIVE_USERS` without `analysis`.

    `events` have `person_id`, `event`, `derived_at` and `properties`. `wau` and `mau` are of the day and the 6 or 29
    before it. There is a row for every day that has any of them, as far as the last event of all: days on which nobody
    counts have none, so that one event of another decade does not make a row of each day since. Of a span there are the
    rows of its days, and with `compare` those of as many days before (see spans.py).

    Nobody is counted per window: a person who is active on a day comes in on that day and goes out when the span is
    over or the next active day is there, so that sums of comings and goings are enough.

    >>> active_users(events, "page_view").orderBy("event_date").show()
    """
    number = day_number(F.col("derived_at"))
    now = events.select(F.max(number).alias("_now"))
    active = (
        events.where(F.col("person_id").isNotNull() & all_or_matching(events, event))
        .select("person_id", number.alias("_day"))
        .distinct()
    )
    changes = _changes(active).groupBy("_day").agg(*(F.sum(name).alias(name) for name in _SPANS))
    so_far = Window.partitionBy(F.lit(0)).orderBy("_day").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    rows = (
        _days(active, now)
        .join(changes, "_day", "left")
        .fillna(0, list(_SPANS))
        .select("_day", *(F.sum(name).over(so_far).alias(name) for name in _SPANS))
        .where("mau > 0")
    )
    return with_span(rows, "_day", span, period="day", compare=compare).select(
        "span",
        date_of(F.col("_shown")).alias("event_date"),
        *_SPANS,
        (F.col("dau") / F.col("mau")).alias("stickiness"),
    )


def _changes(active: DataFrame) -> DataFrame:
    after = F.lead("_day").over(Window.partitionBy("person_id").orderBy("_day"))
    followed = active.select("_day", after.alias("_after"))
    rows = [_change(F.col("_day"), dict.fromkeys(_SPANS, 1))]
    rows += [_change(_end(days), {name: -1}) for name, days in _SPANS.items()]
    return followed.select(F.explode(F.array(*rows)).alias("row")).select("row.*")


def _end(days: int) -> Column:
    over = F.col("_day") + days
    return F.least(over, F.coalesce(F.col("_after"), over))


def _change(day: Column, by: dict[str, int]) -> Column:
    return F.struct(day.alias("_day"), *(F.lit(by.get(name, 0)).cast("long").alias(name) for name in _SPANS))


def _days(active: DataFrame, now: DataFrame) -> DataFrame:
    """The days on which somebody is in the longest span, and that on which they go out of it."""
    last = F.least(F.col("_day") + max(_SPANS.values()), F.col("_now"))
    return (
        active.select("_day")
        .distinct()
        .crossJoin(now)
        .select(F.explode(F.sequence("_day", last)).alias("_day"))
        .distinct()
    )
