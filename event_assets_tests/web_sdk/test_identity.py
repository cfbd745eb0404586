"""Who a visitor is: over the hosts of a site, over sites, and where the person does not want it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page

from event_assets_tests.web_sdk.conftest import Platform
from event_assets_tests.web_sdk.site import SCRIPT

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def open_hosts(platform: Platform, *hosts: str, more: str = "", plugin: str = "") -> list[str]:
    """The addresses of the site under these hosts, from which its pages may send."""
    origins = [f"http://{host}:{platform.site.port}" for host in hosts]
    key = platform.keys.create("hosts", "web", allowed_origins=tuple(origins))
    options = platform.options(f"writeKey: '{key}', {more}")
    site = platform.site
    site.usual_head = site.with_plugin(plugin, options) if plugin else site.snippet(options)
    return origins


def visited(platform: Platform, page: Page, *addresses: str) -> list[tuple[str, str]]:
    """Anonymous id and session of a page view at each address."""
    for count, address in enumerate(addresses, 1):
        page.goto(address)
        platform.wait(lambda wanted=count: len(platform.named("page_view")) >= wanted)  # type: ignore[misc]
    return [(view["anonymous_id"], view["session_id"]) for view in platform.named("page_view")]


@pytest.mark.parametrize(
    ("hosts", "domain"),
    [
        (("www.shop.example", "app.shop.example", "shop.example"), ".shop.example"),
        (("www.shop.co.uk", "a.b.shop.co.uk"), ".shop.co.uk"),
    ],
)
def test_hosts_of_a_site_see_one_visitor_in_one_session(
    platform: Platform, context: BrowserContext, page: Page, hosts: tuple[str, ...], domain: str
) -> None:
    found = visited(platform, page, *open_hosts(platform, *hosts))
    assert len(set(found)) == 1
    assert sorted(event["sequence"] for event in platform.sent()) == list(range(len(platform.sent())))
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["domain"], cookie["sameSite"]) == ("ea", domain, "Lax")


def test_sites_of_one_public_suffix_see_two(platform: Platform, page: Page) -> None:
    found = visited(platform, page, *open_hosts(platform, "www.shop.co.uk", "www.other.co.uk"))
    assert len({anonymous_id for anonymous_id, _ in found}) == 2


def test_without_the_cookie_hosts_see_two(platform: Platform, context: BrowserContext, page: Page) -> None:
    found = visited(platform, page, *open_hosts(platform, "www.shop.example", "app.shop.example", more="cookie: false"))
    assert len({anonymous_id for anonymous_id, _ in found}) == 2
    assert context.cookies() == []


def test_who_signed_out_on_one_host_is_nobody_on_the_other(platform: Platform, page: Page) -> None:
    www, app = open_hosts(platform, "www.shop.example", "app.shop.example")
    page.goto(www)
    page.evaluate("ea('identify', 'u1')")
    page.goto(app)
    page.evaluate("ea('reset')")
    page.goto(www)
    page.evaluate("ea('track', 'after')")
    platform.wait(lambda: bool(platform.named("after")))
    after, identify = platform.named("after")[0], platform.named("identify")[0]
    assert "user_id" not in after and after["anonymous_id"] != identify["anonymous_id"]


def test_a_visitor_whose_cookie_is_gone_is_known_by_the_storage(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    [www] = open_hosts(platform, "www.shop.example")
    [(before, _)] = visited(platform, page, www)
    context.clear_cookies()
    assert {anonymous_id for anonymous_id, _ in visited(platform, page, www, www)} == {before}
    assert len(context.cookies()) == 1


def test_a_refusal_on_one_host_holds_on_the_other_and_only_it_is_kept(
    platform: Platform, context: BrowserContext, page: Page
) -> None:
    www, app = open_hosts(platform, "www.shop.example", "app.shop.example")
    visited(platform, page, www)
    page.evaluate("ea('setConsent', {analytics: false})")
    platform.wait(lambda: bool(platform.named("consent_changed")))
    [cookie] = context.cookies()
    assert re.fullmatch(r"%7B%22ea\.consent%22[^.]*%7D", cookie["value"])
    page.goto(app)
    page.evaluate("ea('track', 'never')")
    page.wait_for_timeout(400)
    assert platform.named("never") == [] and len(platform.named("page_view")) == 1


def test_over_tls_the_cookie_is_secure(context: BrowserContext, page: Page) -> None:
    head = f"<script>{SCRIPT.read_text('utf-8')}</script><script>ea('init', {{endpoint: '/c', writeKey: 'k'}})</script>"
    context.route("https://**", lambda route: route.fulfill(content_type="text/html", body=f"<!doctype html>{head}"))
    page.goto("https://www.shop.example/")
    page.wait_for_function("document.cookie !== ''")
    [cookie] = context.cookies()
    assert (cookie["secure"], cookie["sameSite"], cookie["domain"]) == (True, "Lax", ".shop.example")


DOMAINS = "plugins: [eaPlugins.crossDomain({domains: ['shop.example', 'blog.example']})]"


def test_a_visitor_who_follows_a_link_to_another_site_of_ours_is_the_same_there(platform: Platform, page: Page) -> None:
    shop, blog = open_hosts(platform, "www.shop.example", "blog.example", more=DOMAINS, plugin="cross-domain")
    page.goto(shop)
    page.evaluate(f"document.querySelector('#home').href = '{blog}/post?x=1#part'")
    page.click("#home")
    page.wait_for_url(f"{blog}/post**")
    platform.wait(lambda: len(platform.named("page_view")) == 2)
    first, second = platform.named("page_view")
    assert first["anonymous_id"] == second["anonymous_id"] and first["session_id"] == second["session_id"]
    assert second["page"]["url"] == page.url == f"{blog}/post?x=1#part"


@pytest.mark.parametrize("fault", ["old", "from elsewhere"])
def test_a_link_that_is_old_or_comes_from_elsewhere_makes_nobody_somebody_else(
    platform: Platform, page: Page, fault: str
) -> None:
    shop, blog, evil = open_hosts(
        platform, "www.shop.example", "blog.example", "evil.example", more=DOMAINS, plugin="cross-domain"
    )
    age = 121_000 if fault == "old" else 0
    page.goto(shop if fault == "old" else evil)
    at = page.evaluate(f"(Date.now() - {age}).toString(36)")
    page.evaluate(f"location.href = '{blog}/?_ea={at}.stranger.session'")
    page.wait_for_url(f"{blog}/")
    platform.wait(lambda: len(platform.named("page_view")) == 2)
    assert platform.named("page_view")[1]["anonymous_id"] != "stranger"
