"""Metrics by day and value of a dimension are sums of the marts, and rates keep what they are of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.metrics import DAILY_EVENTS
from event_assets.rules.anomalies import Anomalies
from event_assets.transforms.metrics.metric_series import SERIES, metric_series
from event_assets_tests.factories import row_of, rows_of

DAY = dt.date(2026, 3, 2)


def event(name: str, events: int, platform: str = "web", **more: Any) -> tuple[Any, ...]:
    row = {
        "event_date": DAY,
        "site_date": DAY,
        "event": name,
        "app_id": "shop",
        "platform": platform,
        "country": "DE",
        "device_type": "mobile",
        "is_bot": False,
        "events": events,
        "conversions": 0,
        "revenue": 0.0,
        **more,
    }
    return tuple(row[column] for column in DAILY_EVENTS.column_names)


RULES = Anomalies.model_validate(
    {
        "metrics": {
            "events": {"table": "daily_events", "sum": "events", "by": ["event"]},
            "errors": {"table": "daily_events", "sum": "events", "where": {"event": ["app_error"]}, "of": "events"},
            "sessions": {"table": "daily_sessions", "sum": "sessions"},
        },
        "dimensions": ["platform", "channel_group"],
    }
)


def test_each_metric_is_told_as_a_whole_and_by_its_dimensions_without_robots(spark: SparkSession) -> None:
    rows = [
        event("page_view", 10),
        event("page_view", 5, "ios"),
        event("app_error", 1, "ios"),
        event("page_view", 99, is_bot=True),
        event("page_view", 7, site_date=DAY + dt.timedelta(days=1)),
    ]
    made = metric_series("daily_events", spark.createDataFrame(rows, DAILY_EVENTS.spark_schema()), RULES)
    assert made is not None
    found = {
        (row["metric"], row["dimension"], row["value"], row["period_start"].day): (row["amount"], row["whole"])
        for row in rows_of(made)
    }
    assert made.columns == [column.split()[0] for column in SERIES.split(", ")]
    assert found == {
        ("events", "all", "(all)", 2): (16, None),
        ("events", "all", "(all)", 3): (7, None),
        ("events", "event", "page_view", 2): (15, None),
        ("events", "event", "page_view", 3): (7, None),
        ("events", "event", "app_error", 2): (1, None),
        ("errors", "all", "(all)", 2): (1, 16),
        ("errors", "all", "(all)", 3): (0, 7),
        ("errors", "platform", "web", 2): (0, 10),
        ("errors", "platform", "web", 3): (0, 7),
        ("errors", "platform", "ios", 2): (1, 6),
    }


def test_hours_of_the_ledger_begin_where_they_say(spark: SparkSession) -> None:
    rules = Anomalies.model_validate(
        {"metrics": {"bad": {"table": "event_ledger", "sum": "quarantined", "of": "landed"}}}
    )
    row = row_of(EVENT_LEDGER, arrival_date=DAY, arrival_hour=14, landed=50, quarantined=2)
    ledger = spark.createDataFrame(pa.Table.from_pylist([row], EVENT_LEDGER.arrow_schema()))
    made = metric_series("event_ledger", ledger, rules)
    assert made is not None
    (told,) = rows_of(made)
    assert told["period_start"].replace(tzinfo=None) == dt.datetime(2026, 3, 2, 14)  # noqa: DTZ001
    assert (told["period"], told["dimension"], told["amount"], told["whole"]) == ("hour", "all", 2, 50)


def test_a_table_that_no_metric_is_of_has_no_series(spark: SparkSession) -> None:
    none = spark.createDataFrame([], DAILY_EVENTS.spark_schema())
    assert metric_series("daily_events", none, Anomalies()) is None
