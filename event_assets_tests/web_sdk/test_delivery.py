"""Whatever happens to page, network, storage or collector: every event reaches the stream, and counts once."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page

from event_assets_tests.web_sdk.conftest import Platform

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})"
BLOCKED = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError') }"


def track(page: Page, numbers: range, then: str = "") -> None:
    """Tracks one event a number, in one go."""
    page.evaluate(f"for (const n of {list(numbers)}) ea('track', 'step', {{n}}); {then}; null")


def once(numbers: range, got: list[int]) -> bool:
    """Whether each number is there, copies counted once."""
    return sorted(set(got)) == list(numbers)


def test_events_reach_the_stream_from_a_page_of_another_origin(platform: Platform, page: Page) -> None:
    page.goto(platform.site.origin)
    track(page, range(120))
    platform.wait(lambda: once(range(120), platform.numbers()))
    assert platform.numbers() == list(range(120))
    sent = platform.sent()
    assert [event["sequence"] for event in sent] == list(range(121))
    assert {event["device"]["user_agent"].split("/")[0] for event in sent} == {"Mozilla"}
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('ea.q.'))") == []


def test_what_happened_offline_is_sent_once_the_network_is_back(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    page.goto(platform.site.origin)
    platform.wait(lambda: len(platform.sent()) == 1)
    context.set_offline(True)
    track(page, range(20))
    page.wait_for_timeout(300)
    assert platform.numbers() == []
    context.set_offline(False)
    platform.wait(lambda: once(range(20), platform.numbers()))
    assert platform.numbers() == list(range(20))


def test_a_page_that_closes_with_events_waiting_sends_them_on_its_way_out(platform: Platform, page: Page) -> None:
    platform.site.usual_head = platform.site.snippet(platform.options("flushInterval: 60000"))
    page.goto(platform.site.origin)
    track(page, range(20))
    page.close()
    platform.wait(lambda: once(range(20), platform.numbers()))
    assert len(platform.named("page_view")) == 1


def test_a_tab_that_closes_with_events_in_flight_loses_none(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    page.goto(platform.site.origin)
    platform.wait(lambda: len(platform.sent()) == 1)
    platform.faults.gate.clear()
    puts = platform.faults.puts
    track(page, range(10), "ea('flush')")
    platform.wait(lambda: platform.faults.puts > puts)  # the request is with the collector, unanswered
    track(page, range(10, 20))
    page.close()
    platform.faults.gate.set()
    platform.wait(lambda: once(range(20), platform.numbers()))


def test_a_tab_that_closes_while_the_collector_takes_nothing_leaves_its_events_to_the_next_visit(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    page.goto(platform.site.origin)
    platform.wait(lambda: len(platform.sent()) == 1)
    platform.faults.failing = "all"
    track(page, range(10), "ea('flush')")
    page.wait_for_timeout(200)
    track(page, range(10, 20))
    page.close()
    page = context.new_page()
    page.goto(platform.site.origin)
    page.wait_for_timeout(300)
    assert platform.numbers() == []
    platform.faults.failing = None
    platform.wait(lambda: once(range(20), platform.numbers()))


def test_leaving_for_another_page_of_the_site_loses_none(platform: Platform, page: Page) -> None:
    for number in range(5):
        page.goto(f"{platform.site.origin}/page-{number}")
        track(page, range(4 * number, 4 * number + 4))
    platform.wait(lambda: once(range(20), platform.numbers()))
    sent = {event["event_id"]: event for event in platform.sent()}
    assert len({event["session_id"] for event in sent.values()}) == 1
    assert len([event for event in sent.values() if event["event"] == "page_view"]) == 5
    assert sorted(event["sequence"] for event in sent.values()) == list(range(len(sent)))


@pytest.mark.parametrize("without", ["", NO_LOCKS], ids=["web_locks", "no_locks"])
def test_two_tabs_send_at_once_and_nothing_twice_where_they_can_take_turns(
    platform: Platform, context: BrowserContext, without: str
) -> None:
    if without:
        context.add_init_script(without)
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(platform.site.origin)
    for round_ in range(5):
        for number, tab in enumerate(tabs):
            first = 20 * round_ + 10 * number
            track(tab, range(first, first + 10), "ea('flush')")
    platform.wait(lambda: once(range(100), platform.numbers()))
    assert without or platform.numbers() == list(range(100))
    assert len({event["anonymous_id"] for event in platform.sent()}) == 1
    assert len({event["session_id"] for event in platform.sent()}) == 1


def test_two_tabs_that_were_turned_away_send_nothing_twice_when_they_may(
    platform: Platform, context: BrowserContext
) -> None:
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(platform.site.origin)
    platform.wait(lambda: len(platform.named("page_view")) == 2)
    platform.faults.failing = "all"
    for number, tab in enumerate(tabs):
        track(tab, range(10 * number, 10 * number + 10), "ea('flush')")
    tabs[0].wait_for_timeout(800)  # long enough that each tab may take the other's
    platform.faults.failing = None
    platform.wait(lambda: once(range(20), platform.numbers()))
    assert platform.numbers() == list(range(20))


@pytest.mark.parametrize("broken", [BLOCKED, FULL], ids=["blocked", "full"])
def test_without_storage_everything_is_sent_all_the_same(
    platform: Platform, context: BrowserContext, page: Page, broken: str
) -> None:
    context.add_init_script(broken)
    page.goto(platform.site.origin)
    track(page, range(10))
    platform.wait(lambda: once(range(10), platform.numbers()))
    assert platform.numbers() == list(range(10))
    assert [event["sequence"] for event in platform.sent()] == list(range(11))
    assert len({event["session_id"] for event in platform.sent()}) == 1


def test_a_strict_content_security_policy_needs_no_exception(platform: Platform, page: Page) -> None:
    site = platform.site
    site.headers = {
        "content-security-policy": f"default-src 'none'; script-src 'self'; connect-src {platform.endpoint}; "
        "form-action 'none'; style-src-attr 'unsafe-inline'; require-trusted-types-for 'script'",
    }
    tag = f"data-endpoint='{platform.endpoint}' data-write-key='{platform.key}'"
    site.usual_head = f"<script async src='/event-assets.js' {tag}></script><script src='/app.js' defer></script>"
    site.scripts["/app.js"] = (
        "window.ea = window.ea || function () { (ea.q = ea.q || []).push(arguments) };"
        "ea('track', 'step', {n: 0}); addEventListener('load', () => ea('flush'));"
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site.origin)
    platform.wait(lambda: platform.numbers() == [0])
    page.close()
    assert len(platform.named("page_view")) >= 1
    assert said == []


def test_a_key_over_its_rate_is_asked_to_wait_and_all_arrives(platform: Platform, page: Page) -> None:
    slow = platform.keys.create("slow", "web", allowed_origins=(platform.site.origin,), events_per_second=10)
    options = platform.options(f"batchSize: 10, writeKey: '{slow}'")
    platform.site.usual_head = platform.site.snippet(options)
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status))
    page.goto(platform.site.origin)
    track(page, range(40))
    platform.wait(lambda: once(range(40), platform.numbers()))
    page.wait_for_timeout(1)  # hears of the answers
    assert 429 in answers
    assert platform.numbers() == list(range(40))
