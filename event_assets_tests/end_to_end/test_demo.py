"""The demo as a user runs it: its figures agree with each other and with the truth, the browser shows every table, and
a second one, which ends the first, loses nothing."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from event_assets.collector.keys import WriteKeys
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.pipeline.domains import GROUPS
from event_assets.pipeline.registry import steps_of
from event_assets_tests.end_to_end import lineage
from event_assets_tests.end_to_end.platform import EVENTS, Demo
from event_assets_tests.processes import alive, eventually, family

pytestmark = pytest.mark.slow
needs_chromium = pytest.mark.skipif(lineage.chromium() is None, reason="needs Chromium")

"""Tables of the lake that are kept inside the steps and are no assets of their own."""


def agrees_with_itself(summary: dict[str, Any]) -> None:
    assert summary["balanced"] is True
    assert summary["landed"] == summary["clean"] + sum(summary["quarantined"].values())
    assert summary["warehouse"]["fct_events"] == summary["clean"] - summary["duplicates"]
    assert summary["warehouse"]["fct_sessions"] == summary["sessions"] > 0
    assert summary["warehouse"]["dim_users"] == summary["users"] > 0
    assert summary["warehouse"]["dim_user_segments"] == summary["segments"] > 0
    assert 0 < summary["latency_seconds"]["p50"] <= summary["latency_seconds"]["p95"]


def test_the_summary_adds_up(first: dict[str, Any]) -> None:
    summary = first
    agrees_with_itself(summary)
    assert abs(summary["sent"] - EVENTS) < EVENTS / 2
    assert 0 < summary["acknowledged"] <= summary["sent"]
    assert summary["landed"] >= summary["acknowledged"]
    assert summary["duplicates"] > 0 and summary["quarantined"]
    assert set(summary["warehouse"]) == {table.name for table in WAREHOUSE_TABLES}


@pytest.mark.representative
def test_every_stage_agrees_with_the_truth(demo: Demo, first: dict[str, Any]) -> None:
    report = demo.command("verify", "--json")
    wrong = [line for line in json.loads(report.stdout) if not line["ok"]]
    assert not wrong
    assert report.returncode == 0


def test_the_ui_shows_every_table_as_a_materialised_asset_with_its_lineage(demo: Demo, first: dict[str, Any]) -> None:
    nodes = demo.graphql(
        "{ assetNodes { assetKey { path } groupName description dependencyKeys { path }"
        " assetMaterializations(limit: 1) { runId metadataEntries { label } } } }"
    )["assetNodes"]
    by_key = {"/".join(node["assetKey"]["path"]): node for node in nodes}
    of_analyses = {table.name for step in steps_of("pauses") for table in step.tables}
    tables = {spec.name for spec in LAKE_TABLES} - of_analyses
    tables |= {f"warehouse/{table.name}" for table in WAREHOUSE_TABLES if table.lake.name not in of_analyses}
    assert tables <= by_key.keys()
    for key in tables:
        assert by_key[key]["description"], key
        assert by_key[key]["assetMaterializations"], f"{key} was never materialised"
        assert by_key[key]["dependencyKeys"], f"{key} has no upstream"
    assert ["event_stream"] in [path["path"] for path in by_key["raw_events"]["dependencyKeys"]]


@pytest.mark.browser
@pytest.mark.release
@needs_chromium
def test_the_lineage_shows_the_domains_from_ingest_to_the_warehouse_and_what_is_in_one(
    demo: Demo, first: dict[str, Any]
) -> None:
    with lineage.page() as shown:
        lineage.open_lineage(shown, demo.record.dagster_url, GROUPS)
        for group in GROUPS:
            expect(shown.get_by_text(group, exact=True).first).to_be_visible()
    with lineage.page() as shown:
        lineage.open_lineage(shown, demo.record.dagster_url, set(GROUPS) - {"sessions"})
        for name in ("page_views", "sessions", "session_issues", "event_days"):
            expect(shown.get_by_text(name, exact=True).first).to_be_visible()


@pytest.mark.browser
@needs_chromium
def test_the_documentation_of_the_api_works_without_the_internet(demo: Demo, first: dict[str, Any]) -> None:
    with lineage.page() as shown:
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(demo.record.docs_url)
        expect(shown.get_by_text("/v1/events").first).to_be_visible()
        assert all(url.startswith((demo.record.collector_url, "data:")) for url in asked)


def test_the_sensor_brings_one_event_from_the_api_to_the_warehouse(demo: Demo, first: dict[str, Any]) -> None:
    key = WriteKeys(demo.home / "keys.json").create("test", "web")
    event = {
        "event_id": "an-event-of-this-test",
        "event": "search",
        "anonymous_id": "someone",
        "platform": "web",
        "occurred_at": "2026-01-05T10:00:00Z",
        "sent_at": "2026-01-05T10:00:00Z",
        "properties": {"query": "lamp", "results": 2},
    }
    answer = httpx.post(
        f"{demo.record.collector_url}/v1/events",
        content=gzip.compress(json.dumps(event).encode()),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        },
    )
    assert answer.json()["accepted"] == 1, answer.text
    url = demo.record.warehouse_url
    assert url is not None

    def in_the_warehouse() -> bool:
        with psycopg.connect(url) as session:
            query = "SELECT count(*) FROM analytics.fct_events WHERE event_id = %s"
            return session.execute(query, (event["event_id"],)).fetchall() == [(1,)]

    assert eventually(in_the_warehouse)


def test_status_says_that_nothing_is_behind_once_the_work_is_done(demo: Demo, first: dict[str, Any]) -> None:
    def settled() -> bool:
        state = json.loads(demo.command("status", "--json").stdout)
        assert state["stack"]["dagster_url"] == demo.record.dagster_url
        return bool(state["settled"])

    assert eventually(settled)


def test_a_second_demo_in_the_same_home_works_and_loses_nothing(demo: Demo, first: dict[str, Any]) -> None:
    everything = family(demo.process.pid)
    assert demo.stop() == 0
    assert eventually(lambda: not alive(everything))
    again = Demo(demo.home, "--once")
    after = again.summary()
    assert again.process.wait(300) == 0
    agrees_with_itself(after)
    assert after["landed"] >= first["landed"] + after["acknowledged"]
    assert all(after["warehouse"][table] >= rows for table, rows in first["warehouse"].items())
    assert again.command("verify").returncode == 0
