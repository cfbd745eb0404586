"""The rows of `event_days`: on which days a client session, a page view or somebody's sessions are to be found.

Ids stand there as hashes, so that the index is narrow; two ids of one hash only cost a look at a day in vain. What is
looked for, and why, is not known here.
"""

from __future__ import annotations

import datetime as dt
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.transforms.affected import CARRIERS, FEW, is_one_of, listed
from event_assets.transforms.sessions.sessionise import is_view, view_id

_KEY = list(EVENT_DAYS.key)
SESSION, PAGE_VIEW, CARRIER = "session", "page_view", "carrier"
"""What an id is of, as it stands before it in what is hashed."""


def days_of_events(events: DataFrame) -> DataFrame:
    """The entries of enriched events: of their client session, and of the view that they are."""
    views = events.where(is_view()).withColumn("page_view_id", view_id())
    return _entries(events, session_hash("session_id")).unionByName(days_of_page_views(views)).distinct()


def days_of_page_views(rows: DataFrame) -> DataFrame:
    """The entries of rows of `page_views`, or of views with their ids."""
    return _entries(rows, page_view_hash("page_view_id")).distinct()


def days_of_sessions(sessions: DataFrame) -> DataFrame:
    """The entries of session rows: of whoever they carry, as anonymous or user id."""
    return reduce(DataFrame.unionByName, (_entries(sessions, carrier_hash(n)) for n in CARRIERS)).distinct()


def session_hash(session_id: str) -> Column:
    """The hash of a client's session id; null without one."""
    return _hash(SESSION, session_id)


def page_view_hash(page_view_id: str) -> Column:
    """The hash of a page view's id; null without one."""
    return _hash(PAGE_VIEW, page_view_id)


def carrier_hash(person: str) -> Column:
    """The hash of an anonymous or user id that sessions carry; null without one."""
    return _hash(CARRIER, person)


def new_entries(entries: DataFrame, existing: DataFrame) -> DataFrame:
    """The entries that are not there yet."""
    return entries.join(existing, _KEY, "left_anti")


def find_days(index: DataFrame, hashes: DataFrame) -> set[dt.date]:
    """The days of these ids, given as the only column of `hashes`. More days may be there than have such an event."""
    ids = hashes.toDF("id_hash").where("id_hash IS NOT NULL").distinct()
    few = listed(ids, FEW)
    found = ids.join(index, "id_hash") if few is None else index.where(is_one_of("id_hash", few))
    return {row["event_date"] for row in found.select("event_date").distinct().collect()}


def _hash(kind: str, name: str) -> Column:
    return F.when(F.col(name).isNotNull(), F.xxhash64(F.concat(F.lit(kind + " "), F.col(name))))


def _entries(rows: DataFrame, id_hash: Column) -> DataFrame:
    return rows.select(id_hash.alias("id_hash"), "event_date").where("id_hash IS NOT NULL")
