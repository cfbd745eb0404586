"""The entries of the index of days, and how days are found by it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import EVENT_DAYS, SESSIONS
from event_assets.transforms.sessions import event_days
from event_assets.transforms.sessions.event_days import (
    carrier_hash,
    days_of_events,
    days_of_sessions,
    find_days,
    new_entries,
    page_view_hash,
    session_hash,
)
from event_assets_tests.factories import NOON, at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept

HASH = 1654058909405653384
"""Of the session `s-1`."""
MONDAY, TUESDAY = NOON.date(), NOON.date() + dt.timedelta(days=1)


def found(spark: SparkSession, index: Any, hash_of: Any, *ids: str | None) -> set[dt.date]:
    return find_days(index, spark.createDataFrame([(i,) for i in ids], "id string").select(hash_of("id")))


def test_events_are_found_by_their_session_and_page_views_by_their_id(spark: SparkSession) -> None:
    rows = [
        enriched_event(session_id="s", page_view_id="p"),
        enriched_event("search", at(days=1), session_id="s", page_view_id="p"),
        enriched_event(when=at(days=1), page_view_id="q"),
    ]
    index = kept(spark, days_of_events(frame(spark, rows)))
    assert index.columns == list(EVENT_DAYS.column_names)
    assert found(spark, index, session_hash, "s") == {MONDAY, TUESDAY}
    assert found(spark, index, page_view_hash, "p") == {MONDAY}
    assert found(spark, index, page_view_hash, "p", "q", None) == {MONDAY, TUESDAY}
    assert found(spark, index, page_view_hash, "s") == found(spark, index, session_hash, "p") == set()


def test_an_id_has_one_entry_a_day(spark: SparkSession) -> None:
    rows = [enriched_event(when=at(n), session_id="s", page_view_id="p") for n in range(3)]
    index = kept(spark, days_of_events(frame(spark, rows)))
    assert index.count() == 2
    more = days_of_events(frame(spark, [*rows, enriched_event("click", at(days=1), session_id="s")]))
    assert [row["event_date"] for row in rows_of(new_entries(more, index))] == [TUESDAY]


def test_sessions_are_found_by_the_ids_that_they_carry(spark: SparkSession) -> None:
    rows: list[dict[str, Any]] = [
        {"anonymous_id": "a", "user_id": "u", "event_date": MONDAY},
        {"anonymous_id": None, "user_id": "u", "event_date": TUESDAY},
    ]
    index = kept(spark, days_of_sessions(frame(spark, rows, SESSIONS)))
    assert found(spark, index, carrier_hash, "a") == {MONDAY}
    assert found(spark, index, carrier_hash, "u") == {MONDAY, TUESDAY}


def test_more_ids_than_a_list_takes_are_found_too(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    index = kept(spark, days_of_events(frame(spark, [enriched_event(session_id="s")])))
    monkeypatch.setattr(event_days, "FEW", 1)
    assert found(spark, index, session_hash, "s", "t", "u") == {MONDAY}


def test_engines_hash_an_id_alike(spark_engine: SparkSession) -> None:
    rows = spark_engine.createDataFrame([("s-1",), (None,)], "id string")
    hashes = [row[0] for row in rows.select(session_hash("id")).collect()]
    assert hashes == [hashes[0], None]
    assert hashes[0] == HASH
    assert rows.select(F.max(session_hash("id"))).schema[0].dataType.simpleString() == "bigint"
