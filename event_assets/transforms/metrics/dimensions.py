"""The rows of `dates`, `pages`, `campaigns`, `devices` and `places`: what sessions, views and days are grouped by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.dimensions import CAMPAIGNS, DATES, DEVICES, PAGES, PLACES
from event_assets.contract.tables.schema import Table
from event_assets.transforms.dimension_keys import (
    NONE,
    OF_CAMPAIGN,
    OF_DEVICE,
    OF_PAGE,
    OF_PLACE,
    key_of,
    known,
    page_of,
)


def campaigns(sessions: DataFrame) -> DataFrame:
    """What sessions came by, in the columns of `CAMPAIGNS`."""
    return _combinations(CAMPAIGNS, sessions, OF_CAMPAIGN)


def devices(sessions: DataFrame) -> DataFrame:
    """What sessions were of, in the columns of `DEVICES`."""
    return _combinations(DEVICES, sessions, OF_DEVICE)


def places(events: DataFrame) -> DataFrame:
    """Where enriched events came from, in the columns of `PLACES`."""
    country, region, city = (F.col(name) for name in OF_PLACE)
    none = F.lit(NONE)
    levels = [
        _place("country", country, none, none),
        F.when(region != NONE, _place("region", country, region, none)),
        F.when(city != NONE, _place("city", country, region, city)),
    ]
    found = events.select(*map(known, OF_PLACE)).distinct()
    rows = found.select(F.explode(F.array(*levels)).alias("_place")).where(F.col("_place").isNotNull())
    return _with_key(PLACES, rows.select("_place.*").distinct(), OF_PLACE)


def pages(page_views: DataFrame) -> DataFrame:
    """What views are of, in the columns of `PAGES`. A page depends on its own views alone."""
    latest = Window.partitionBy("kind", "page").orderBy(
        F.col("title").isNull(), F.desc("start_at"), F.desc("page_view_id")
    )
    views = page_views.withColumn("page", page_of()).select(
        known("kind"), known("page"), "title", "start_at", "page_view_id"
    )
    rows = views.withColumn("_place", F.row_number().over(latest)).where("_place = 1")
    first = F.regexp_extract("page", "^(/[^/]+)", 1)
    section = F.when((F.col("kind") == "page") & (first != ""), first).otherwise(F.col("page"))
    return _with_key(PAGES, rows.withColumn("section", section), OF_PAGE)


def dates(spark: SparkSession, first: dt.date, last: dt.date) -> DataFrame:
    """The days of the calendar years that these days, and the days beside them, lie in: in the columns of `DATES`.

    A day by another clock than UTC's is in it too.
    """
    from_day = (first - dt.timedelta(days=1)).replace(month=1, day=1)
    to_day = (last + dt.timedelta(days=1)).replace(month=12, day=31)
    every = F.sequence(F.lit(from_day), F.lit(to_day), F.expr("INTERVAL 1 DAY"))
    day = F.col("date")
    number = (F.dayofweek(day) + 5) % 7 + 1
    thursday = F.date_add("week_start", 3)
    return (
        spark.range(1)
        .select(F.explode(every).alias("date"))
        .withColumn("day_of_week", number.cast("int"))
        .withColumn("week_start", F.expr("date_sub(date, day_of_week - 1)"))
        .select(
            day,
            F.year(day).cast("int").alias("year"),
            F.quarter(day).cast("int").alias("quarter"),
            F.month(day).cast("int").alias("month"),
            F.dayofmonth(day).cast("int").alias("day"),
            "day_of_week",
            (F.floor((F.dayofyear(thursday) - 1) / 7) + 1).cast("int").alias("week"),
            F.year(thursday).cast("int").alias("week_year"),
            "week_start",
            F.trunc(day, "month").alias("month_start"),
            (F.col("day_of_week") >= 6).alias("is_weekend"),
        )
        .select(*DATES.column_names)
    )


def _place(level: str, *columns: Column) -> Column:
    named = (column.alias(name) for column, name in zip(columns, OF_PLACE, strict=True))
    return F.struct(F.lit(level).alias("level"), *named)


def _combinations(table: Table, rows: DataFrame, names: Sequence[str]) -> DataFrame:
    return _with_key(table, rows.select(*map(known, names)).distinct(), names)


def _with_key(table: Table, rows: DataFrame, names: Sequence[str]) -> DataFrame:
    return rows.withColumn(table.key[0], key_of(*names)).select(*table.column_names)
