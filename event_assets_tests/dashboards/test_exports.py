"""Every visual leaves its page as CSV and as a picture, of the same rows, whatever they say."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.dashboards.app import create_app
from event_assets.dashboards.database import Answer
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formats import parquet_of
from event_assets.dashboards.pages.query import with_statement
from event_assets.dashboards.pictures import _DRAWN, picture_of
from event_assets_tests.dashboards.conftest import NOW, Site
from event_assets_tests.examples import examples

PNG = b"\x89PNG\r\n\x1a\n"
DAY = dt.timedelta(days=1)


@pytest.fixture
def full_site(site: Site) -> Site:
    """With what analyses found, events of the last minutes, and a load."""
    midnight = NOW.replace(hour=0, minute=0)
    site.put(
        "agg_funnels",
        [
            {"analysis": "signup", "breakdown": of, "step": step, "step_name": name, "people": people}
            | {"conversion": people / 100, "step_conversion": 0.5, "median_seconds": 30.0}
            for of in ("(all)", "Email")
            for step, name, people in ((1, "$visit", 100), (2, "$sign_up", 40))
        ],
    )
    site.put(
        "agg_retention",
        [
            {"analysis": "weekly", "cohort_start": midnight - 7 * n * DAY, "period": p, "share": 1 / (p + 1)}
            | {"span": "now", "breakdown": "(all)", "cohort_people": 50 + n, "people": 10}
            for n in range(6)
            for p in range(n + 1)
        ],
    )
    site.put(
        "agg_lifecycle",
        [
            {"analysis": name, "period_start": midnight - n * DAY, "status": status, "people": people} | {"span": "now"}
            for name in ("weekly_lifecycle", "daily_lifecycle")
            for n in range(10)
            for status, people in (("new", 5), ("returning", 20 + n), ("resurrecting", 2), ("dormant", -4))
        ],
    )
    site.put(
        "agg_active_users",
        [
            {"analysis": "a", "event_date": (NOW - n * DAY).date(), "dau": 10 + n, "wau": 50, "mau": 90}
            | {"stickiness": 0.2, "span": "now"}
            for n in range(40)
        ],
    )
    site.put("agg_stickiness", [{"analysis": "a", "periods": n, "people": 90 // n, "share": 0.1} for n in range(1, 20)])
    site.put(
        "agg_paths",
        [
            {"analysis": "p", "step": step, "from_node": one, "to_node": other, "transitions": count}
            for step, one, other, count in ((0, "(start)", "/", 90), (1, "/", "/a", 50), (1, "/", "(end)", 40))
        ],
    )
    site.put(
        "agg_web_vitals",
        [{"analysis": "v", "page_path": "/", "device_type": "mobile", "views": 9, "lcp_ms": 2600.0, "inp_ms": 90.0}],
    )
    site.put(
        "fct_events",
        [
            {"event_id": f"e{n}", "event": "page_view", "page_path": "/a", "derived_at": NOW - dt.timedelta(minutes=n)}
            | {"event_date": NOW.date(), "anonymous_id": f"d{n}"}
            for n in range(20)
        ],
    )
    return site


@pytest.mark.slow
def test_every_visual_of_every_page_is_there_as_csv_and_as_a_picture(full_site: Site) -> None:
    client = create_app(full_site.contexts()).server.test_client()
    dashboard = full_site.context.source.dashboard
    places = [(page.id, r, c) for page in dashboard.pages for r, row in enumerate(page.rows) for c in range(len(row))]
    places += [("realtime", 0, 0), ("pipeline", 0, 0)]
    pictures = 0
    for id_, row, column in places:
        number = 0
        while (csv := client.get(f"/csv/{id_}/{row}/{column}/{number}?period=90d")).status_code == 200:
            assert csv.mimetype == "text/csv" and csv.text.splitlines()
            picture = client.get(f"/png/{id_}/{row}/{column}/{number}?period=90d")
            assert (picture.status_code, picture.mimetype) == (200, "image/png") and picture.data.startswith(PNG)
            number += 1
            pictures += 1
        assert number, (id_, row, column)
    assert pictures > len(places)
    assert client.get("/png/overview/0/0/99").status_code == client.get("/csv/nothing/0/0/0").status_code == 404


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12) | st.sampled_from(["$a_$b", "\\"])
ROWS = st.lists(st.tuples(WORDS, st.none() | st.integers(-9, 10**9) | st.floats(-1e9, 1e9)), max_size=5)


@examples(20)
@given(kind=st.sampled_from(["bars", "columns", "table"]), rows=ROWS, title=WORDS)
def test_whatever_a_figure_says_it_can_be_drawn(kind: str, rows: list[tuple[Any, ...]], title: str) -> None:
    figure = Figure(title, (Field("a", title), Field("b", title, "number")), rows, notes=(title,))
    assert picture_of(kind, figure).startswith(PNG)


@pytest.mark.parametrize("kind", [*_DRAWN, "web_vitals"])
def test_nothing_is_drawn_as_the_words_that_say_so(kind: str) -> None:
    assert picture_of(kind, Figure("Nothing", (Field("a", "A"),), [], empty="Not made yet.")).startswith(PNG)


def test_parquet_has_the_types_of_the_answer_and_texts_of_what_it_has_no_type_for() -> None:
    rows: list[tuple[Any, ...]] = [
        (1, "a", Decimal("1.50"), NOW, None, 1, {"k": 1}),
        (None, "b", Decimal(2), NOW, None, "x", 3),
    ]
    columns = ("n", "n", "amount", "at", "empty", "mixed", "json")
    read = pq.read_table(io.BytesIO(parquet_of(Answer(columns, rows, False))))
    assert read.column_names == ["n", "n_1", "amount", "at", "empty", "mixed", "json"]
    assert read["amount"].to_pylist() == [Decimal("1.50"), Decimal("2.00")] and read["at"].to_pylist() == [NOW, NOW]
    assert read["mixed"].to_pylist() == ["1", "x"] and read["json"].to_pylist() == ["{'k': 1}", "3"]


@given(st.lists(st.text(min_size=1, max_size=3), max_size=80))
def test_the_history_has_the_latest_statement_first_and_each_once(texts: list[str]) -> None:
    history: list[str] = []
    for text in texts:
        history = with_statement(history, text)
        assert history[0] == text.strip() and len(set(history)) == len(history) <= 50
