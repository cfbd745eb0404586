"""The benchmark of outliers counts those who are told, by what they are."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import random
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from benchmarks.outliers import CRAWLERS, PEOPLE, compared, developers, logged, simulated
from event_assets.simulator.anomalies import HIDDEN

pytestmark = pytest.mark.slow
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.representative
def test_robots_of_every_kind_are_told_and_one_in_a_hundred_people_at_most(spark: SparkSession) -> None:
    judged = simulated(spark, 7, 170, 5, strength=3.0)
    told = {kind: [int(each) for each in words.split(" of ")] for kind, words in judged.shares().items()}
    assert set(told) == {PEOPLE, CRAWLERS, *HIDDEN}
    people, judged_people = told.pop(PEOPLE)
    assert judged_people > 90 and people <= 0.01 * judged_people
    assert sum(found for found, _ in told.values()) >= 0.9 * sum(all_ for _, all_ in told.values())
    assert set(compared(judged)) == {"distance", "isolation forest", "robust Mahalanobis"}


def test_visitors_of_a_log_are_addresses_with_agents_and_its_pages_are_views(
    spark: SparkSession, tmp_path: Path
) -> None:
    chance, lines = random.Random(2), list[str]()
    begin = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)

    def asked(address: str, at: float, path: str, agent: str) -> None:
        when = f"{begin + dt.timedelta(seconds=at):%d/%b/%Y:%H:%M:%S +0000}"
        lines.append(f'{address} - - [{when}] "GET {path} HTTP/1.1" 200 12 "-" "{agent}"')

    for number in range(120):
        clock = 0.0
        for _ in range(12):
            clock += chance.lognormvariate(4, 1)
            asked(f"10.0.0.{number}", clock, f"/{chance.choice('abc')}", BROWSER)
            asked(f"10.0.0.{number}", clock, "/style.css", BROWSER)
    for number in range(200):
        asked("10.0.1.1", 3 * number, f"/list?page={number}", CRAWLER)
    log = tmp_path / "access.log.gz"
    log.write_bytes(gzip.compress("\n".join([*lines, "no line of a log"]).encode()))
    found = logged(spark, log)
    assert set(found.measured["actions"].to_pylist()) == {12, 200}
    shares = found.shares()
    assert shares["robots, agent hidden"] == "1 of 1" and shares[PEOPLE] in ("0 of 120", "1 of 120")


def test_developers_are_judged_by_periods(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    begin, lines = dt.datetime(2026, 1, 5, tzinfo=dt.UTC), list[str]()
    for number in range(60 * 12 * 3):
        at = begin + dt.timedelta(days=28 * (number // 720), hours=number % 720 % 24, seconds=number)
        said = {"event_id": f"{number:04}", "event_type": "commit", "user_id": f"d{number % 60}"}
        lines.append(json.dumps({**said, "event_ts": at.isoformat()}))
    file.write_text("\n".join(lines))
    assert developers(spark, file) == "0 of 120 in 2 periods"
