"""Outliers are told with their reasons, as a function of the last four weeks, and nothing is left out for them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.outlier_visitors import outliers_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.segments import memberships_step
from event_assets.rules.segment import IsOutlier, Segment
from event_assets.rules.segment_files import Segments
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_people import People

pytestmark = pytest.mark.slow
Row = dict[str, Any]
SEGMENTS = Segments(
    (
        Segment(name="outliers", who=IsOutlier(outlier=True)),
        Segment(name="ordinary", who=IsOutlier(outlier=False)),
    )
)


def visit(chance: random.Random, device: str, day: float) -> list[Row]:
    """Views at a person's pace, with pings while they read."""
    clock, rows = chance.uniform(0, 6) * 3600, list[Row]()
    for _ in range(chance.randint(12, 20)):
        url = f"https://shop.example/{chance.choice('abc')}/{chance.randint(1, 99)}"
        rows.append(enriched_event(when=at(clock, days=day), anonymous_id=device, page_url=url))
        for ping in range(chance.randint(1, 5)):
            rows.append(enriched_event("page_ping", at(clock + 10 * (ping + 1), days=day), anonymous_id=device))
        clock += chance.lognormvariate(4, 0.8)
    return rows


def people(count: int = 110, day: float = 0) -> list[Row]:
    chance = random.Random(5)
    return [row for number in range(count) for row in visit(chance, f"p{number:03}", day)]


def scraper(day: float = 0, device: str = "scraper") -> list[Row]:
    return [
        enriched_event(
            when=at(4 * n, days=day), anonymous_id=device, page_url=f"https://shop.example/list?page={n}", user_id="u1"
        )
        for n in range(200)
    ]


class Judging(People):
    """A lake of people, and outliers that are told of them."""

    def judge(self, *, rebuild: bool = False) -> StepReport:
        now = a_run(self.lake, self.spark, rebuild=rebuild)
        identities_step(now)
        return outliers_step(now)

    def table(self, name: str = "outlier_visitors") -> list[Row]:
        rows = self.lake.table(name).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: str(list(row.values())))


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Judging:
    return Judging(spark, tmp_path)


@pytest.mark.representative
def test_a_scraper_among_people_is_told_with_reasons_and_is_a_segment_and_stays_everywhere(
    lake: Judging, spark: SparkSession
) -> None:
    lake.change([*people(), *scraper()])
    report = lake.judge()
    [row] = [row for row in lake.table() if row["is_outlier"]]
    assert (row["anonymous_id"], row["person_id"], row["actions"]) == ("scraper", "scraper", 200)
    assert (row["first_at"], row["last_at"]) == (at(0), at(4 * 199)) and row["score"] > 1
    reasons = json.loads(row["reasons"])
    assert {each["habit"] for each in reasons} >= {"busiest_hour", "views_in_sequence", "seconds_between_views"}
    assert all(each["deviations"] >= 2 for each in reasons) and row["reason"] == reasons[0]["habit"]
    assert "share of views that page on 0.995 where 0" in row["why"]
    assert len(lake.table()) == 111 and report.more["outliers"] == 1
    assert sum(count for _, count in report.bars) == 111
    memberships_step(a_run(lake.lake, spark, segments=SEGMENTS))
    members = {(row["segment"], row["person_id"]) for row in lake.table("segment_memberships")}
    assert ("outliers", "scraper") in members and len(members) == 111
    assert len(lake.table("identities")) == 112  # the scraper's user id, too


def test_however_it_is_split_the_rows_are_those_of_all_at_once(lake: Judging) -> None:
    lake.change(people(40))
    report = lake.judge()
    assert lake.table() == [] and "too few visitors" in report.warnings[0]
    lake.change(scraper())
    lake.change(people()[len(people(40)) :])
    lake.judge()
    found = lake.table()
    assert [row["anonymous_id"] for row in found if row["is_outlier"]] == ["scraper"]
    before = lake.lake.table("outlier_visitors").snapshot().version
    lake.judge()
    assert lake.lake.table("outlier_visitors").snapshot().version == before
    lake.judge(rebuild=True)
    assert lake.table() == found


def test_who_was_not_there_for_four_weeks_is_not_judged_and_one_that_went_is_gone(lake: Judging) -> None:
    late = people(day=30)
    lake.change([*people(3), *late, *scraper(), *scraper(30, "other")])
    lake.judge()
    told = {row["anonymous_id"]: row["is_outlier"] for row in lake.table()}
    assert len(told) == 111 and told["other"] and "scraper" not in told
    lake.change([], [row for row in lake.events if row["anonymous_id"] == "other"])
    lake.judge()
    assert not any(row["is_outlier"] for row in lake.table())
