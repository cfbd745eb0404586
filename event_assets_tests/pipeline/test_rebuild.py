"""What cannot be cleaned is set aside with everything that is known of it, and is cleaned once the rule is mended."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import pack
from event_assets.contract.site_zones import SiteZones
from event_assets.pipeline.clean import clean_step
from event_assets.pipeline.window import Window
from event_assets.streams import StreamRecord
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.enrich import EnrichRules
from event_assets_tests.pipeline.pipeline import BY_PLACE, Pipeline, today
from event_assets_tests.pipeline.runs import a_run

pytestmark = pytest.mark.slow

STRICT = "event: purchase\nmode: quarantine\nversions:\n  1:\n    properties:\n      revenue: {type: integer}\n"
MENDED = STRICT.replace("integer", "number")
DAY = "2026-03-02"
DOWNSTREAM = ("enriched_events", "page_views", "sessions", "visitors", "identities", "users", "daily_metrics")


def event(event_id: str, name: str = "click", **fields: Any) -> bytes:
    at = f"{DAY}T10:00:00Z"
    shown = {"event_id": event_id, "event": name, "anonymous_id": "a", "platform": "web"}
    return json.dumps({**shown, "derived_at": at, "received_at": at, **fields}).encode()


def paid(event_id: str, revenue: float) -> bytes:
    return event(event_id, "purchase", properties={"revenue": revenue})


def plan(folder: Path, text: str) -> TrackingPlan:
    folder.mkdir(exist_ok=True)
    (folder / "purchase.yaml").write_text(text, encoding="utf-8")
    return TrackingPlan.load(folder)


@pytest.fixture
def pipeline(spark: SparkSession, tmp_path: Path) -> Pipeline:
    """A pipeline whose tracking plan wants whole revenues."""
    return Pipeline(spark, tmp_path / "home", plan(tmp_path / "plan", STRICT))


def ids(pipeline: Pipeline, table: str) -> list[str]:
    return sorted(row["event_id"] for row in pipeline.rows(table))


BROKEN = {
    "malformed_json": b'{"event_id": "cut',
    "not_an_object": b"[1, 2]",
    "missing_field": b'{"event": "click"}',
    "wrong_type": event("typed", platform=7),
    "invalid_value": event("other", platform="fridge"),
    "invalid_utf8": b'{"event_id": "\xff\xfe"}',
    "future": event("late", derived_at="2026-03-09T10:00:00Z"),
    "past": event("early", derived_at="1999-01-01T00:00:00Z"),
    "plan_violation": paid("half", 0.5),
}
"""By the reason for which it is set aside: one run takes them all, each with neighbours in a record of its own."""


def test_an_event_that_breaks_a_rule_is_set_aside_and_its_neighbours_go_on(pipeline: Pipeline) -> None:
    neighbours = {reason: (event(f"{reason} before"), event(f"{reason} after")) for reason in BROKEN}
    lines = {reason: b"\n".join([before, BROKEN[reason], after]) for reason, (before, after) in neighbours.items()}
    pipeline.put_records([StreamRecord(reason, gzip.compress(text)) for reason, text in lines.items()])
    pipeline.run()
    assert ids(pipeline, "clean_events") == sorted(
        f"{reason} {side}" for reason in BROKEN for side in ("after", "before")
    )
    records = {row["sequence_number"]: row for row in pipeline.rows("raw_events")}
    rows = {row["reason"]: row for row in pipeline.rows("quarantined_events")}
    assert {reason: (row["data"], row["line"]) for reason, row in rows.items()} == {
        reason: (data, 1) for reason, data in BROKEN.items()
    }
    for row in rows.values():
        assert row["detail"]
        for name in ("stream", "shard_id", "sequence_number", "arrived_at", "arrival_date", "arrival_hour"):
            assert row[name] == records[row["sequence_number"]][name], name
    assert pipeline.ledger()["landed"] == 3 * len(BROKEN)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"\n".join(event(f"e{n}") for n in range(50)))[:-20],
        zstandard.compress(b"\n".join(event(f"e{n}") for n in range(50)))[:-5],
        b"\x1f\x8bnot gzip",
    ],
    ids=["gzip", "zstd", "only the first bytes"],
)
def test_a_record_that_cannot_be_unpacked_is_set_aside_whole(data: bytes, pipeline: Pipeline) -> None:
    pipeline.put([event("before")])
    pipeline.put_records([StreamRecord("k", data)])
    pipeline.put([event("after")])
    pipeline.run()
    [row] = pipeline.rows("quarantined_events")
    assert (row["reason"], row["data"], row["line"]) == ("bad_encoding", data, 0)
    assert ids(pipeline, "clean_events") == ["after", "before"]
    assert pipeline.ledger() | {"clean": 2, "quarantined": 1, "enriched": 2} == pipeline.ledger()


def test_after_the_plan_was_mended_its_day_is_cleaned_again_and_everything_after_it_follows(
    pipeline: Pipeline, spark: SparkSession, tmp_path: Path
) -> None:
    lines = [event("e0", "page_view", page_view_id="p0", page={"url": "https://x.example/"}), paid("whole", 3)]
    half = paid("half", 0.5)
    pipeline.put([*lines, half, b"{"])
    pipeline.run()
    assert ids(pipeline, "enriched_events") == ["e0", "whole"]

    pipeline.plan = plan(tmp_path / "plan", MENDED)
    clean_step(a_run(pipeline.lake, spark, cleaning=CleanRules(pipeline.plan, pipeline.settings.first_day)))
    assert ids(pipeline, "clean_events") == ["e0", "half", "whole"]
    assert "enriched_events" in pipeline.pending()[DAY]

    pipeline.run()
    assert [row["reason"] for row in pipeline.rows("quarantined_events")] == ["malformed_json"]
    assert pipeline.pending() == {}
    at_once = Pipeline(spark, tmp_path / "at_once", pipeline.plan)
    at_once.put([*lines, half, b"{"])
    at_once.run()
    for table in DOWNSTREAM:
        assert pipeline.rows(table, BY_PLACE) == at_once.rows(table, BY_PLACE), table
    assert pipeline.ledger() == at_once.ledger()


def test_days_that_other_rules_made_are_made_again_though_more_came_to_them_meanwhile(
    pipeline: Pipeline, spark: SparkSession, tmp_path: Path
) -> None:
    early = [event("e0", "page_view", page_view_id="p0", page={"url": "https://x.example/"}), paid("half", 0.5)]
    late = [event("e1", anonymous_id="b", user_id="u"), paid("quarter", 0.25)]
    pipeline.put(early)
    pipeline.run()
    tokyo = EnrichRules(zones=SiteZones("Asia/Tokyo", ()))
    pipeline.plan, pipeline.enriching = plan(tmp_path / "plan", MENDED), tokyo
    pipeline.put(late)
    pipeline.run()
    assert pipeline.pending() == {}
    at_once = Pipeline(spark, tmp_path / "at_once", pipeline.plan)
    at_once.enriching = tokyo
    at_once.put([*early, *late])
    at_once.run()
    for table in ("quarantined_events", "clean_events", *DOWNSTREAM):
        assert pipeline.rows(table, BY_PLACE) == at_once.rows(table, BY_PLACE), table
    assert pipeline.ledger() == at_once.ledger()


def test_a_stricter_plan_takes_back_what_was_clean(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.plan = plan(tmp_path / "plan", MENDED)
    pipeline.put([event("e0"), paid("half", 0.5)])
    pipeline.run()
    assert ids(pipeline, "enriched_events") == ["e0", "half"]
    pipeline.plan = plan(tmp_path / "plan", STRICT)
    pipeline.run()
    assert ids(pipeline, "enriched_events") == ["e0"]
    assert ids(pipeline, "quarantined_events") == ["half"]
    assert pipeline.ledger()["pending"] == 0


def test_a_mended_plan_changes_no_day_that_is_not_materialised(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.put([event("e0"), paid("half", 0.5)])
    pipeline.run()
    pipeline.plan = plan(tmp_path / "plan", MENDED)
    yesterday = today() - dt.timedelta(days=1)
    pipeline.run(Window(yesterday, yesterday))
    assert ids(pipeline, "clean_events") == ["e0"]
    pipeline.run(Window(today(), today()))
    assert ids(pipeline, "clean_events") == ["e0", "half"]


def test_a_rebuild_can_be_narrowed_to_hours_and_the_rest_of_the_day_stays_to_be_done(
    pipeline: Pipeline, spark: SparkSession, tmp_path: Path
) -> None:
    pipeline.put_records([StreamRecord("k", pack([event("e0"), paid("half", 0.5)])[0])])
    pipeline.run()
    [hour] = {row["arrival_hour"] for row in pipeline.rows("raw_events")}
    rules = CleanRules(plan(tmp_path / "plan", MENDED), pipeline.settings.first_day)
    other = (hour + 1) % 24
    clean_step(a_run(pipeline.lake, spark, cleaning=rules, rebuild=True, hours=[other]))
    assert ids(pipeline, "clean_events") == ["e0"]
    clean_step(a_run(pipeline.lake, spark, cleaning=rules, rebuild=True, hours=[hour]))
    assert ids(pipeline, "clean_events") == ["e0", "half"]
    pipeline.plan = rules.plan
    pipeline.run()
    assert pipeline.ledger() | {"clean": 2, "quarantined": 0, "enriched": 2} == pipeline.ledger()


def test_a_rebuild_without_need_gives_the_same_rows(pipeline: Pipeline) -> None:
    pipeline.put([event("e0"), event("e0"), paid("whole", 3), paid("half", 0.5)])
    pipeline.run()
    before = {table: pipeline.rows(table) for table in ("clean_events", "quarantined_events", *DOWNSTREAM)}
    pipeline.run(rebuild=True)
    for table, rows in before.items():
        assert pipeline.rows(table) == rows, table
    assert pipeline.ledger()["duplicates"] == 1
