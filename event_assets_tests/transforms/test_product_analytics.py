"""Product analytics of real people give what plain Python counts, and of any events the same on every engine."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.question import Period
from event_assets.rules.trends import Formula, Series
from event_assets.transforms.product.active_users import active_users
from event_assets.transforms.product.funnels import funnel
from event_assets.transforms.product.lifecycle import lifecycle
from event_assets.transforms.product.matching import matches
from event_assets.transforms.product.paths import top_paths
from event_assets.transforms.product.retention import retention
from event_assets.transforms.product.stickiness import stickiness
from event_assets.transforms.product.trends import trends
from event_assets.transforms.product.web_vitals import web_vitals
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.test_engines import some_events

Row = dict[str, Any]
GIT_ACTIVITY = Path(os.environ.get("EVENT_ASSETS_TEST_DATA", "../shared/data")) / "git_activity/git_activity.ndjson.gz"
WEEK = 7
DAYS = (at(days=1).date(), at(days=8).date())


def analysed(events: DataFrame) -> dict[str, DataFrame]:
    """Every analysis of these events."""
    steps = [
        Step(event="page_view"),
        Step(event="page_ping", where={"is_bot": False}),
        Step(event="page_view"),
        Step(event="purchase"),
    ]
    week = dt.timedelta(days=7)
    periods: tuple[tuple[Period, bool], ...] = (("hour", True), ("day", False), ("week", True), ("month", False))
    return {
        "ordered": funnel(events, steps, within=week, breakdown="page_url"),
        "strict": funnel(events, steps[:2], within=week, order="strict", breakdown="revenue", breakdown_values=2),
        **{
            f"retention by {period}": retention(events, "page_view", period=period, periods=5, first_time=first)
            for period, first in periods
        },
        "odd names": funnel(
            events.withColumn("properties", F.lit('{"$a b": {"c-d": "x"}}')),
            ["page_view", Step(event="purchase", where={"$a b.c-d": "x"})],
            breakdown="properties.$a b.c-d",
        ),
        "retention by values": retention(
            events, period="day", breakdown=["page_url", "event"], breakdown_values=2, span=DAYS, compare=True
        ),
        "lifecycle": lifecycle(events, "page_view", period="day"),
        "lifecycle of days": lifecycle(events, span=DAYS, compare=True),
        "active": active_users(events),
        "active of days": active_users(events, span=DAYS, compare=True),
        "sticking": stickiness(events, period="hour"),
        "paths": top_paths(events, "event", length=4),
        "paths to": top_paths(events, "event", length=3, start="page_view", end="purchase"),
        "pages": top_paths(events.withColumn("page_path", F.concat(F.lit("/"), "event", F.lit("/"))), length=3),
        "trends": trends(
            events,
            [
                Series(event="page_view"),
                Series(event=None, measure="people"),
                Series(event="purchase", measure="percentile", of="revenue", percentile=90),
                Series(event="purchase", measure="sum", of="revenue"),
            ],
            [Formula(formula="D / B")],
            breakdown=["page_url", "event"],
            breakdown_values=2,
        ),
        "vitals": web_vitals(events.withColumn("properties", F.lit('{"lcp_ms": 7}'))),
    }


def rounded(rows: list[Row]) -> list[Row]:
    """The rows with numbers that do not depend on the order of a sum."""
    return [{name: round(v, 6) if isinstance(v, float) else v for name, v in row.items()} for row in rows]


@pytest.mark.spark_jvm
@pytest.mark.release
def test_apache_spark_gives_the_analyses_of_sail(spark: SparkSession, apache_spark: SparkSession) -> None:
    rows = some_events(500)
    ours, theirs = (
        {
            name: rounded(rows_of(table))
            for name, table in analysed(
                frame(engine, rows).withColumn("person_id", F.coalesce("anonymous_id", "user_id"))
            ).items()
        }
        for engine in (spark, apache_spark)
    )
    for name, table in ours.items():
        assert table and theirs[name] == table, name


@pytest.fixture(scope="module")
def real_people() -> dict[str, list[Any]]:
    """610,735 events of 5,975 developers."""
    if not GIT_ACTIVITY.exists():
        pytest.skip(f"the real data is not here: {GIT_ACTIVITY}")
    columns: dict[str, list[Any]] = {"person_id": [], "derived_at": []}
    with gzip.open(GIT_ACTIVITY) as file:
        for line in file:
            event = json.loads(line)
            columns["person_id"].append(event["user_id"])
            columns["derived_at"].append(dt.datetime.fromisoformat(event["event_ts"]).astimezone(dt.UTC))
    return columns


@pytest.fixture
def real_events(spark: SparkSession, real_people: dict[str, list[Any]], tmp_path: Path) -> DataFrame:
    times = pa.array(real_people["derived_at"], pa.timestamp("us", "UTC"))
    ids = pa.array(map(str, range(len(times))))
    rows = pa.table({"event_id": ids, "person_id": real_people["person_id"], "derived_at": times})
    pq.write_table(rows, tmp_path / "events.parquet")
    return spark.read.parquet(str(tmp_path)).withColumn("event", F.lit("any"))


def sunday(time: dt.datetime) -> dt.date:
    return time.date() - dt.timedelta(days=(time.weekday() + 1) % 7)


@pytest.mark.slow
def test_real_people_come_back_as_plain_python_counts(
    real_events: DataFrame, real_people: dict[str, list[Any]]
) -> None:
    weeks: dict[str, set[dt.date]] = defaultdict(set)
    for person, time in zip(real_people["person_id"], real_people["derived_at"], strict=True):
        weeks[person].add(sunday(time))
    expected: Counter[tuple[dt.date, int]] = Counter()
    for active in weeks.values():
        first = min(active)
        expected.update((first, (week - first).days // WEEK) for week in active if (week - first).days < 10 * WEEK)
    found = {
        (row["cohort_start"].date(), row["period"]): row["people"]
        for row in rows_of(retention(real_events, "any", period="week", periods=10, first_time=True))
        if row["people"]
    }
    assert found == dict(expected)
    assert sum(people for (_, period), people in found.items() if period == 0) == len(weeks) == 5975


@pytest.mark.slow
def test_the_lifecycle_of_real_people_is_what_plain_python_counts(
    real_events: DataFrame, real_people: dict[str, list[Any]]
) -> None:
    months: dict[str, set[int]] = defaultdict(set)
    for person, time in zip(real_people["person_id"], real_people["derived_at"], strict=True):
        months[person].add(time.year * 12 + time.month - 1)
    last = max(max(active) for active in months.values())
    expected: Counter[tuple[int, str]] = Counter()
    for active in months.values():
        for month in active:
            status = "new" if month == min(active) else "returning" if month - 1 in active else "resurrecting"
            expected[month, status] += 1
            if month < last and month + 1 not in active:
                expected[month + 1, "dormant"] -= 1
    found = {
        (row["period_start"].year * 12 + row["period_start"].month - 1, row["status"]): row["people"]
        for row in rows_of(lifecycle(real_events, period="month"))
        if row["people"]
    }
    assert found == dict(expected)


def test_a_property_whose_name_has_a_dot_can_be_asked_for(spark_engine: SparkSession) -> None:
    properties = {"flat": '{"cart.size": 3}', "nested": '{"cart": {"size": 3}}', "deep": '{"a.b": {"c.d": 3}}'}
    rows = [enriched_event("add", at(0), event_id=name, properties=text) for name, text in properties.items()]
    events = frame(spark_engine, rows)
    for field, expected in ((r"cart\.size", "flat"), ("cart.size", "nested"), (r"properties.a\.b.c\.d", "deep")):
        found = events.where(matches(Step(event="add", where={field: 3}), events.columns)).select("event_id").collect()
        assert [row["event_id"] for row in found] == [expected]
