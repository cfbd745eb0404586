"""An application of Next.js made of the page's programs, built and served by Next.js itself, in a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from event_assets_tests.collector.serving import free_port
from event_assets_tests.processes import eventually
from event_assets_tests.web_sdk.conftest import Platform
from event_assets_tests.web_sdk.react_page import write_programs
from event_assets_tests.web_sdk.site import SCRIPT

PACKAGES = Path(__file__).parent / "next" / "node_modules"
SDK = SCRIPT.parents[1]
BASKET = """
export default function Basket() {
  return <p>Your basket</p>;
}
"""
OLD_APPLICATION = """
import type { AppProps } from "next/app";
import { Analytics } from "../app/analytics";

export default function App({ Component, pageProps }: AppProps) {
  return <Analytics><Component {...pageProps} /></Analytics>;
}
"""
OLD_PAGE = """
import { Buy } from "../app/buy";

export default function Old() {
  return <Buy product="p2" />;
}
"""

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.release]


def installed(folder: Path) -> None:
    """The packages and the built web SDK, as npm puts them: Next.js reads nothing outside of its folder."""
    shutil.copytree(PACKAGES, folder / "node_modules", copy_function=_linked, symlinks=True)
    package = folder / "node_modules" / "event-assets-web"
    shutil.copytree(SDK / "dist", package / "dist")
    shutil.copy(SDK / "package.json", package)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """The application, built for production: its address."""
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1", "CI": "1"}
    command = ["node", "node_modules/next/dist/bin/next"]
    built = subprocess.run(
        [*command, "build"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    at = f"http://127.0.0.1:{port}"
    serving = subprocess.Popen([*command, "start", "-H", "127.0.0.1", "-p", str(port)], cwd=folder, env=environment)
    try:
        assert eventually(lambda: serving.poll() is not None or _answers(at))
        assert serving.poll() is None
        yield at
    finally:
        serving.terminate()
        serving.wait()


def _answers(at: str) -> bool:
    try:
        with urllib.request.urlopen(at, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def told(platform: Platform) -> list[tuple[str, str]]:
    """Events and the paths that they happened on, but what the SDK sends by itself in time."""
    unasked = ("page_ping", "web_vitals")
    events = [event for event in platform.sent() if event["event"] not in unasked]
    return [(event["event"], "/" + event["page"]["url"].split("/", 3)[3]) for event in events]


def test_an_application_of_both_routers_records_each_view_and_event_once(
    platform: Platform, page: Page, tmp_path: Path
) -> None:
    if not PACKAGES.exists():
        pytest.skip("needs Next.js: npm ci --prefix event_assets_tests/web_sdk/next")
    port = free_port()
    platform.key = platform.keys.create("next", "web", allowed_origins=(f"http://127.0.0.1:{port}",))
    folder = tmp_path / "application"
    installed(folder)
    write_programs(folder, platform.options())
    (folder / "public").mkdir()
    (folder / "public" / "favicon.ico").write_bytes(b"")
    for name, program in (
        ("app/basket/page.tsx", BASKET),
        ("pages/_app.tsx", OLD_APPLICATION),
        ("pages/old.tsx", OLD_PAGE),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(program, encoding="utf-8")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    with served(folder, port) as at:
        page.goto(at)
        page.get_by_text("Buy", exact=True).click()
        page.evaluate("window.next.router.push('/basket')")
        page.get_by_text("Your basket").wait_for()
        page.go_back()
        page.get_by_text("Buy", exact=True).click()
        platform.wait(lambda: [name for name, _ in told(platform)].count("Buy Clicked") == 2)
        assert told(platform) == [
            ("page_view", "/"),
            ("Product Shown", "/"),
            ("Buy Clicked", "/"),
            ("page_view", "/basket"),
            ("page_view", "/"),
            ("Product Shown", "/"),
            ("Buy Clicked", "/"),
        ]
        page.goto(f"{at}/old")
        page.get_by_text("Buy", exact=True).click()
        platform.wait(lambda: ("Buy Clicked", "/old") in told(platform))
        assert sorted(told(platform)[7:]) == [("Buy Clicked", "/old"), ("Product Shown", "/old"), ("page_view", "/old")]
    assert len({event["anonymous_id"] for event in platform.sent()}) == 1
    assert faults == []
