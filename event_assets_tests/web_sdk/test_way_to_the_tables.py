"""A visit in a browser becomes rows of `sessions` and `page_views` with the numbers that a person would count."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext
from pyspark.sql import SparkSession

from event_assets.collector import WriteKeys
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import load_settings
from event_assets_tests.collector.faults import FaultyStream
from event_assets_tests.collector.serving import serving
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.web_sdk.conftest import Platform
from event_assets_tests.web_sdk.site import serving_site

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_visit_is_one_session_with_its_pages_seconds_and_source(
    browser: Browser, context: BrowserContext, spark: SparkSession, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path, TrackingPlan.load(load_settings().plan))
    with serving_site() as site:
        keys = WriteKeys.of(pipeline.settings)
        key = keys.create("site", "web", allowed_origins=(site.origin,))
        faults = FaultyStream(pipeline.stream)
        with serving(pipeline.settings, faults, keys) as client:
            platform = Platform(site, pipeline.stream, faults, keys, str(client.base_url).rstrip("/"), key)
            visit(platform, context)
    pipeline.run()
    assert pipeline.rows("quarantined_events") == []
    assert [row["plan_violations"] for row in pipeline.rows("clean_events") if row["plan_violations"]] == []
    (session,) = pipeline.rows("sessions")
    assert (session["page_views"], session["engaged_seconds"], session["conversions"]) == (2, 30, 1)
    assert (session["is_engaged"], session["is_bounce"], session["sequence_gaps"]) == (True, False, 0)
    assert (session["source"], session["medium"], session["campaign"]) == ("newsletter", "email", "spring")
    assert (session["channel_group"], session["platform"], session["browser"]) == ("Email", "web", "HeadlessChrome")
    assert session["entry_url"].endswith("/landing?utm_source=newsletter&utm_medium=email&utm_campaign=spring")
    assert session["exit_url"] == f"{site.origin}/pricing"
    landing, pricing = sorted(pipeline.rows("page_views"), key=lambda row: row["index_in_session"])
    assert (landing["path"], landing["engaged_seconds"], landing["scroll_percent"]) == ("/landing", 25, 100)
    assert (pricing["path"], pricing["engaged_seconds"], pricing["title"]) == ("/pricing", 5, "Pricing")
    assert pricing["referrer"] == landing["url"]
    ledger = pipeline.ledger()
    assert (ledger["landed"], ledger["quarantined"]) == (ledger["clean"], 0)
    assert ledger["enriched"] == len({row["event_id"] for row in pipeline.rows("clean_events")})


def visit(platform: Platform, context: BrowserContext) -> None:
    """Three times ten seconds on a page read to its end, ten on the next, a purchase there."""
    platform.site.usual_head = platform.site.snippet(platform.options("flushInterval: 600000"))
    page = context.new_page()
    page.clock.install()
    page.goto(f"{platform.site.origin}/landing?utm_source=newsletter&utm_medium=email&utm_campaign=spring")
    page.clock.run_for(1_000)
    for top in (500, 5_000, 0):
        page.evaluate(f"scrollTo(0, {top})")
        page.wait_for_timeout(100)
        page.clock.run_for(10_001)
    page.evaluate("history.pushState({}, '', '/pricing'); document.title = 'Pricing'")
    page.keyboard.press("Shift")
    page.clock.run_for(10_001)
    page.evaluate("ea('track', 'purchase', {order_id: 'o1', revenue: 12.5, currency: 'EUR'})")
    page.close()
    platform.wait(lambda: len(platform.named("page_ping")) >= 4 and bool(platform.named("purchase")))
