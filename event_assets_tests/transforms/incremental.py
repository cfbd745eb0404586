"""A lake in memory, for tests that bring tables up to date batch by batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.sessions.event_days import days_of_events, days_of_page_views
from event_assets.transforms.sessions.page_views import page_views
from event_assets.transforms.sessions.resessionise import Tables, merge_ranges, resessionise
from event_assets.transforms.sessions.sessionise import SessionRules, session_events, sessionise
from event_assets.transforms.sessions.sessions import sessions
from event_assets_tests.factories import frame, rows_of

Row = dict[str, Any]
RULES = SessionRules()


def kept(spark: SparkSession, *frames: DataFrame) -> DataFrame:
    """The rows, held in memory."""
    table = pa.concat_tables(frame.toArrow() for frame in frames)
    return spark.createDataFrame(table) if table.num_rows else spark.createDataFrame([], frames[0].schema)


def replaced(existing: DataFrame, recomputed: DataFrame, column: str, keys: Collection[str]) -> DataFrame:
    """The existing rows, with those of these keys as they have become; recomputed rows of others are left out."""
    concerned = F.col(column).isin(list(keys))
    return existing.where(~concerned).select(*recomputed.columns).unionByName(recomputed.where(concerned))


def sessions_of(spark: SparkSession, rows: Iterable[Row], rules: SessionRules = RULES) -> list[Row]:
    """The session rows of enriched rows, all at once."""
    events = frame(spark, rows)
    return rows_of(sessions(sessionise(session_events(events, rules), rules), events, rules))


def page_views_of(spark: SparkSession, rows: Iterable[Row], rules: SessionRules = RULES) -> list[Row]:
    """The page-view rows of enriched rows, all at once."""
    events = frame(spark, rows)
    return rows_of(page_views(sessionise(session_events(events, rules), rules), events, rules))


class SmallLake:
    """Enriched events, sessions and page views as lists of rows, brought up to date batch by batch."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.events: dict[str, Row] = {}
        self.sessions: list[Row] = []
        self.page_views: list[Row] = []

    def change(self, came: Iterable[Row], went: Iterable[Row] = ()) -> int:
        """Adds and removes events and brings the rest up to date. Gives how many rounds it took."""
        came, went = list(came), list(went)
        for row in went:
            del self.events[row["event_id"]]
        self.events |= {row["event_id"]: row for row in came}
        done = resessionise(frame(self.spark, [*came, *went]), self._tables(), RULES)
        before = {date: self._of(SESSIONS, self.sessions, [date]) for date in self._dates(self.sessions)}
        for date in set(before) - done.dates:
            assert rows_of(merge_ranges(before[date], done.sessions.where("false"), done.ranges)) == rows_of(
                before[date]
            )
        self.sessions = self._merged(SESSIONS, self.sessions, done.sessions, done.ranges)
        self.page_views = self._merged(PAGE_VIEWS, self.page_views, done.page_views, done.ranges)
        return done.rounds

    def _tables(self) -> Tables:
        events = list(self.events.values())
        return Tables(
            dates=self._dates(events),
            events=lambda dates: frame(self.spark, [row for row in events if row["event_date"] in dates]),
            page_views=lambda dates: self._of(PAGE_VIEWS, self.page_views, dates),
            event_days=self._index(),
            checkpoint=partial(kept, self.spark),
        )

    def _index(self) -> DataFrame:
        """The entries of what is there, and of the page views as they were made before."""
        events, views = frame(self.spark, self.events.values()), frame(self.spark, self.page_views, PAGE_VIEWS)
        return kept(self.spark, days_of_events(events).unionByName(days_of_page_views(views)).distinct())

    def _merged(self, table: Table, rows: list[Row], recomputed: DataFrame, ranges: DataFrame) -> list[Row]:
        return rows_of(merge_ranges(frame(self.spark, rows, table), recomputed, ranges))

    def _of(self, table: Table, rows: list[Row], dates: Collection[dt.date]) -> DataFrame:
        return frame(self.spark, [row for row in rows if row["event_date"] in dates], table)

    def _dates(self, rows: Iterable[Row]) -> set[dt.date]:
        return {row["event_date"] for row in rows}
