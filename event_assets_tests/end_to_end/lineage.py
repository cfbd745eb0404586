"""A picture of the Dagster UI's asset lineage, taken in Chromium.

`python -m event_assets_tests.end_to_end.lineage docs/lineage.png` takes it of the stack that runs under the home, every
group closed; the names of groups after the file open these.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, sync_playwright

from event_assets.embedded.record import read_record
from event_assets.settings import load_settings

OPTIONS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def page(width: int = 2300, height: int = 2400) -> Iterator[Page]:
    """An empty page in a browser of its own."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=[*OPTIONS, *root])
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


def groups_of(dagster_url: str) -> list[str]:
    """The names of all asset groups."""
    query = {"query": "{ assetNodes { groupName } }"}
    nodes = httpx.post(f"{dagster_url}/graphql", json=query, timeout=30).json()["data"]["assetNodes"]
    return sorted({node["groupName"] for node in nodes})


def open_lineage(shown: Page, dagster_url: str, closed: Collection[str] = ()) -> None:
    """Show the whole lineage, every group opened but these and every status known, and nothing else."""
    opened = [group for group in groups_of(dagster_url) if group not in closed]
    expanded = ",".join(f"global@global:{group}" for group in opened)
    shown.goto(f"{dagster_url}/asset-groups/?expanded={quote(expanded)}", wait_until="domcontentloaded")
    shown.get_by_text("Materialize all").first.wait_for()
    shown.get_by_role("button", name="Hide navigation").click()
    shown.get_by_placeholder("Jump to…").locator("xpath=following::button[1]").click()  # the list beside the graph
    shown.get_by_text("fetching statuses").first.wait_for(state="hidden")
    shown.wait_for_timeout(3000)  # the layout moves while it is worked out


def main() -> None:
    """Take the picture."""
    record = read_record(load_settings().home)
    if record is None:
        sys.exit("No stack runs here. Start one: event-assets demo")
    target, *opened = sys.argv[1:]
    with page(2300, 1400) as shown:
        open_lineage(shown, record.dagster_url, set(groups_of(record.dagster_url)) - set(opened))
        shown.screenshot(path=Path(target))


if __name__ == "__main__":
    main()
