"""The rows of `period_people`: distinct people of whole days and periods, which no sum gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.metrics import PERIOD_PEOPLE
from event_assets.transforms.dimension_keys import known, page_of
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.site_dates import site_day

PRESET_DAYS = (7, 28, 90)
"""Lengths of the periods that end with the last day, and of those before them."""
DAYS_KEPT = 2 * max(PRESET_DAYS)
"""Days up to the last one that are periods of their own: those of the longest preset period, and of the one before."""
OF_DAYS = ("all", "platform", "app_id", "country", "channel_group")
"""The dimensions that these days are counted by: others have too many values to keep each day of each."""
_OF_SESSIONS = ("platform", "app_id", "country", "channel_group", "source", "campaign", "device_type")


def period_people(
    sessions: DataFrame, events: DataFrame, page_views: DataFrame, identities: DataFrame, as_of: dt.date
) -> DataFrame:
    """The people of each period, in the columns of `PERIOD_PEOPLE`.

    A person counts with the sessions that began in the period, by event with the enriched events in it, by page with
    the views that began in it. Days are the site's; `as_of` is the last of them.
    """
    human = "NOT is_bot"
    began = sessions.where(human).drop("person_id").withColumn("site_date", site_day())
    of_sessions = with_person(began, identities)
    of_events = with_person(
        events.where(human).select("anonymous_id", "user_id", site_day().alias("site_date"), "event"), identities
    )
    views = page_views.where(human).select(
        "anonymous_id", "user_id", site_day().alias("site_date"), page_of().alias("page")
    )
    parts = (
        _by_value(of_sessions.withColumn("all", F.lit("(all)")), ("all", *_OF_SESSIONS)),
        _by_value(of_events, ("event",)),
        _by_value(with_person(views, identities), ("page",)),
    )
    days = reduce(DataFrame.unionByName, parts)
    return (
        days.select("*", F.explode(_periods(F.col("site_date"), F.col("dimension"), as_of)).alias("_period"))
        .select("_period.*", "dimension", "value", "person_id")
        .groupBy("period", "from_date", "to_date", "dimension", "value")
        .agg(F.countDistinct("person_id").alias("people"))
        .select(*PERIOD_PEOPLE.column_names)
    )


def _by_value(rows: DataFrame, dimensions: Iterable[str]) -> DataFrame:
    """Each day of each person, once a dimension and value."""
    names = tuple(dimensions)
    few = rows.where(F.col("person_id").isNotNull()).select("person_id", "site_date", *map(known, names)).distinct()
    pairs = [F.struct(F.lit(name).alias("dimension"), F.col(name).alias("value")) for name in names]
    return few.select("person_id", "site_date", F.explode(F.array(*pairs)).alias("_pair")).select(
        "person_id", "site_date", "_pair.*"
    )


def _periods(day: Column, dimension: Column, as_of: dt.date) -> Column:
    """The periods that a day lies in."""
    month, first_kept = F.trunc(day, "month"), as_of - dt.timedelta(days=DAYS_KEPT - 1)
    is_kept = day.between(F.lit(first_kept), F.lit(as_of)) & dimension.isin(*OF_DAYS)
    all_ = [
        F.when(day.isNotNull(), _period("month", month, F.last_day(day))),
        F.when(is_kept, _period("day", day, day)),
    ]
    for days in PRESET_DAYS:
        for last in (as_of, as_of - dt.timedelta(days=days)):
            first = last - dt.timedelta(days=days - 1)
            preset = _period(f"{days} days", F.lit(first), F.lit(last))
            all_.append(F.when(day.between(F.lit(first), F.lit(last)), preset))
    return F.filter(F.array(*all_), lambda period: period.isNotNull())


def _period(name: str, first: Column, last: Column) -> Column:
    return F.struct(F.lit(name).alias("period"), first.alias("from_date"), last.alias("to_date"))
