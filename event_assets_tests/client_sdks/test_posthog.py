"""PostHog's SDKs, unchanged, against a collector."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from event_assets_tests.client_sdks.conftest import Collected

NAMES = ["Order Completed", "alias", "group", "identify", "page_view"]
ON_PAGES = {"After", "Order Completed", "group", "identify", "page_view"}


@pytest.mark.slow
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_servers_sdk_is_heard_once_however_the_network_fails(collected: Collected, program: str) -> None:
    collected.run(program, "posthog", "503", "429", "cut", "lost")
    events = {event["event"]: event for event in collected.events().values() if event["event"][0] != "$"}
    assert sorted(events) == NAMES
    assert events["Order Completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["alias"]["user_id"], events["alias"]["properties"]) == ("u-1", {"previous_id": "a-1"})
    assert events["group"]["properties"]["group_id"] == "g-1"
    assert "user_id" not in events["group"]


@pytest.mark.browser
def test_a_pages_sdk_is_heard_once_however_the_network_fails(on_pages: Collected, browser: Browser) -> None:
    on_pages.visit(browser, "posthog", lambda: set(on_pages.names()) >= ON_PAGES)
    events = {event["event"]: event for event in on_pages.events().values()}
    device = events["page_view"]["anonymous_id"]
    assert {event["anonymous_id"] for event in events.values()} == {device}
    assert "user_id" not in events["Order Completed"] and events["After"]["user_id"] == "u-1"
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["identify"]["traits"] == {"plan": "pro"}
