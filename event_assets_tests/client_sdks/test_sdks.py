"""Other people's SDKs, unchanged, against a collector: each event is heard once, however the network fails."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from event_assets_tests.client_sdks.conftest import Collected
from event_assets_tests.client_sdks.proxy import Fault

SEGMENT_NAMES = ["Order Completed", "alias", "group", "identify", "page_view", "screen_view"]
SEGMENT_ON_PAGES = ["Order Completed", "group", "identify", "page_view"]
EVERY_FAULT: tuple[Fault, ...] = ("503", "429", "cut", "lost")


@pytest.mark.slow
@pytest.mark.parametrize("sdk", ["segment", "rudder"])
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_server_that_speaks_segment_is_heard_once(collected: Collected, program: str, sdk: str) -> None:
    collected.run(program, sdk, *EVERY_FAULT)
    assert collected.names() == SEGMENT_NAMES
    events = {event["event"]: event for event in collected.events().values()}
    assert events["Order Completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["page_view"]["user_id"], events["page_view"]["anonymous_id"]) == ("u-1", "a-1")
    assert events["page_view"]["page"]["url"].startswith("https://shop.example/p/1?")
    assert (events["group"]["group_id"], events["group"]["traits"]) == ("g-1", {"name": "Initech"})
    assert {event["platform"] for event in events.values()} == {"server"}
    assert not [event for event in events.values() if "ip" in event]


@pytest.mark.browser
@pytest.mark.parametrize(("sdk", "faults"), [("segment", EVERY_FAULT), ("rudder", EVERY_FAULT), ("jitsu", ())])
def test_a_page_that_speaks_segment_is_heard_once(
    on_pages: Collected, browser: Browser, sdk: str, faults: tuple[Fault, ...]
) -> None:
    """Jitsu's never sends again: what the network loses is lost."""
    on_pages.visit(browser, sdk, lambda: on_pages.names() == SEGMENT_ON_PAGES, *faults)
    events = {event["event"]: event for event in on_pages.events().values()}
    assert {event["anonymous_id"] for event in events.values()} == {events["page_view"]["anonymous_id"]}
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["group"]["user_id"] == "u-1"
    assert events["identify"]["device"]["user_agent"].startswith("Mozilla/")


SNOWPLOW_NAMES = ["add-to-cart", "order_completed", "page_view"]


