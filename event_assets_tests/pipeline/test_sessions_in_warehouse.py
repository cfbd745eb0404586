"""Sessions that grow, join and get to know their user, as the warehouse shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.visits import Visits

pytestmark = pytest.mark.slow

[FCT_SESSIONS] = [table for table in WAREHOUSE_TABLES if table.name == "fct_sessions"]


class Shown:
    """Sessions of a lake, and the warehouse that they are loaded into after each change."""

    def __init__(self, visits: Visits, url: str) -> None:
        self.visits = visits
        self.url = url
        self.warehouse = Warehouse(PostgresDialect(LakeFiles()), url)

    def after(self, *came: dict[str, Any]) -> list[tuple[Any, ...]]:
        """(id, date, events, page views, stitched user, person) of each session once these events came."""
        self.visits.change(list(came))
        self.visits.run()
        load_step(self.visits.lake, self.warehouse, FCT_SESSIONS, EVERYTHING)
        columns = "session_id, event_date::text, events, page_views, stitched_user_id, person_id"
        with psycopg.connect(self.url) as session:
            return session.execute(f"SELECT {columns} FROM analytics.fct_sessions ORDER BY start_at").fetchall()


@pytest.fixture
def shown(spark: SparkSession, tmp_path: Path, warehouse_url: str) -> Shown:
    return Shown(Visits(spark, tmp_path), warehouse_url)


def test_a_session_that_grows_past_midnight_keeps_its_id_and_its_date(shown: Shown) -> None:
    [before] = shown.after(enriched_event(when=at(minutes=700), page_view_id="p1"))
    [after] = shown.after(enriched_event(when=at(minutes=725), page_view_id="p2"))
    assert after[:4] == (before[0], "2026-03-02", 2, 2)


def test_a_late_event_that_joins_two_sessions_makes_one_with_the_id_of_the_first(shown: Shown) -> None:
    first, second = shown.after(
        enriched_event(when=at(minutes=700), page_view_id="p1"),
        enriched_event(when=at(minutes=740), page_view_id="p2"),
    )
    assert (first[1], second[1]) == ("2026-03-02", "2026-03-03")
    [one] = shown.after(enriched_event(when=at(minutes=720), page_view_id="p3"))
    assert one[:4] == (first[0], "2026-03-02", 3, 3)


def test_a_session_of_last_month_shows_the_user_who_signs_in_today(shown: Shown) -> None:
    assert [row[4:] for row in shown.after(enriched_event(), enriched_event(when=at(1), anonymous_id="b"))] == [
        ("a1", "a1"),
        ("b", "b"),
    ]
    rows = shown.after(enriched_event("identify", at(days=31), anonymous_id="b", user_id="u"))
    assert [row[4:] for row in rows] == [("a1", "a1"), ("u", "b")]
