"""The date of an instant by the clock of its app's site, against the time zone database of Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.site_zones import SiteZones
from event_assets.transforms.site_dates import site_date

ZONES = {
    "berlin": "Europe/Berlin",
    "new york": "America/New_York",
    "havana": "America/Havana",  # the clock is put back at one, and from midnight on
    "sao paulo": "America/Sao_Paulo",  # had no midnight where its clock was put on
    "kolkata": "Asia/Kolkata",
    "kathmandu": "Asia/Kathmandu",
    "lord howe": "Australia/Lord_Howe",  # half an hour of summer time
    "st johns": "America/St_Johns",
    "apia": "Pacific/Apia",  # had no 30 December 2011
    "kiritimati": "Pacific/Kiritimati",
    "honolulu": "Pacific/Honolulu",
    "utc": "UTC",
}
APPS = [*ZONES, "other", None]
RULES = SiteZones("Europe/London", tuple(sorted(ZONES.items())))
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def told(instant: dt.datetime, app: str | None) -> dt.date:
    return instant.astimezone(ZoneInfo(ZONES.get(app or "", "Europe/London"))).date()


def dates(spark: SparkSession, instants: Sequence[tuple[dt.datetime, str | None]], zones: SiteZones) -> list[dt.date]:
    rows = [(number, (at - EPOCH) // MICROSECOND, app) for number, (at, app) in enumerate(instants)]
    frame = spark.createDataFrame(rows, "number int, micros long, app_id string").withColumn(
        "at", F.timestamp_micros("micros")
    )
    found = frame.select("number", site_date(F.col("at"), F.col("app_id"), zones).alias("date")).collect()
    return [row["date"] for row in sorted(found, key=lambda row: row["number"])]


def around_midnights() -> list[tuple[dt.datetime, str | None]]:
    """A microsecond before, at and after each local midnight and change of the clock of these years."""
    found: list[tuple[dt.datetime, str | None]] = []
    for app in APPS:
        zone = ZoneInfo(ZONES.get(app or "", "Europe/London"))
        start = dt.datetime(2011, 12, 1, tzinfo=dt.UTC)
        hours = [start + dt.timedelta(hours=hour) for hour in range(24 * 366)]
        turns = [
            later
            for hour, later in pairwise(hours)
            if hour.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()
        ]
        days = [start.date() + dt.timedelta(days=day) for day in range(0, 366, 9)]
        midnights = [dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in days]
        midnights += [
            dt.datetime.combine(turn.astimezone(zone).date() + dt.timedelta(days=day), dt.time(fold=fold), zone)
            for turn in turns
            for day in (-1, 0, 1)
            for fold in (0, 1)
        ]
        for moment in (*turns, *midnights):
            found += [(moment.astimezone(dt.UTC) + by * MICROSECOND, app) for by in (-1, 0, 1)]
    return found


def test_a_date_is_the_sites_around_every_midnight_and_change_of_the_clock(spark_engine: SparkSession) -> None:
    instants = around_midnights()
    assert dates(spark_engine, instants, RULES) == [told(*instant) for instant in instants]


@given(
    st.lists(
        st.tuples(
            st.integers(800_000_000_000_000, 2_140_000_000_000_000).map(lambda micros: EPOCH + micros * MICROSECOND),
            st.sampled_from(APPS),
        ),
        min_size=1,
        max_size=200,
    )
)
def test_any_instant_has_the_date_of_its_site(spark: SparkSession, instants: list[tuple[dt.datetime, str]]) -> None:
    assert dates(spark, instants, RULES) == [told(*instant) for instant in instants]


def test_by_default_it_is_the_date_in_utc(spark: SparkSession) -> None:
    instants = around_midnights()[:50]
    assert dates(spark, instants, SiteZones()) == [instant.date() for instant, _ in instants]
