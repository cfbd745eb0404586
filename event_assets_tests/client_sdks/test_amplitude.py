"""Amplitude's SDKs, unchanged, against a collector."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from event_assets_tests.client_sdks.conftest import Collected
from event_assets_tests.client_sdks.proxy import Fault

NAMES = ["Order Completed", "group", "identify"]
ON_PAGES = {"Order Completed", "identify", "page_view", "session_start"}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "faults"), [("node", ["503", "429"]), ("python", [])])
def test_a_servers_sdk_is_heard_once_however_the_network_fails(
    collected: Collected, program: str, faults: list[Fault]
) -> None:
    """Python's gives up within seconds: what the network loses is lost."""
    collected.run(program, "amplitude", *faults)
    assert collected.names() == NAMES
    events = {event["event"]: event for event in collected.events().values()}
    order = events["Order Completed"]
    assert (order["user_id"], order["anonymous_id"], order["properties"]) == (
        "u-1",
        "a-1",
        {"order_id": "o1", "revenue": 12.5},
    )
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert events["group"]["properties"]["group_id"] == "g-1"


@pytest.mark.browser
def test_a_pages_sdk_is_heard_once_however_the_network_fails(on_pages: Collected, browser: Browser) -> None:
    on_pages.visit(browser, "amplitude", lambda: set(on_pages.names()) >= ON_PAGES, "503", "429")
    events = {event["event"]: event for event in on_pages.events().values()}
    order, view = events["Order Completed"], events["page_view"]
    assert (order["anonymous_id"], order["session_id"]) == (view["anonymous_id"], view["session_id"])
    assert order["session_id"].startswith(f"{order['anonymous_id']}-")
    assert view["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
