"""What a user sees in the browser after the demo: the lineage of every table, and the ingest API's documentation."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from event_assets.contract.tables import WAREHOUSE_TABLES
from event_assets_tests.end_to_end import lineage
from event_assets_tests.end_to_end.platform import Demo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(lineage.chromium() is None, reason="needs Chromium"),
]


def test_the_lineage_shows_the_way_from_the_apps_to_the_warehouse(demo: Demo, first: dict[str, Any]) -> None:
    with lineage.page() as shown:
        lineage.open_lineage(shown, demo.record.dagster_url)
        for name in ("client_apps", "event_stream", "raw_events", *(table.name for table in WAREHOUSE_TABLES)):
            expect(shown.get_by_text(name, exact=True).first).to_be_visible()
        expect(shown.get_by_role("dialog")).to_have_count(0)
        expect(shown.get_by_text("Failed")).to_have_count(0)


def test_the_documentation_of_the_api_works_without_the_internet(demo: Demo, first: dict[str, Any]) -> None:
    with lineage.page() as shown:
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(demo.record.docs_url)
        expect(shown.get_by_text("/v1/events").first).to_be_visible()
        assert all(url.startswith((demo.record.collector_url, "data:")) for url in asked)
