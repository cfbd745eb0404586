"""Pages, campaigns and devices follow from what came: the days of before are read only where it does not tell."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.dimensions import CAMPAIGNS, DEVICES, PAGES
from event_assets.contract.tables.sessions import PAGE_VIEWS
from event_assets.pipeline.registry import STEPS, step_of
from event_assets_tests.pipeline.pipeline import Pipeline, today

pytestmark = pytest.mark.slow

BEFORE = STEPS[: STEPS.index(step_of(PAGES))]


def view(name: str, days_ago: int, title: str | None, path: str = "/a", second: int = 0, source: str = "mail") -> bytes:
    """A view of a page, in a session of its own unless the name begins alike."""
    at = dt.datetime.combine(today(), dt.time(0, 0, second), dt.UTC) - dt.timedelta(days=days_ago)
    told: dict[str, Any] = {
        "event_id": name,
        "event": "page_view",
        "anonymous_id": name.partition(".")[0],
        "platform": "web",
        "page": {"url": f"https://shop.example{path}?utm_source={source}", **({"title": title} if title else {})},
        **dict.fromkeys(("derived_at", "occurred_at", "received_at"), at.isoformat()),
    }
    return json.dumps(told).encode()


def scanned(pipeline: Pipeline, *lines: bytes) -> dict[str, int]:
    """Takes events in. Gives how many files each of the dimensions was brought up to date of."""
    pipeline.put([*lines])
    pipeline.run(steps=BEFORE)
    reports = [step_of(table).run(pipeline.refresh())[0] for table in (PAGES, CAMPAIGNS, DEVICES)]
    return {report.table: int(report.more.get("scanned_files", 0)) for report in reports}


def titles(pipeline: Pipeline) -> dict[str, str | None]:
    return {row["page"]: row["title"] for row in pipeline.rows("pages")}


def sources(pipeline: Pipeline) -> set[str]:
    return {row["source"] for row in pipeline.rows("campaigns")}


def test_of_what_is_seen_again_no_day_of_before_is_read(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, tmp_path)
    days = range(1, 13)
    scanned(pipeline, *(view(f"v{day}", day, "A", second=day) for day in days), view("n", 0, "A"))
    files = len(pipeline.lake.table(PAGE_VIEWS.name).snapshot().files)
    again = scanned(pipeline, view("again", 0, "A", second=5))
    assert files > len(days) and all(0 < count < files // 2 for count in again.values()), again
    assert titles(pipeline) == {"/a": "A"} and sources(pipeline) == {"mail"}


def test_a_page_has_the_title_of_its_last_view_that_has_one_whenever_that_comes(
    spark: SparkSession, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    scanned(pipeline, view("first", 3, "Old"), view("other", 3, None, "/b"))
    for came, wanted in (
        ([view("later", 1, "New")], {"/a": "New", "/b": None}),
        ([view("late", 2, "Between"), view("untitled", 0, None)], {"/a": "New", "/b": None}),
        ([view("titled", 5, "B", "/b"), view("c", 4, None, "/c")], {"/a": "New", "/b": "B", "/c": None}),
    ):
        scanned(pipeline, *came)
        assert titles(pipeline) == wanted


def test_a_campaign_that_no_session_came_by_any_more_is_not_there(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, tmp_path)
    scanned(pipeline, view("a.2", 1, None, second=30, source="news"), view("b", 4, None, source="mail"))
    assert sources(pipeline) == {"news", "mail"}
    scanned(pipeline, view("a.1", 1, None, second=10, source="mail"))
    assert sources(pipeline) == {"mail"}, "an earlier event of the session says that it came by another"
