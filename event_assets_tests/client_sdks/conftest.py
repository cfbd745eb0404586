"""A collector that other people's SDKs send to, and what they run in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from playwright.sync_api import Browser, sync_playwright

from event_assets.collector import WriteKeys
from event_assets.settings import load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_tests.client_sdks.proxy import Fault, failing
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.end_to_end.lineage import OPTIONS, chromium
from event_assets_tests.processes import eventually
from event_assets_tests.web_sdk.site import Site, serving_site

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / "build" / "client-sdks" / "bin" / "python"
_SECONDS = 120


@dataclass
class Collected:
    """A collector, keys for it, and what it has taken."""

    endpoint: str
    server_key: str
    web_key: str
    site: Site
    stream: EventStream

    def events(self) -> dict[str, dict[str, Any]]:
        """The events on the stream by id: of copies, the first."""
        events: dict[str, dict[str, Any]] = {}
        for line in written(self.stream):
            event = msgspec.json.decode(line)
            events.setdefault(event["event_id"], event)
        return events

    def names(self) -> list[str]:
        """The names of the events, each once."""
        return sorted(event["event"] for event in self.events().values())

    def run(self, program: str, sdk: str, *faults: Fault) -> None:
        """Sends with an SDK of this program, over a network that fails so."""
        with failing(self.endpoint, faults) as endpoint:
            done = subprocess.run(
                [*commands()[program], sdk, endpoint, self.server_key], timeout=_SECONDS, capture_output=True, text=True
            )
        assert done.returncode == 0, done.stderr

    def visit(self, browser: Browser, sdk: str, until: Callable[[], bool], *faults: Fault) -> None:
        """Sends with an SDK on a page, until that is true, over a network that fails so."""
        with failing(self.endpoint, faults) as endpoint:
            context = browser.new_context()
            page = context.new_page()
            parameters = urlencode({"sdk": sdk, "endpoint": endpoint, "key": self.web_key, "utm_source": "news"})
            page.goto(f"{self.site.origin}/page?{parameters}")
            try:
                assert eventually(until), self.names()
            finally:
                context.close()


def commands() -> dict[str, list[str]]:
    """How the SDKs of each language are run; skips where they are not installed."""
    if not PYTHON.exists() or not (HERE / "node_modules").exists() or shutil.which("node") is None:
        pytest.skip("needs the other SDKs: make client-sdks, which needs npm")
    return {"python": [str(PYTHON), str(HERE / "send.py")], "node": ["node", str(HERE / "send.cjs")]}


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Collected]:
    commands()
    settings = load_settings(home=tmp_path, collector_ip_rate=0)
    keys = WriteKeys.of(settings)
    stream = open_stream(settings)
    with serving_site() as site, serving(settings, stream, keys) as client:
        server_key = keys.create("backend", "server")
        web_key = keys.create("site", "web", allowed_origins=(site.origin,))
        yield Collected(str(client.base_url).rstrip("/"), server_key, web_key, site, stream)
    stream.close()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SDKs for browsers with what the pages do, as one script."""
    commands()
    made = tmp_path_factory.mktemp("pages") / "pages.js"
    build = [str(HERE / "node_modules" / ".bin" / "esbuild"), str(HERE / "pages.js")]
    subprocess.run([*build, "--bundle", "--log-level=error", f"--outfile={made}"], check=True)
    return made.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("needs Chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=[*OPTIONS, *root])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def on_pages(collected: Collected, script: str) -> Collected:
    """The collector, with the script on the pages of the site."""
    collected.site.scripts["/pages.js"] = script
    collected.site.usual_head = "<script defer src='/pages.js'></script>"
    return collected
