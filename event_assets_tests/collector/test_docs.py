"""The page at `/docs`: complete, from the collector alone, and able to send."""

from __future__ import annotations

import re

import httpx
import pytest

from event_assets.collector.keys import WriteKeys
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.end_to_end import lineage


def test_the_page_and_all_that_it_asks_for_are_served_under_a_strict_policy(client: httpx.Client) -> None:
    del client.headers["x-write-key"]
    page = client.get("/docs")
    asked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(asked) == 4
    for answer in (page, *(client.get(f"/{path}") for path in asked)):
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    again = client.get(f"/{asked[0]}", headers={"if-none-match": client.get(f"/{asked[0]}").headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["secrets", "oauth2-redirect.html", "swagger-ui.js", "..%2Fapp.py", "docs.html"])
def test_no_other_file_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


@pytest.mark.browser
@pytest.mark.skipif(lineage.chromium() is None, reason="needs Chromium")
def test_a_person_sends_an_event_from_the_page_and_nothing_comes_from_elsewhere(
    settings: Settings, stream: EventStream, keys: WriteKeys
) -> None:
    key = keys.create("docs", "web", allowed_origins=("*",))
    with serving(settings, stream, keys) as client, lineage.page(1300, 1800) as shown:
        asked: list[str] = []
        said: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.goto(f"{client.base_url}/docs")
        shown.click(".btn.authorize")
        shown.locator(".auth-container input").first.fill(key)
        shown.locator("button.authorize[type=submit]").first.click()
        shown.locator("button.btn-done").first.click()
        shown.click("#operations-Events-sendEvents .opblock-summary-control")
        shown.click("text=Try it out")
        shown.click("text=Execute")
        answer = shown.locator(".live-responses-table .response-col_status").last
        assert answer.inner_text(timeout=120_000).startswith("200")
        assert all(url.startswith((f"{client.base_url}", "data:")) for url in asked)
        assert said == []
    assert len(written(stream)) == 1
