"""The SDKs of Segment, RudderStack and Jitsu, unchanged, against a collector."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from event_assets_tests.client_sdks.conftest import Collected
from event_assets_tests.client_sdks.proxy import Fault

NAMES = ["Order Completed", "alias", "group", "identify", "page_view", "screen_view"]
ON_PAGES = ["Order Completed", "group", "identify", "page_view"]
EVERY_FAULT: tuple[Fault, ...] = ("503", "429", "cut", "lost")


@pytest.mark.slow
@pytest.mark.parametrize("sdk", ["segment", "rudder"])
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_servers_sdk_is_heard_once_however_the_network_fails(collected: Collected, program: str, sdk: str) -> None:
    collected.run(program, sdk, *EVERY_FAULT)
    assert collected.names() == NAMES
    events = {event["event"]: event for event in collected.events().values()}
    assert events["Order Completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["page_view"]["user_id"], events["page_view"]["anonymous_id"]) == ("u-1", "a-1")
    assert events["page_view"]["page"]["url"].startswith("https://shop.example/p/1?")
    assert events["group"]["properties"]["group_id"] == "g-1"
    assert {event["platform"] for event in events.values()} == {"server"}
    assert not [event for event in events.values() if "ip" in event]


@pytest.mark.browser
@pytest.mark.parametrize(("sdk", "faults"), [("segment", ["503", "429"]), ("rudder", ["503", "429"]), ("jitsu", [])])
def test_a_pages_sdk_is_heard_once_however_the_network_fails(
    on_pages: Collected, browser: Browser, sdk: str, faults: list[Fault]
) -> None:
    """Jitsu's never sends again: what the network loses is lost."""
    on_pages.visit(browser, sdk, lambda: on_pages.names() == ON_PAGES, *faults)
    events = {event["event"]: event for event in on_pages.events().values()}
    assert {event["anonymous_id"] for event in events.values()} == {events["page_view"]["anonymous_id"]}
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["group"]["user_id"] == "u-1"
    assert events["identify"]["device"]["user_agent"].startswith("Mozilla/")
