"""A browser, a site whose pages send, and the collector that they send to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from event_assets.collector import WriteKeys
from event_assets.settings import Settings, load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.faults import FaultyStream
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.end_to_end.lineage import OPTIONS, chromium
from event_assets_tests.processes import eventually
from event_assets_tests.web_sdk.site import SCRIPT, Site, serving_site

Event = dict[str, Any]
HOSTS = "--host-resolver-rules=MAP *.example 127.0.0.1, MAP *.co.uk 127.0.0.1"
"""Every host of these is the site."""
QUIET = 0.3
"""Seconds after which nothing more is expected; the pages flush after a tenth of a second."""


@dataclass
class Platform:
    """The collector, its stream, and a site with the SDK on its pages."""

    site: Site
    stream: EventStream
    faults: FaultyStream
    keys: WriteKeys
    endpoint: str
    key: str

    def options(self, more: str = "") -> str:
        """Options of a client, in JavaScript."""
        return f"{{endpoint: '{self.endpoint}', writeKey: '{self.key}', flushInterval: 100, {more}}}"

    def sent(self) -> list[Event]:
        """Every event on the stream, copies too, in the order in which they happened."""
        events = [msgspec.json.decode(line) for line in written(self.stream)]
        return sorted(events, key=lambda event: str(event["event_id"]))

    def named(self, name: str) -> list[Event]:
        return [event for event in self.sent() if event["event"] == name]

    def numbers(self, name: str = "step") -> list[int]:
        """The numbers that events of this name carry, in order."""
        return sorted(event["properties"]["n"] for event in self.named(name))

    def wait(self, condition: Callable[[], bool]) -> None:
        """Waits until it is true of what was sent, and then a little, lest more comes than was expected."""
        assert eventually(condition), [(event["event"], event.get("properties")) for event in self.sent()]
        time.sleep(QUIET)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    if chromium() is None:
        pytest.skip("needs Chromium")
    if not SCRIPT.exists():
        pytest.skip("needs the built web SDK: make web-sdk, which needs npm")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=[*OPTIONS, HOSTS, *root])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: nothing stored."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, collector_ip_rate=0)


@pytest.fixture
def platform(browser: Browser, settings: Settings) -> Iterator[Platform]:
    with serving_site() as site:
        keys = WriteKeys.of(settings)
        key = keys.create("site", "web", allowed_origins=(site.origin,))
        stream = open_stream(settings)
        faults = FaultyStream(stream)
        with serving(settings, faults, keys) as client:
            platform = Platform(site, stream, faults, keys, str(client.base_url).rstrip("/"), key)
            site.usual_head = site.snippet(platform.options())
            yield platform
            faults.gate.set()
        stream.close()
