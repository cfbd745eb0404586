"""The pages in a real browser: each with data and without, on a desk and on a phone, with no word on the console."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import psycopg
import pyarrow.parquet as pq
import pytest
from waitress.server import create_server

from benchmarks.dashboard_rows import fill
from event_assets.audit import audit_log
from event_assets.dashboards.app import _kept_gzip, create_app
from event_assets.dashboards.database import Database
from event_assets_tests.dashboards.conftest import Site
from event_assets_tests.dashboards.reading import FAULTS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PAGES = (
    *("overview", "acquisition", "engagement", "retention", "funnels", "devices", "companies", "segments", "models"),
    *("anomalies", "realtime", "people", "pipeline", "privacy", "dictionary", "sql"),
)
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_THERE = "#page h2, #page textarea, #page input, #page [role=alert]"
_WAITS = "#page [data-is-due], [data-dash-is-loading]"
_PATIENCE_MS = 300_000
_WATCH_MOVES = """
window.moved = 0;
new PerformanceObserver((list) => list.getEntries().forEach((each) => {
  if (!each.hadRecentInput) window.moved += each.value;
})).observe({type: "layout-shift", buffered: true});
"""
_TOLD = """
[...document.querySelectorAll(".recharts-tooltip-wrapper")].some(
  (each) => each.checkVisibility({visibilityProperty: true}) && each.innerText.includes("Period before"))
"""
"""A chart says a day's values."""
_MOST_MOVED = 0.1
"""Of the cumulative layout shift, up to where browsers call a page good."""
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(not _CHROMIUM, reason="there is no Chromium")]


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The pages of a site at an address of this machine."""
    server = create_server(create_app(site.contexts()).server, host="127.0.0.1", port=0, threads=32)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()


class Visit:
    """A page of a browser, and what went wrong on it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.faults: list[str] = []
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda asked: self._own(asked.url))
        page.add_init_script(_WATCH_MOVES)

    def _own(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"asked elsewhere: {url}")

    def open(self, path: str) -> None:
        """Opens a page and waits until all that it has is there."""
        self.begin(path)
        self.settle()

    def begin(self, path: str) -> None:
        """Opens a page and waits until it has its places."""
        self.page.goto(f"{self.address}/{path}")
        self.page.locator(_THERE).first.wait_for(state="attached")

    def settle(self) -> None:
        """Waits until nothing is asked any more."""
        self.page.wait_for_function(f"!document.querySelector('{_WAITS}')")

    def card(self, title: str) -> Locator:
        """The card of that title."""
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator("#page .card").filter(has=heading).first

    def top(self, title: str) -> float:
        """How far down the card of that title begins."""
        box = self.card(title).bounding_box()
        assert box is not None
        return box["y"]

    def number(self, title: str) -> str:
        """The large number of a card."""
        return self.card(title).inner_text().split("?")[1].split()[0]


@contextmanager
def visit(address: str, width: int = 1280, locale: str = "en-GB") -> Iterator[Visit]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(locale=locale)
        page.set_viewport_size({"width": width, "height": 900})
        yield Visit(page, address)
        browser.close()


def full_site(site: Site) -> Site:
    """The same, empty before, with rows in every table up to now."""
    source = site.context.source
    fill(site.owner_url, source.database.schema, 20_000)
    site.context = replace(site.context, source=replace(source, clock=lambda: dt.datetime.now(dt.UTC)))
    return site


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_shows_something_with_much_little_and_nothing_stays_in_its_place_and_says_nothing_on_the_console(
    site: Site, new_site: Callable[[], Site], width: int
) -> None:
    for each in (full_site(new_site()), site, new_site()):
        with served(each) as address, visit(address, width) as here:
            for path in PAGES:
                here.open(path)
                assert "cannot be shown" not in here.page.inner_text("#page")
                assert here.page.evaluate("window.moved") <= _MOST_MOVED, path
                assert here.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
                assert here.page.title() == "Web and product analytics"
            assert here.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_of_every_page_have_the_contrast_of_aa_and_all_that_keys_reach_has_a_name(
    new_site: Callable[[], Site], scheme: Literal["light", "dark"]
) -> None:
    with served(full_site(new_site())) as address, visit(address) as here:
        here.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for path in PAGES:
            here.open(path)
            here.page.wait_for_function("!document.querySelector('#page .card:not(.waiting) .recharts-wrapper:empty')")
            assert here.page.evaluate(FAULTS) == [], path
            assert here.page.locator("[aria-current=page]").count() == 1
        assert here.page.evaluate("document.documentElement.lang") == "en" and here.faults == []


