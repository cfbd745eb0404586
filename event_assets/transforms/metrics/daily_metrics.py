"""The rows of `daily_metrics`: one a day and platform. Robots are left out."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.money import MONEY, amount, total
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets.transforms.site_dates import site_day

_DAY = ("event_date", "site_date", "platform")
_MEASURES = tuple(name for name in DAILY_METRICS.column_names if name not in _DAY)


def daily_metrics(
    events: DataFrame,
    sessions: DataFrame,
    page_views: DataFrame,
    rules: SessionRules,
    ids: DataFrame | None = None,
) -> DataFrame:
    """The metrics of the days of these rows, in the columns of `DAILY_METRICS`. A day in UTC depends on its own rows
    and, for who has been there already on the same day of the site, on the sessions of the days before it.

    Sessions, visitors and engagement count on the day on which the session began; events and conversions on their own.
    `ids` are rows of conversion_ids; without them every conversion event counts.
    """
    people = events.where("NOT is_bot").withColumn("site_date", site_day())
    viewed = page_views.where("NOT is_bot").select("event_id").join(people.select("event_id", *_DAY), "event_id")
    views = viewed.groupBy(*_DAY).agg(F.count(F.lit(1)).alias("page_views"))
    began = sessions.where("NOT is_bot").withColumn("site_date", site_day())
    visitors = _first_seen(began, F.coalesce("anonymous_id", "user_id"), "visitors")
    known_users = _first_seen(began, F.col("user_id"), "known_users")
    parts = (_of_events(with_conversions(people, rules, ids)), views, _of_sessions(began), visitors, known_users)
    together = reduce(DataFrame.unionByName, map(_with_all_measures, parts))
    return together.groupBy(*_DAY).agg(*map(_sum, _MEASURES)).select(*_DAY, *_MEASURES)


def _with_all_measures(part: DataFrame) -> DataFrame:
    return part.select(
        *_DAY,
        *(F.coalesce(name, _zero(name)) if name in part.columns else _zero(name) for name in _MEASURES),
    ).toDF(*_DAY, *_MEASURES)


def _zero(measure: str) -> Column:
    return F.lit(0).cast(MONEY if measure == "revenue" else "long")


def _sum(measure: str) -> Column:
    return (total(F.col(measure)) if measure == "revenue" else F.sum(measure)).alias(measure)


def _of_events(events: DataFrame) -> DataFrame:
    return events.groupBy(*_DAY).agg(
        F.count(F.lit(1)).alias("events"),
        F.sum(F.col("is_conversion").cast("long")).alias("conversions"),
        F.sum(amount(F.when(F.col("is_conversion"), F.col("revenue_reporting")))).alias("revenue"),
    )


def _of_sessions(sessions: DataFrame) -> DataFrame:
    return sessions.groupBy(*_DAY).agg(
        F.count(F.lit(1)).alias("sessions"),
        F.sum(F.col("is_engaged").cast("long")).alias("engaged_sessions"),
        F.sum(F.col("is_bounce").cast("long")).alias("bounces"),
        F.sum(F.col("engaged_seconds").cast("long")).alias("engaged_seconds"),
    )


def _first_seen(sessions: DataFrame, who: Column, measure: str) -> DataFrame:
    """How many there are on a day of the site, each counted on the first of its days in UTC."""
    first = sessions.where(who.isNotNull()).groupBy("site_date", "platform", who.alias("_who"))
    days = first.agg(F.min("event_date").alias("event_date"))
    return days.groupBy(*_DAY).agg(F.count(F.lit(1)).alias(measure))
