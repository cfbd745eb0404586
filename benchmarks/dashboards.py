"""How long a page of the dashboards takes in a browser: `python -m benchmarks dashboards [--json]`.

A warehouse is filled by SQL with the rows that so many events leave in it: sessions, marts, people, segments, analyses,
and the single events of the last days. Each page is opened in Chromium by whom nobody was before: `first` is the time
from the address to the first card with something on it, `page` until nothing is asked or drawn any more; `again` is the
same page once more, whose answers are kept for half a minute. `90d` is the page over the longest period. All are
milliseconds. The goals are 1,000 to the first card and 2,000 to the page.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.dashboard_rows import fill
from event_assets.embedded.postgres import open_postgres
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse

EVENTS = 10_000_000
PAGES = (
    *("overview", "acquisition", "engagement", "retention", "funnels", "devices", "companies", "segments"),
    *("realtime", "people", "pipeline", "dictionary", "sql"),
)
GOALS = {"first": 1_000, "page": 2_000}
_WITH_PERIOD = ("overview", "acquisition", "engagement", "devices", "companies")
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_CHROMIUM = "/usr/bin/chromium"
_THERE = "#page h2, #page textarea, #page input, #page [role=alert]"
_PATIENCE = 120


@contextmanager
def _served(url: str, home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "EVENT_ASSETS_HOME": str(home), "EVENT_ASSETS_WAREHOUSE_URL": url}
    command = [sys.executable, "-m", "event_assets.dashboards.server", "--port", str(port)]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(_PATIENCE)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(_PATIENCE * 10):
        if server.poll() is not None:
            raise RuntimeError("the dashboards' server ended")
        try:
            if httpx.get(address).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the dashboards' server does not answer")


def _opened(page: Any, address: str) -> dict[str, int]:
    """Milliseconds to the first card, and to the end of the page."""
    page.goto("about:blank")
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(_THERE).first.wait_for(state="attached", timeout=_PATIENCE * 1_000)
    first = time.perf_counter()
    page.wait_for_function(
        "document.title !== 'Updating...' && !document.querySelector('[data-dash-is-loading=true]')",
        timeout=_PATIENCE * 1_000,
    )
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return {"first": round((first - began) * 1_000), "page": round((time.perf_counter() - began) * 1_000)}


def visits(address: str) -> dict[str, dict[str, int]]:
    """By page, and way of opening it, the milliseconds."""
    from playwright.sync_api import sync_playwright

    found: dict[str, dict[str, int]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        _opened(page, f"{address}/dictionary")  # the scripts of all pages are kept from here on
        for name in PAGES:
            found[name] = _opened(page, f"{address}/{name}")
            found[f"{name} again"] = _opened(page, f"{address}/{name}")
            if name in _WITH_PERIOD:
                found[f"{name} 90d"] = _opened(page, f"{address}/{name}?period=90d")
        browser.close()
    return found


def measure(events: int) -> dict[str, Any]:
    """What was in the warehouse, and how long each page took."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as folder, open_postgres(Path(folder)) as url:
        Warehouse(PostgresDialect(LakeFiles()), url).ensure()
        rows = fill(url, "analytics", events)
        with _served(url, Path(folder)) as address:
            return {"events": events, "rows": rows, "milliseconds": visits(address)}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks dashboards", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, default=EVENTS, help="events that the warehouse has the rows of")
    asked = parser.parse_args(argv)
    figures = measure(asked.events)
    print(json.dumps(figures) if asked.json else "\n".join(_lines(figures)))
    return 0


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    yield f"{figures['events']:,} events: " + ", ".join(f"{name} {rows:,}" for name, rows in figures["rows"].items())
    yield f"{'page':<24} {'first':>8} {'page':>8}  milliseconds"
    for name, taken in figures["milliseconds"].items():
        over = " over" if any(taken[part] > GOALS[part] for part in GOALS) else ""
        yield f"{name:<24} {taken['first']:>8,} {taken['page']:>8,}{over}"
