"""The rows of `daily_sessions`, `daily_events`, `hourly_events` and `daily_pages`: what adds up, by combinations of
dimensions.

Each day in UTC depends on its own rows alone, and says of each row which of the site's days it is of.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.latency import DELAY_SECONDS, FRESH_SECONDS, LAG_SECONDS, SLOW_MS
from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_PAGES, DAILY_SESSIONS, HOURLY_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.dimension_keys import known, page_of
from event_assets.transforms.money import amount, total
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets.transforms.site_dates import site_day


def daily_sessions(sessions: DataFrame) -> DataFrame:
    """The sessions that began on each day, in the columns of `DAILY_SESSIONS`."""
    return _summed(
        DAILY_SESSIONS,
        sessions,
        F.count(F.lit(1)).alias("sessions"),
        _count_of(F.col("is_engaged"), "engaged_sessions"),
        _count_of(F.col("is_bounce"), "bounces"),
        _count_of(F.col("conversions") > 0, "converting_sessions"),
        *(F.sum(F.col(name).cast("long")).alias(name) for name in ("events", "page_views", "engaged_seconds")),
        F.sum("conversions").alias("conversions"),
        total(amount(F.col("revenue"))).alias("revenue"),
    )


def daily_events(events: DataFrame, rules: SessionRules, ids: DataFrame | None = None) -> DataFrame:
    """The enriched events of each day by name, in the columns of `DAILY_EVENTS`.

    `ids` are rows of conversion_ids; without them every conversion event counts.
    """
    return _summed(
        DAILY_EVENTS,
        with_conversions(events, rules, ids),
        F.count(F.lit(1)).alias("events"),
        _count_of(F.col("is_conversion"), "conversions"),
        total(amount(F.when(F.col("is_conversion"), F.col("revenue_reporting")))).alias("revenue"),
    )


def hourly_events(events: DataFrame, rules: SessionRules, ids: DataFrame | None = None) -> DataFrame:
    """The enriched events of each hour by name, in the columns of `HOURLY_EVENTS`; `ids` as of `daily_events`."""
    counted = with_conversions(events, rules, ids)
    after_it_happened = _seconds_from("derived_at")
    is_fresh = after_it_happened <= FRESH_SECONDS
    return _summed(
        HOURLY_EVENTS,
        counted.withColumn("hour", F.date_trunc("hour", "derived_at")),
        F.count(F.lit(1)).alias("events"),
        _count_of(F.col("is_conversion"), "conversions"),
        total(amount(F.when(F.col("is_conversion"), F.col("revenue_reporting")))).alias("revenue"),
        _count_of(is_fresh, "fresh"),
        _count_of(is_fresh & (after_it_happened > DELAY_SECONDS), "delayed"),
        _count_of(is_fresh & (_seconds_from("received_at") > LAG_SECONDS), "lagged"),
        _count_of(F.col("lcp_ms").isNotNull(), "timed"),
        _count_of(F.col("lcp_ms") > SLOW_MS, "slow"),
    )


def _seconds_from(column: str) -> Column:
    """Seconds from then until the stream took the event."""
    return (F.unix_micros("arrived_at") - F.unix_micros(column)) / 1_000_000


def daily_pages(page_views: DataFrame) -> DataFrame:
    """The views that began on each day by page, in the columns of `DAILY_PAGES`."""
    return _summed(
        DAILY_PAGES,
        page_views.withColumn("page", page_of()),
        F.count(F.lit(1)).alias("views"),
        _count_of(F.col("index_in_session") == 1, "entries"),
        _count_of(F.col("index_in_session") == F.col("views_in_session"), "exits"),
        F.sum(F.col("engaged_seconds").cast("long")).alias("engaged_seconds"),
        F.count("scroll_percent").alias("scrolled_views"),
        F.coalesce(F.sum(F.col("scroll_percent").cast("long")), F.lit(0)).cast("long").alias("scroll_percent"),
    )


def _summed(table: Table, rows: DataFrame, *measures: Column) -> DataFrame:
    texts = [name for name in table.key if table.column(name).type == "string"]
    named = rows.withColumns({name: known(name) for name in texts})
    named = named.withColumn("site_date", site_day())
    return named.groupBy(*table.key).agg(*measures).select(*table.column_names)


def _count_of(condition: Column, name: str) -> Column:
    return F.sum(F.when(condition, 1).otherwise(0).cast("long")).alias(name)