def test_by_keys_alone_one_comes_to_the_content_filters_opens_a_table_and_goes_on(
    new_site: Callable[[], Site],
) -> None:
    with served(full_site(new_site())) as address, visit(address) as here:
        here.open("overview?period=90d")
        keys = here.page.keyboard

        def reach(words: str) -> None:
            for _ in range(100):
                keys.press("Tab")
                if words in here.page.evaluate(
                    "document.activeElement.ariaLabel || document.activeElement.innerText || "
                    "document.activeElement.labels?.[0]?.innerText || document.activeElement.textContent"
                ):
                    return
            raise AssertionError(words)

        reach("To the content")
        assert here.page.get_by_role("link", name="To the content").bounding_box()["x"] >= 0  # type: ignore[index]
        reach("Country")
        keys.type("DE")
        here.page.get_by_role("option", name="DE").wait_for()
        keys.press("ArrowDown")
        keys.press("Enter")
        here.page.wait_for_url("**/overview?period=90d&country=DE")
        here.settle()
        reach("What People means")
        assert here.page.get_by_role("tooltip").first.is_visible()
        reach("What People by day means")
        keys.press("Tab")  # to the chart, whose arrow keys lead from day to day
        keys.press("ArrowRight")
        here.page.wait_for_function(_TOLD)
        reach("Table")
        keys.press("Enter")
        here.page.locator("#page details table").first.wait_for()
        here.open("overview?period=90d&country=DE")
        reach("Acquisition")
        keys.press("Enter")
        here.page.wait_for_url("**/acquisition?period=90d&country=DE")
        assert here.faults == []


def test_a_filter_lives_in_the_address_and_changes_the_numbers_and_a_phone_scrolls_down_alone(site: Site) -> None:
    people = [row for row in site.sessions if not row["is_bot"]]
    with served(site) as address, visit(address) as here:
        here.open("overview?period=90d&compare=none&country=DE")
        wanted = {row["person_id"] for row in people if row["country"] == "DE"}
        assert here.number("People") == str(len(wanted))
        here.page.get_by_role("link", name="Acquisition").click()
        here.page.wait_for_url("**/acquisition?period=90d&compare=none&country=DE")
        here.page.get_by_label("Period", exact=True).select_option("Today")
        here.page.wait_for_url("**/acquisition?period=today&compare=none&country=DE")
        here.settle()
        here.page.set_viewport_size({"width": 390, "height": 844})
        here.open("overview")
        assert here.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        here.page.emulate_media(color_scheme="dark")
        here.open("acquisition?model=first")
        assert here.page.evaluate("document.documentElement.dataset.mantineColorScheme") == "dark"
        assert here.faults == []


