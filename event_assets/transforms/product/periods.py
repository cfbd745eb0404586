"""Hours, days, weeks and months as numbers that count up, in UTC whatever the session's time zone is."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from event_assets.rules.question import Period, Weekday

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_WEEK_BEGAN = {"sunday": 4, "monday": 3}
"""Days from the week's first day to 1970-01-01, a Thursday."""


def day_number(time: Column) -> Column:
    """Days since 1970-01-01."""
    return F.floor(F.unix_micros(time) / _DAY).cast("long")


def period_number(time: Column, period: Period, week_starts: Weekday = "sunday") -> Column:
    """The period that a time lies in; the next period has the next number."""
    if period == "hour":
        return F.floor(F.unix_micros(time) / _HOUR).cast("long")
    days = day_number(time)
    if period == "week":
        return F.floor((days + _WEEK_BEGAN[week_starts]) / 7).cast("long")
    if period == "month":
        date = date_of(days)
        return (F.year(date) * 12 + F.month(date) - 1).cast("long")
    return days


def period_start(number: Column, period: Period, week_starts: Weekday = "sunday") -> Column:
    """The time at which the period of that number begins."""
    if period == "hour":
        return F.timestamp_micros(number * _HOUR)
    if period == "week":
        return F.timestamp_micros((number * 7 - _WEEK_BEGAN[week_starts]) * _DAY)
    if period == "month":
        first = F.make_date(F.floor(number / 12).cast("int"), (number % 12 + 1).cast("int"), F.lit(1))
        return F.timestamp_micros(F.datediff(first, F.lit("1970-01-01").cast("date")).cast("long") * _DAY)
    return F.timestamp_micros(number * _DAY)


def date_of(days: Column) -> Column:
    """The date that is so many days after 1970-01-01."""
    return F.date_add(F.lit("1970-01-01").cast("date"), days.cast("int"))
