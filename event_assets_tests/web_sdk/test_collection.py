"""What a page's events say: views, pings, vitals, errors, links, and nothing where the person does not want it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import BrowserContext, Page

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import load_settings
from event_assets_tests.collector.serving import written
from event_assets_tests.web_sdk.conftest import Event, Platform

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HIDE = """
Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});
document.dispatchEvent(new Event('visibilitychange'));
"""
SHOW = "delete document.visibilityState; document.dispatchEvent(new Event('visibilitychange'))"


def views(platform: Platform, count: int) -> list[Event]:
    """The page views, once there are so many."""
    platform.wait(lambda: len(platform.named("page_view")) >= count)
    return platform.named("page_view")


def paths(platform: Platform, events: list[Event]) -> list[tuple[str, str]]:
    """Address and referrer of each, within the site."""
    origin = platform.site.origin
    return [
        (event["page"]["url"].removeprefix(origin), event["page"]["referrer"].removeprefix(origin)) for event in events
    ]


def wait_for_leaving(platform: Platform) -> None:
    """Has pages send only when they are left: a clock that is put forward also ends requests under way."""
    platform.site.usual_head = platform.site.snippet(platform.options("flushInterval: 600000"))


def test_a_page_view_says_where_the_visitor_is_and_came_from(platform: Platform, page: Page) -> None:
    page.goto(platform.site.other_host)  # its key allows no events from there
    page.evaluate(f"location.href = '{platform.site.origin}/offer?utm_source=news&gclid=1#part'")
    (view,) = views(platform, 1)
    assert view["page"] == {
        "url": f"{platform.site.origin}/offer?utm_source=news&gclid=1#part",
        "title": "Page /offer",
        "referrer": f"{platform.site.other_host}/",
    }
    assert view["viewport"] == {"width": 800, "height": 600}
    assert view["document"]["height"] > 3000
    assert view["screen"]["width"] > 0
    assert view["device"]["locale"].startswith("en")
    assert view["device"]["timezone"]
    assert view["platform"] == "web"


def test_a_page_that_changes_its_address_makes_page_views_that_refer_to_each_other(
    platform: Platform, page: Page
) -> None:
    page.goto(f"{platform.site.origin}/a")
    for step in (
        "history.pushState({}, '', '/b'); document.title = 'B'",
        "history.pushState({}, '', '/b#part')",
        "history.replaceState({}, '', '/c?x=1'); setTimeout(() => document.title = 'C')",
        "history.replaceState({}, '', '/c?x=1')",
        "history.go(-2)",
        "location.hash = '#/route'",
    ):
        page.evaluate(step)
        page.wait_for_timeout(100)
    found = views(platform, 5)
    assert paths(platform, found) == [
        ("/a", ""),
        ("/b", "/a"),
        ("/c?x=1", "/b"),
        ("/a", "/c?x=1"),
        ("/a#/route", "/a"),
    ]
    assert [view["page"]["title"] for view in found][1:3] == ["B", "C"]
    assert len({view["page_view_id"] for view in found}) == 5


def test_a_page_that_the_back_button_shows_again_is_a_page_view_and_sends_on(platform: Platform, page: Page) -> None:
    page.goto(f"{platform.site.origin}/a")
    views(platform, 1)
    for moment in ("pagehide", "pageshow"):
        page.evaluate(f"dispatchEvent(new PageTransitionEvent('{moment}', {{persisted: true}}))")
    page.evaluate("ea('track', 'after')")
    first, again = views(platform, 2)
    assert paths(platform, [again]) == [("/a", "/a")]
    platform.wait(lambda: bool(platform.named("after")))
    assert platform.named("after")[0]["page_view_id"] == again["page_view_id"] != first["page_view_id"]


def test_a_page_that_is_rendered_ahead_is_no_visit_until_it_is_shown(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    context.add_init_script("Object.defineProperty(document, 'prerendering', {get: () => !window.shown})")
    page.goto(platform.site.origin)
    page.wait_for_timeout(400)
    assert platform.sent() == []
    page.evaluate("window.shown = true; document.dispatchEvent(new Event('prerenderingchange'))")
    assert len(views(platform, 1)) == 1


def test_an_event_belongs_to_the_page_view_that_it_follows(platform: Platform, page: Page) -> None:
    page.goto(f"{platform.site.origin}/a")
    page.evaluate("ea('track', 'on a'); history.pushState({}, '', '/b'); ea('track', 'on b')")
    found = views(platform, 2)
    events = [event for event in platform.sent() if event["event"] != "web_vitals"]
    events.sort(key=lambda event: int(event["sequence"]))
    assert [event["event"] for event in events] == ["page_view", "on a", "page_view", "on b"]
    assert [event["page_view_id"] for event in events] == [view["page_view_id"] for view in found for _ in range(2)]


def test_pings_tell_every_ten_seconds_in_use_and_how_far_the_page_was_scrolled(platform: Platform, page: Page) -> None:
    wait_for_leaving(platform)
    page.clock.install()
    page.goto(platform.site.origin)
    page.clock.run_for(10_000)  # not in use
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_function("scrollY === 1500")
    page.evaluate("scrollTo(0, 700)")
    page.wait_for_function("scrollY === 700")
    page.wait_for_timeout(100)
    page.clock.run_for(10_000)
    page.keyboard.press("Shift")
    page.evaluate(HIDE)
    platform.wait(lambda: len(platform.named("page_ping")) == 1)
    page.clock.run_for(40_000)  # out of sight
    page.evaluate(SHOW)
    page.clock.run_for(9_990)
    page.clock.run_for(10_000)
    page.close()
    platform.wait(lambda: len(platform.named("page_ping")) >= 2)
    first, second = platform.named("page_ping")
    assert (first["scroll"], second["scroll"]) == ({"x_max": 0, "y_max": 1500}, {"x_max": 0, "y_max": 700})
    assert [ping["properties"]["visible_seconds"] for ping in (first, second)] == [20, 30]
    assert first["viewport"] == {"width": 800, "height": 600}
    assert first["document"]["height"] > 3000
    assert {ping["page_view_id"] for ping in (first, second)} == {platform.named("page_view")[0]["page_view_id"]}


def test_no_two_pings_fall_into_one_slot_of_ten_seconds(platform: Platform, page: Page) -> None:
    wait_for_leaving(platform)
    page.clock.install()
    page.goto(platform.site.origin)
    for _ in range(6):
        page.keyboard.press("Shift")
        page.clock.run_for(10_003)
    page.close()
    platform.wait(lambda: len(platform.named("page_ping")) >= 6)
    slots = {
        int(dt.datetime.fromisoformat(ping["occurred_at"]).timestamp()) // 10 for ping in platform.named("page_ping")
    }
    assert len(slots) == len(platform.named("page_ping")) == 6


def test_web_vitals_are_told_when_the_page_is_first_hidden(platform: Platform, page: Page) -> None:
    page.goto(platform.site.origin)
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('h1').style.marginTop = '300px'")  # everything shifts
    page.wait_for_timeout(700)
    page.evaluate(
        """document.querySelector('h1').addEventListener('click', () => {
            const end = performance.now() + 120; while (performance.now() < end);
        })"""
    )
    page.click("h1")
    page.wait_for_timeout(300)
    page.evaluate("history.pushState({}, '', '/next')")
    page.evaluate(HIDE)
    page.evaluate(SHOW)
    page.evaluate(HIDE)
    platform.wait(lambda: len(platform.named("web_vitals")) >= 1)
    (vitals,) = platform.named("web_vitals")
    assert 0 < vitals["properties"]["lcp_ms"] < 10_000
    assert 120 <= vitals["properties"]["inp_ms"] < 5_000
    assert 0.01 < vitals["properties"]["cls"] < 1
    assert vitals["page_view_id"] == platform.named("page_view")[0]["page_view_id"]
    assert vitals["page"]["url"] == f"{platform.site.origin}/"


def test_an_error_that_nobody_caught_is_told_once(platform: Platform, page: Page) -> None:
    page.goto(platform.site.origin)
    for _ in range(2):
        page.evaluate("setTimeout(() => { throw new TypeError('it broke') })")
        page.evaluate("void Promise.reject(new RangeError('too far'))")
        page.evaluate("void Promise.reject('a text'), null")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'data:image/png,broken'}))")
    platform.wait(lambda: len(platform.named("app_error")) >= 3)
    errors = [event["properties"] for event in platform.named("app_error")]
    assert [(error["message"], error.get("code")) for error in errors] == [
        ("it broke", "TypeError"),
        ("too far", "RangeError"),
        ("a text", None),
    ]
    assert {error["severity"] for error in errors} == {"error"}
    assert "it broke" in errors[0]["stack"]


@pytest.mark.parametrize("by_header", [True, False], ids=["the collector hears it", "the script says it"])
def test_global_privacy_control_refuses_to_be_sold_or_shared_and_nothing_else(
    platform: Platform, context: BrowserContext, page: Page, by_header: bool
) -> None:
    if by_header:
        context.set_extra_http_headers({"Sec-GPC": "1"})  # as a browser that has it does
    else:
        context.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    page.goto(platform.site.origin)
    page.evaluate("ea('setConsent', {analytics: true}, {source: 'banner'})")
    platform.wait(lambda: bool(platform.named("consent_changed")))
    (viewed,), (chosen,) = platform.named("page_view"), platform.named("consent_changed")
    answered = {"sell_or_share": False, "gpc": True}
    assert viewed["consent"] == answered and chosen["consent"] == {"analytics": True, **answered}


def test_do_not_track_is_honoured_until_the_person_chooses(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(platform.site.origin)
    page.evaluate("ea('track', 'unseen')")
    page.wait_for_timeout(400)
    assert not [url for url in asked if url.startswith(platform.endpoint)]
    assert page.evaluate("Object.keys(localStorage)") == [] and page.evaluate("document.cookie") == ""
    page.evaluate("ea('setConsent', {analytics: true}, {source: 'banner'})")
    platform.wait(lambda: bool(platform.named("consent_changed")))
    assert [event["event"] for event in platform.sent()] == ["page_view", "consent_changed"]
    (chosen,) = platform.named("consent_changed")
    refused = dict.fromkeys(("marketing", "personalisation", "sell_or_share"), False)
    assert chosen["consent"] == {"analytics": True, **refused}


def test_after_a_refusal_only_the_refusal_itself_is_sent_and_no_id_stays(platform: Platform, page: Page) -> None:
    page.goto(platform.site.origin)
    page.evaluate("ea('setConsent', {analytics: false}); ea('track', 'unseen')")
    platform.wait(lambda: bool(platform.named("consent_changed")))
    page.goto(f"{platform.site.origin}/next")
    page.wait_for_timeout(300)
    assert {event["event"] for event in platform.sent()} == {"page_view", "consent_changed"}
    assert page.evaluate("Object.keys(localStorage)") == ["ea.consent"]
    assert re.fullmatch(r"ea=%7B%22ea\.consent%22%3A[^;]*", page.evaluate("document.cookie"))


def test_commands_before_the_script_is_there_are_carried_out_in_their_order(platform: Platform, page: Page) -> None:
    site = platform.site
    stub = site.snippet("{}").split(" ea('init'")[0].removeprefix("<script>")
    commands = f"ea('track', 'first', {{n: 1}}); ea('init', {platform.options()}); ea('identify', 'u1'); ea('nonsense')"
    site.usual_head = f"<script>{stub} {commands}</script><script async src='/event-assets.js'></script>"
    page.goto(site.origin)
    page.evaluate("ea('track', 'last')")
    platform.wait(lambda: bool(platform.named("last")))
    assert [event["event"] for event in platform.sent()] == ["page_view", "first", "identify", "last"]
    assert platform.named("last")[0]["user_id"] == "u1"


def test_every_event_of_a_page_keeps_the_contract_and_the_tracking_plan(platform: Platform, page: Page) -> None:
    options = platform.options("plugins: [eaPlugins.autocapture()], app: {id: 'shop'}")
    platform.site.usual_head = platform.site.with_plugin("autocapture", options)
    page.clock.install()
    page.goto(f"{platform.site.origin}/?q=ümläut")
    page.evaluate("ea('identify', 'u1', {plan: 'pro'}); ea('alias', 'u1', 'u0'); ea('screen', 'Cart')")
    page.evaluate("ea('setConsent', {analytics: true, marketing: false}, {source: 'banner'})")
    page.evaluate("void Promise.reject(new TypeError('it broke'))")
    page.evaluate("document.addEventListener('submit', event => event.preventDefault())")
    page.click("button")
    page.clock.run_for(10_000)
    page.evaluate("document.addEventListener('click', event => event.preventDefault())")
    page.click("#away")
    page.evaluate("document.querySelector('#home').href = '/prices.pdf'")
    page.click("#home")
    for _ in range(3):
        page.evaluate("document.querySelector('h1').click()")
    page.evaluate(HIDE)
    expected = {
        *("page_view", "page_ping", "web_vitals", "app_error", "outbound_link", "form_submit"),
        *("element_click", "file_download", "rage_click"),
        *("identify", "alias", "screen_view", "consent_changed"),
    }
    platform.wait(lambda: {event["event"] for event in platform.sent()} >= expected)
    decoder = EventDecoder(TrackingPlan.load(load_settings().plan))
    for line in written(platform.stream):
        event: dict[str, Any] = msgspec.json.decode(line)
        decoded = decoder.decode(line)
        assert isinstance(decoded, Decoded), (decoded, event)
        assert (decoded.violations, decoded.extra) == (None, None), event
    assert {event["event"] for event in platform.sent()} == expected