def test_a_chart_is_there_before_a_slow_question_is_answered_and_what_is_shown_stays_until_there_is_other(
    site: Site,
) -> None:
    database = site.context.source.database
    patient = Database(database._url, database.schema, statement_seconds=_PATIENCE_MS // 1_000)
    site.context = replace(site.context, source=replace(site.context.source, database=patient))
    with served(site) as address, visit(address) as here, psycopg.connect(site.owner_url) as slow:
        slow.execute("LOCK TABLE analytics.dim_users IN ACCESS EXCLUSIVE MODE")
        here.begin("overview?period=90d")
        below = here.top("Sessions by channel")
        for shown in ("svg.recharts-surface", ".bars", ".big"):
            here.page.locator(f"#page .card {shown}").first.wait_for()
        assert here.page.locator("#page .waiting h2").all_inner_texts() == ["New people"]
        slow.rollback()
        here.settle()
        assert here.number("New people") == "0" and here.top("Sessions by channel") == below
        before = here.number("Sessions")
        slow.execute("LOCK TABLE analytics.fct_sessions IN ACCESS EXCLUSIVE MODE")
        here.page.get_by_label("Robots", exact=True).select_option("Counted too")
        here.page.wait_for_url("**/overview?period=90d&robots=with")
        here.page.locator(".place[data-is-due]").first.wait_for(state="attached")
        assert here.number("Sessions") == before and here.page.locator("#page .waiting").count() == 0
        here.page.get_by_role("link", name="Dictionary").click()  # more is asked than a browser has connections
        here.page.get_by_role("heading", name="Dictionary").wait_for()
        here.page.get_by_role("link", name="Overview").click()
        slow.rollback()
        here.page.get_by_role("heading", name="Overview").wait_for()
        here.settle()
        assert here.number("Sessions") == str(len(site.sessions))
        assert here.faults == []


def test_sql_is_run_by_the_reader_what_it_may_not_is_told_and_what_ran_is_in_the_history(site: Site) -> None:
    with served(site) as address, visit(address) as here:
        here.open("sql")
        box = here.page.locator("#sql-text")
        box.fill("SELECT 6 * 7 AS answer")
        here.page.get_by_role("button", name="Run").click()
        here.page.get_by_text("1 row.", exact=True).wait_for()
        assert "42" in here.page.inner_text("#sql-answer")
        box.fill("DELETE FROM fct_sessions")
        here.page.get_by_role("button", name="Run").click()
        here.page.get_by_text("The warehouse refuses it").wait_for()
        with here.page.expect_download() as download:
            box.fill("SELECT 1 AS n")
            here.page.get_by_role("button", name="Download Parquet").click()
        assert pq.read_table(download.value.path()).to_pydict() == {"n": [1]}
        here.open("sql")
        here.page.get_by_role("textbox", name="History").click()
        here.page.get_by_role("option", name="SELECT 6 * 7 AS answer").click()
        here.page.wait_for_function("document.querySelector('#sql-text').value === 'SELECT 6 * 7 AS answer'")
        assert here.faults == []
        ran = [each.of for each in audit_log(site.context.settings).entries()][-3:]
        assert ran == ["SELECT ? * ? AS answer", "DELETE FROM fct_sessions", "SELECT ? AS n"]


def test_a_foreign_name_is_not_answered_and_answers_are_packed(site: Site) -> None:
    import httpx

    _kept_gzip.cache_clear()
    with served(site) as address:
        assert httpx.get(address, headers={"Host": "elsewhere.example"}).status_code == 400
        page = httpx.get(address)
        assert page.headers["content-encoding"] == "gzip" and page.headers["x-frame-options"] == "DENY"
        csv = httpx.get(f"{address}/csv/overview/2/0/0?country=DE")
        assert csv.status_code == 200 and csv.text.splitlines()[0] == "Channel,Sessions"
        assert httpx.get(f"{address}/csv/overview/99/0/0").status_code == 404
        assert _kept_gzip.cache_info().currsize == 0, "an answer may be about a person: none stays in memory"


def test_what_a_visitor_sent_stays_text_a_table_opens_and_a_chart_is_drawn_when_it_comes_into_view(site: Site) -> None:
    mark = "<img src=x onerror=document.title='broken'>"
    site.put("fct_sessions", [{**site.sessions[0], "session_id": f"m{n}", "country": mark} for n in range(200)])
    with served(site) as address, visit(address) as here:
        here.open("overview?period=90d&robots=with")
        assert mark in here.page.inner_text("#page") and here.page.locator("#page img").count() == 0
        charts = here.page.locator("#page svg.recharts-surface")
        charts.first.wait_for()
        drawn, table = charts.count(), here.page.locator("#page details table")
        assert table.count() == 0
        here.page.locator("#page summary").first.click()
        table.first.wait_for()
        assert table.first.locator("tbody tr").count() == 90
        here.page.locator("#page .card").last.scroll_into_view_if_needed()
        here.page.locator("#page .about").first.hover()
        assert here.page.get_by_role("tooltip").first.is_visible() and charts.count() >= drawn
        assert here.faults == []


def test_numbers_are_written_as_the_browser_asks(site: Site) -> None:
    with served(site) as address, visit(address, locale="de-DE") as here:
        here.open("overview?period=90d")
        revenue = sum(row["revenue"] for row in site.sessions if not row["is_bot"])
        assert here.number("Revenue") == f"{revenue:,.0f}".replace(",", ".")
        here.page.locator("#page .recharts-yAxis").first.wait_for()
        here.open("engagement?period=90d")
        ticks = here.page.locator("#page .recharts-yAxis").first.locator(".recharts-text")
        ticks.first.wait_for()
        assert [text for text in ticks.all_text_contents() if not text.endswith("\N{NO-BREAK SPACE}Sek.")] == []
        assert here.faults == []
