"""What sessions, views and days are grouped by."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.dimensions import CAMPAIGNS, DATES, DEVICES, PAGES, PLACES
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.metrics.dimensions import campaigns, dates, devices, pages, places
from event_assets_tests.factories import at, enriched_event, frame, row_of, rows_of

Row = dict[str, Any]
SESSION = {"platform": "web", "source": "google", "medium": "cpc", "campaign": None, "channel_group": "Paid Search"}


def key(*values: str) -> str:
    return hashlib.md5("".join(f"{len(value)}:{value}" for value in values).encode()).hexdigest()


def session(**fields: Any) -> Row:
    return row_of(SESSIONS) | {"device_type": "mobile", "os": "iOS", "browser": None, **SESSION, **fields}


def view(number: int, **fields: Any) -> Row:
    of_view = {"page_view_id": f"p{number}", "start_at": at(number), "kind": "page", "screen_name": None}
    return row_of(PAGE_VIEWS) | of_view | fields


def test_a_combination_is_there_once_and_its_key_follows_from_it(spark: SparkSession) -> None:
    rows = frame(spark, [session(), session(session_id="2"), session(session_id="3", source=None)], SESSIONS)
    none, google = rows_of(campaigns(rows).orderBy("source"))
    assert tuple(google) == CAMPAIGNS.column_names
    assert google["campaign_key"] == key("google", "cpc", "(none)", "Paid Search")
    assert (none["source"], none["campaign"]) == ("(none)", "(none)")
    [device] = rows_of(devices(rows))
    assert tuple(device) == DEVICES.column_names
    assert device == {
        "device_key": key("mobile", "iOS", "(none)", "web"),
        "device_type": "mobile",
        "os": "iOS",
        "browser": "(none)",
        "platform": "web",
    }


def test_a_page_has_the_title_of_its_last_view_that_has_one(spark: SparkSession) -> None:
    seen = [
        view(1, path="/blog/a", title="Old"),
        view(2, path="/blog/a", title="New"),
        view(3, path="/blog/a", title=None),
        view(4, path="/", title="Home"),
        view(5, path=None, kind="screen", screen_name="/no/path", title=None),
        view(6, path=None, kind=None, title=None),
    ]
    rows = rows_of(pages(frame(spark, seen, PAGE_VIEWS)))
    assert tuple(rows[0]) == PAGES.column_names
    found = {(row["kind"], row["page"]): (row["section"], row["title"], row["page_key"]) for row in rows}
    assert found == {
        ("page", "/blog/a"): ("/blog", "New", key("page", "/blog/a")),
        ("page", "/"): ("/", "Home", key("page", "/")),
        ("screen", "/no/path"): ("/no/path", None, key("screen", "/no/path")),
        ("(none)", "(none)"): ("(none)", None, key("(none)", "(none)")),
    }


def test_a_country_its_regions_and_their_cities_are_rows_of_their_own(spark: SparkSession) -> None:
    events = [
        enriched_event(country="DE", region="Bavaria", city="Munich"),
        enriched_event(country="DE", region="Bavaria", city=None),
        enriched_event(country="DE", region=None, city="Ulm"),
        enriched_event(country=None, region=None, city=None),
    ]
    rows = rows_of(places(frame(spark, events)))
    assert tuple(rows[0]) == PLACES.column_names
    assert {tuple(row[name] for name in ("level", "country", "region", "city")) for row in rows} == {
        ("country", "DE", "(none)", "(none)"),
        ("region", "DE", "Bavaria", "(none)"),
        ("city", "DE", "Bavaria", "Munich"),
        ("city", "DE", "(none)", "Ulm"),
        ("country", "(none)", "(none)", "(none)"),
    }
    assert len({row["geo_key"] for row in rows}) == len(rows) == 5
    assert key("DE", "(none)", "(none)") in {row["geo_key"] for row in rows}


def test_the_calendar_is_the_one_of_python(spark: SparkSession) -> None:
    rows = rows_of(dates(spark, dt.date(2025, 1, 1), dt.date(2026, 12, 30)))
    assert tuple(rows[0]) == DATES.column_names
    assert [row["date"] for row in rows] == [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(366 + 365 + 365)]
    for row in rows:
        day: dt.date = row["date"]
        year, week, weekday = day.isocalendar()
        assert (row["week_year"], row["week"], row["day_of_week"], row["is_weekend"]) == (
            *(year, week, weekday),
            weekday > 5,
        )
        assert (row["year"], row["month"], row["day"], row["quarter"]) == (
            *(day.year, day.month, day.day),
            (day.month + 2) // 3,
        )
        assert (row["week_start"], row["month_start"]) == (
            day - dt.timedelta(days=weekday - 1),
            day.replace(day=1),
        )
    assert rows_of(dates(spark, dt.date(2026, 12, 31), dt.date(2026, 12, 31)))[-1]["date"] == dt.date(2027, 12, 31)
