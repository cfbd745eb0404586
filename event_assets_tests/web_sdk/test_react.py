"""The React entry in a browser: the programs of its page as they stand, in StrictMode, made there or on a server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from event_assets_tests.web_sdk.conftest import Platform
from event_assets_tests.web_sdk.react_page import write_programs

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "web-sdk" / "node_modules"
TAKEN = ("react", "react-dom", "@types")
IN_THE_BROWSER = """
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./src/app";

createRoot(document.body.appendChild(document.createElement("div"))).render(<StrictMode><App /></StrictMode>);
"""
HYDRATED = """
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import RootLayout from "./app/layout";
import Page from "./app/page";

hydrateRoot(document, <StrictMode><RootLayout><Page /></RootLayout></StrictMode>);
"""
ON_A_SERVER = """
import { renderToString } from "react-dom/server";
import RootLayout from "./app/layout";
import Page from "./app/page";

console.log(renderToString(<RootLayout><Page /></RootLayout>));
"""

pytestmark = [pytest.mark.slow, pytest.mark.browser]
Bundle = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programs of the page, where npm would have installed what they import."""
    if not (PACKAGES / "esbuild").exists() or not (PACKAGES.parent / "dist" / "react.js").exists():
        pytest.skip("needs the built web SDK: make web-sdk, which needs npm")
    installed = tmp_path / "application" / "node_modules"
    installed.mkdir(parents=True)
    (installed / "event-assets-web").symlink_to(PACKAGES.parent)
    for name in TAKEN:
        (installed / name).symlink_to(PACKAGES / name)
    write_programs(installed.parent)
    return installed.parent


@pytest.fixture
def bundle(folder: Path, platform: Platform) -> Bundle:
    """Makes one file of a program, for development, as StrictMode asks; options of the page become the collector's."""

    def make(program: str, where: str = "browser", more: str = "") -> str:
        write_programs(folder, platform.options(more))
        (folder / "program.tsx").write_text(program)
        options = ["--bundle", "--jsx=automatic", "--jsx-dev", f"--platform={where}"]
        done = subprocess.run(
            [PACKAGES / ".bin" / "esbuild", "program.tsx", *options, '--define:process.env.NODE_ENV="development"'],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return make


def told(platform: Platform) -> list[tuple[str, object]]:
    unasked = ("page_ping", "web_vitals")
    return [(event["event"], event.get("properties")) for event in platform.sent() if event["event"] not in unasked]


def open_app(platform: Platform, page: Page, script: str) -> None:
    platform.site.scripts["/app.js"] = script
    platform.site.pages["/"] = "<script defer src='/app.js'></script>"
    page.goto(platform.site.origin)


def test_in_strict_mode_each_event_is_recorded_once(platform: Platform, page: Page, bundle: Bundle) -> None:
    open_app(platform, page, bundle(IN_THE_BROWSER))
    page.get_by_text("Buy", exact=True).click()
    page.evaluate("history.pushState(null, '', '/basket')")
    platform.wait(lambda: len(platform.named("page_view")) == 2)
    assert sorted(told(platform), key=str) == [
        ("Buy Clicked", None),
        ("Offer Shown", {"offer": "spring"}),
        ("page_view", None),
        ("page_view", None),
    ]
    events = platform.sent()
    assert [event["page"]["url"] for event in platform.named("page_view")] == [
        f"{platform.site.origin}/",
        f"{platform.site.origin}/basket",
    ]
    assert len({(event["anonymous_id"], event["session_id"]) for event in events}) == 1
    assert sorted(event["sequence"] for event in events) == list(range(len(events)))


def test_before_consent_nothing_is_recorded_and_after_it_everything_once(
    platform: Platform, page: Page, bundle: Bundle
) -> None:
    open_app(platform, page, bundle(IN_THE_BROWSER, more="consent: {analytics: false}"))
    page.get_by_text("Buy", exact=True).click()
    page.get_by_text("Yes", exact=True).click()
    page.get_by_text("Buy", exact=True).click()
    platform.wait(lambda: bool(platform.named("Buy Clicked")))
    assert sorted(told(platform), key=str) == [
        ("Buy Clicked", None),
        ("consent_changed", {"source": "banner"}),
        ("page_view", None),
    ]
    page.reload()
    page.get_by_text("Buy", exact=True).wait_for()
    assert page.get_by_text("Yes", exact=True).count() == 0


def test_a_layout_that_a_server_rendered_is_taken_over_and_records_once(
    platform: Platform, page: Page, bundle: Bundle
) -> None:
    server = subprocess.run(
        ["node", "-"], input=bundle(ON_A_SERVER, "node"), capture_output=True, text=True, check=True
    )
    [html] = server.stdout.splitlines()
    assert html.startswith("<html") and "<button>Buy</button>" in html
    platform.site.scripts["/app.js"] = bundle(HYDRATED)
    platform.site.documents["/shop"] = f"<!doctype html>{html}<script src='/app.js'></script>"
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{platform.site.origin}/shop")
    page.get_by_text("Buy", exact=True).click()
    platform.wait(lambda: bool(platform.named("Buy Clicked")))
    assert sorted(told(platform), key=str) == [
        ("Buy Clicked", {"product": "p1"}),
        ("Product Shown", {"product": "p1"}),
        ("page_view", None),
    ]
    assert faults == []


def test_the_programs_of_the_page_are_what_the_compiler_takes(folder: Path) -> None:
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
    options += ["--lib", "es2022,dom", "--jsx", "react-jsx", "--types", "react,react-dom"]
    files = [str(file) for file in folder.glob("*/*.tsx")]
    assert len(files) == 6
    compiler = PACKAGES / "typescript" / "bin" / "tsc"
    done = subprocess.run(["node", compiler, *options, *files], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
