"""The dashboards' benchmark opens every page over a warehouse in which each has something to show."""

from __future__ import annotations

import datetime as dt

import pytest

from benchmarks.dashboard_rows import fill
from benchmarks.dashboards import PAGES, measure
from event_assets.dashboards import rollups
from event_assets.dashboards.database import Database
from event_assets.dashboards.selection import Selection
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.postgres import new_database


def test_each_table_has_rows_and_sums_of_days_are_those_of_their_mart(postgres_url: str) -> None:
    url = new_database(postgres_url)
    Warehouse(PostgresDialect(LakeFiles()), url).ensure()
    assert [table for table, rows in fill(url, "analytics", 20_000).items() if not rows] == []
    source = Source(dashboard_of(Settings().dashboards), Database(url, "analytics"))
    asked, chosen = source.dashboard.source_of("sessions"), Selection()
    assert rollups.is_there(source, asked, chosen, chosen.span(dt.datetime.now(dt.UTC)))


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.browser
def test_every_page_is_timed() -> None:
    taken = measure(4_000)["milliseconds"]
    assert taken.keys() >= {*PAGES, "overview again", "overview 90d"}
    assert all(0 < each["frame"] <= each["first"] <= each["page"] for each in taken.values())
    assert all(0 < taken[name]["chart"] <= taken[name]["page"] for name in ("overview", "overview 90d", "retention"))
