"""Which periods an analysis of some days shows, and which ones before them they are held against."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.question import Period, Weekday
from event_assets.transforms.product.periods import period_number

NOW, BEFORE = "now", "before"
"""What is asked for, and what it is held against."""
Span = tuple[dt.date, dt.date]
"""A first and a last day."""
_HOUR, _MICROSECOND = dt.timedelta(hours=1), dt.timedelta(microseconds=1)
_EPOCH = dt.date(1970, 1, 1)


def with_span(
    rows: DataFrame,
    number: str,
    span: Span | None,
    *,
    period: Period,
    week_starts: Weekday = "sunday",
    compare: bool = False,
) -> DataFrame:
    """The rows whose period, which the column `number` says, has a day of the span, and with `compare` those of as many
    periods before. They get `span`, which of the two they are of, and `_shown`, the period at which they are shown: of
    those before the one that they are held against. All rows are shown as they are where there is no span.
    """
    here = F.col(number)
    if span is None:
        return rows.withColumn("span", F.lit(NOW)).withColumn("_shown", here)
    first, last = (
        period_number(_moment(day, hours), period, week_starts) for day, hours in ((span[0], 0), (span[1], 23))
    )
    length = last - first + 1
    which = F.when(here.between(first, last), F.lit(NOW))
    if compare:
        which = which.when(here.between(first - length, first - 1), F.lit(BEFORE))
    shown = F.when(F.col("span") == BEFORE, here + length).otherwise(here)
    return rows.withColumn("span", which).where(F.col("span").isNotNull()).withColumn("_shown", shown)


def _moment(day: dt.date, hour: int) -> Column:
    """An hour of a day in UTC."""
    return F.timestamp_micros(F.lit((day - _EPOCH + hour * _HOUR) // _MICROSECOND))
