"""What autocapture tells of clicks and forms, and that it never tells what somebody put in."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from event_assets_tests.web_sdk.conftest import Platform

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PARTS = """
document.body.innerHTML = `
<button id="buy" data-ea-plan="pro"><b>Buy</b> <i>now</i></button>
<a id="file" href="/prices.pdf">Prices</a> <a id="away" href="http://away.test/x">Away</a>
<span id="named" data-ea-event="Hero Clicked" data-ea-place="top">Hero</span>
<button id="mixed">Note <textarea>secret-1</textarea><span contenteditable>secret-2</span></button>
<div data-ea-ignore><button id="ignored">secret-3</button></div>
<form id="f" name="n" action="/go" data-ea-step="2"><input id="typed" name="email" value="secret-4">
<input type="submit" id="send" value="secret-5"></form><p id="dead">Nothing happens</p>`;
for (const name of ['click', 'submit']) document.addEventListener(name, event => event.preventDefault());
"""


def opened(platform: Platform, page: Page, options: str = "") -> None:
    head = platform.options(f"plugins: [eaPlugins.autocapture({options})]")
    platform.site.usual_head = platform.site.with_plugin("autocapture", head)
    page.goto(platform.site.origin)
    page.evaluate(PARTS)


def click(page: Page, *targets: str) -> None:
    for target in targets:
        page.evaluate(f"document.querySelector('#{target}').click()")


def test_clicks_downloads_links_forms_and_names_are_told_and_nothing_that_was_put_in(
    platform: Platform, page: Page
) -> None:
    opened(platform, page, "{rage: false}")
    click(page, "buy", "file", "away", "named", "mixed", "ignored", "typed", "dead")
    page.evaluate("document.querySelector('#f').requestSubmit()")
    page.evaluate("ea('flush')")
    platform.wait(lambda: bool(platform.named("form_submit")))
    told = [(event["event"], event["properties"]) for event in platform.sent() if event["event"] != "page_view"]
    assert told == [
        ("element_click", {"tag": "button", "element_id": "buy", "text": "Buy now", "plan": "pro"}),
        ("file_download", {"url": f"{platform.site.origin}/prices.pdf", "text": "Prices"}),
        ("outbound_link", {"url": "http://away.test/x", "text": "Away"}),
        ("Hero Clicked", {"tag": "span", "element_id": "named", "text": "Hero", "place": "top"}),
        ("element_click", {"tag": "button", "element_id": "mixed", "text": "Note"}),
        ("form_submit", {"form_id": "f", "form_name": "n", "action": "/go", "step": "2"}),
    ]
    assert "secret" not in json.dumps(platform.sent())


def test_three_clicks_at_one_place_where_nothing_happens_are_told_once(platform: Platform, page: Page) -> None:
    opened(platform, page)
    click(page, "dead", "dead", "dead", "dead", "typed", "typed", "typed")
    platform.wait(lambda: bool(platform.named("rage_click")))
    [rage] = platform.named("rage_click")
    assert rage["properties"] == {"tag": "p", "element_id": "dead", "text": "Nothing happens"}


def test_what_is_turned_off_is_not_told(platform: Platform, page: Page) -> None:
    opened(platform, page, "{clicks: false, links: false, downloads: false, forms: false, rage: false}")
    click(page, "buy", "file", "away", "dead", "dead", "dead")
    page.evaluate("document.querySelector('#f').requestSubmit(); ea('track', 'last')")
    platform.wait(lambda: bool(platform.named("last")))
    assert {event["event"] for event in platform.sent()} == {"page_view", "last"}