@pytest.mark.slow
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_server_that_speaks_snowplow_is_heard_once(collected: Collected, program: str) -> None:
    collected.run(program, "snowplow", "503", "429", "cut", "lost")
    assert collected.names() == SNOWPLOW_NAMES
    events = {event["event"]: event for event in collected.events().values()}
    assert events["order_completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert {(event["user_id"], event["anonymous_id"]) for event in events.values()} == {("u-1", "a-1")}
    assert {event["platform"] for event in events.values()} == {"server"}
    assert events["add-to-cart"]["properties"]["value"] == 2


@pytest.mark.browser
def test_a_page_that_speaks_snowplow_is_heard_once(on_pages: Collected, browser: Browser) -> None:
    on_pages.visit(browser, "snowplow", lambda: on_pages.names() == SNOWPLOW_NAMES, *EVERY_FAULT)
    events = {event["event"]: event for event in on_pages.events().values()}
    assert len({(event["anonymous_id"], event["session_id"]) for event in events.values()}) == 1
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["page_view"]["page_view_id"]


POSTHOG_NAMES = ["Order Completed", "alias", "group", "identify", "page_view"]
POSTHOG_ON_PAGES = {"After", "Order Completed", "group", "identify", "page_view"}


@pytest.mark.slow
@pytest.mark.parametrize("program", ["python", "node"])
def test_a_server_that_speaks_posthog_is_heard_once(collected: Collected, program: str) -> None:
    collected.run(program, "posthog", "503", "429", "cut", "lost")
    events = {event["event"]: event for event in collected.events().values() if event["event"][0] != "$"}
    assert sorted(events) == POSTHOG_NAMES
    assert events["Order Completed"]["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["alias"]["user_id"], events["alias"]["properties"]) == ("u-1", {"previous_id": "a-1"})
    assert (events["group"]["group_id"], events["group"]["traits"]) == ("company:g-1", {"name": "Initech"})
    assert "user_id" not in events["group"]


@pytest.mark.browser
def test_a_page_that_speaks_posthog_is_heard_once(on_pages: Collected, browser: Browser) -> None:
    """Its SDK sends again what fails, save what is over a rate: the collector answers it otherwise then."""
    on_pages.visit(browser, "posthog", lambda: set(on_pages.names()) >= POSTHOG_ON_PAGES, "503", "cut", "lost")
    assert sorted(name for name in on_pages.names() if name in POSTHOG_ON_PAGES) == sorted(POSTHOG_ON_PAGES)
    events = {event["event"]: event for event in on_pages.events().values()}
    device = events["page_view"]["anonymous_id"]
    assert {event["anonymous_id"] for event in events.values()} == {device}
    assert "user_id" not in events["Order Completed"] and events["After"]["user_id"] == "u-1"
    assert events["page_view"]["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert events["identify"]["traits"] == {"plan": "pro"}


AMPLITUDE_NAMES = ["Order Completed", "group", "identify"]
AMPLITUDE_ON_PAGES = {"Order Completed", "identify", "page_view", "session_start"}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "faults"), [("node", ["503", "429"]), ("python", [])])
def test_a_server_that_speaks_amplitude_is_heard_once(collected: Collected, program: str, faults: list[Fault]) -> None:
    """Python's gives up within seconds: what the network loses is lost."""
    collected.run(program, "amplitude", *faults)
    assert collected.names() == AMPLITUDE_NAMES
    events = {event["event"]: event for event in collected.events().values()}
    order = events["Order Completed"]
    assert (order["user_id"], order["anonymous_id"], order["properties"]) == (
        "u-1",
        "a-1",
        {"order_id": "o1", "revenue": 12.5},
    )
    assert events["identify"]["traits"] == {"plan": "pro"}
    assert (events["group"]["group_id"], events["group"]["traits"]) == ("company:g-1", {"name": "Initech"})


@pytest.mark.browser
def test_a_page_that_speaks_amplitude_is_heard_once(on_pages: Collected, browser: Browser) -> None:
    on_pages.visit(browser, "amplitude", lambda: set(on_pages.names()) >= AMPLITUDE_ON_PAGES, *EVERY_FAULT)
    events = {event["event"]: event for event in on_pages.events().values()}
    order, view = events["Order Completed"], events["page_view"]
    assert (order["anonymous_id"], order["session_id"]) == (view["anonymous_id"], view["session_id"])
    assert order["session_id"].startswith("amplitude-") and order["anonymous_id"] not in order["session_id"]
    assert view["page"]["url"].startswith(f"{on_pages.site.origin}/page?")


MIXPANEL_NAMES = {
    "python": ["Imported", "Order Completed", "group", "identify"],
    "node": ["Batched", "Order Completed", "alias", "group", "identify"],
}
MIXPANEL_ON_PAGES = {"After", "Order Completed", "identify", "page_view"}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "faults"), [("node", []), ("python", ["503", "cut", "lost"])])
def test_a_server_that_speaks_mixpanel_is_heard_once(collected: Collected, program: str, faults: list[Fault]) -> None:
    """Node's never sends again and Python's not what was over a rate: they tell the program."""
    collected.run(program, "mixpanel", *faults)
    assert collected.names() == MIXPANEL_NAMES[program]
    events = {event["event"]: event for event in collected.events().values()}
    order = events["Order Completed"]
    assert (order["user_id"], order["anonymous_id"]) == ("u-1", "a-1")
    assert order["properties"] == {"order_id": "o1", "revenue": 12.5}
    assert (events["identify"]["user_id"], events["identify"]["traits"]) == ("u-1", {"plan": "pro"})
    assert (events["group"]["group_id"], events["group"]["traits"]) == ("company:g-1", {"name": "Initech"})
    assert {event["platform"] for event in events.values()} == {"server"}


@pytest.mark.browser
def test_a_page_that_speaks_mixpanel_is_heard_once(on_pages: Collected, browser: Browser) -> None:
    def is_all() -> bool:
        plans = [event.get("traits", {}).get("plan") for event in on_pages.events().values()]
        return set(on_pages.names()) >= MIXPANEL_ON_PAGES and "pro" in plans

    on_pages.visit(browser, "mixpanel", is_all, *EVERY_FAULT)
    events = {event["event"]: event for event in on_pages.events().values() if event["event"] != "identify"}
    view, after = events["page_view"], events["After"]
    assert (view["anonymous_id"], view.get("user_id")) == (after["anonymous_id"], None)
    assert after["user_id"] == "u-1"
    assert view["page"]["url"].startswith(f"{on_pages.site.origin}/page?")
    assert sorted(events) == sorted(MIXPANEL_ON_PAGES - {"identify"})
