"""Snowplow's trackers, unchanged, against a collector."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from event_assets_tests.client_sdks.conftest import Collected

NAMES = ["add-to-cart", "order_completed", "page_view"]


@pytest.mark.slow
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_servers_tracker_is_heard_once_however_the_network_fails(collected: Collected, program: str) -> None:
    collected.run(program, "snowplow", "503", "429", "cut", "lost")
    assert collected.names() == NAMES
    events = {event["event"]: event for event in collected.events().values()}
    assert events["order_completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert {(event["user_id"], event["anonymous_id"]) for event in events.values()} == {("u-1", "a-1")}
    assert {event["platform"] for event in events.values()} == {"server"}
    assert events["add-to-cart"]["properties"]["value"] == 2


@pytest.mark.browser
def test_a_pages_tracker_is_heard_once_however_the_network_fails(on_pages: Collected, browser: Browser) -> None:
    on_pages.visit(browser, "snowplow", lambda: on_pages.names() == NAMES, "503", "429")
    events = {event["event"]: event for event in on_pages.events().values()}
    assert len({(event["anonymous_id"], event["session_id"]) for event in events.values()}) == 1
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["page_view"]["page_view_id"]
