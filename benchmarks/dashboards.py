"""How long a page of the dashboards takes in a browser: `python -m benchmarks dashboards [--json]`.

A warehouse is filled by SQL with the rows that so many events leave in it: sessions, marts, people, segments, analyses,
and the single events of the last days. Each page is opened in Chromium by whom nobody was before: `frame` is the time
from the address to the page's places, `first` to the first card with something on it, `chart` to the first chart,
`page` until nothing is asked or drawn any more, all by the browser's own clock; `again` is the same page once more,
whose answers are kept for half a minute. `90d` is the page over the longest period. All are milliseconds. `shift` is by
how much the page moved under who reads it, a hundredth of what browsers call the cumulative layout shift. The goals are
1,000 to the first chart and 2,000 to the page.
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
    *("models", "anomalies", "realtime", "people", "pipeline", "dictionary", "sql"),
)
GOALS = {"chart": 1_000, "page": 2_000}
_WITH_PERIOD = ("overview", "acquisition", "engagement", "devices", "companies")
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_CHROMIUM = "/usr/bin/chromium"
_SEEN = {
    "frame": "#page h2, #page textarea, #page input, #page [role=alert]",
    "first": "#page .card:not(.waiting), #page textarea, #page input, #page [role=alert]",
    "chart": "#page svg.recharts-surface, #page .bars, #page .heat, #page .scroll",
}
_WATCH = """
window.moments = {}; window.shift = 0;
new MutationObserver(() => Object.entries(%s).forEach(([name, where]) => {
  if (name in window.moments || !document.querySelector(where)) return;
  window.moments[name] = performance.now();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.moments[name] = performance.now(); }));
})).observe(document, {childList: true, subtree: true});
new PerformanceObserver((list) => list.getEntries().forEach((each) => {
  if (!each.hadRecentInput) window.shift += each.value;
})).observe({type: "layout-shift", buffered: true});
"""
"""Notes in the page when each is painted first, and how much it moves."""
_IS_DONE = """
'frame' in window.moments && document.title !== 'Updating...' &&
  !document.querySelector('#page [data-is-due], [data-dash-is-loading=true]')
"""
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
    """Milliseconds until each was there; what a page has none of is left out."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    page.wait_for_function(_IS_DONE, timeout=_PATIENCE * 1_000)
    found: dict[str, float] = page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => "
        "done({...window.moments, page: performance.now(), shift: 100 * window.shift}))))"
    )
    return {name: round(found[name]) for name in (*_SEEN, "page", "shift") if name in found}


def visits(address: str) -> dict[str, dict[str, int]]:
    """By page, and way of opening it, the milliseconds."""
    from playwright.sync_api import sync_playwright

    found: dict[str, dict[str, int]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WATCH % json.dumps(_SEEN))
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
    names = (*_SEEN, "page", "shift")
    yield f"{'page':<24} " + " ".join(f"{name:>8}" for name in names) + "  milliseconds"
    for name, taken in figures["milliseconds"].items():
        over = " over" if any(taken.get(part, 0) > most for part, most in GOALS.items()) else ""
        yield f"{name:<24} " + " ".join(f"{taken[part]:>8,}" if part in taken else " " * 8 for part in names) + over
