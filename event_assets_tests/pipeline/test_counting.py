"""The same order counts once in every table, on whatever day, in whatever session and however late it is sent again."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.attribution import CONVERSIONS
from event_assets.contract.tables.events import CONVERSION_IDS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_METRICS, DAILY_SESSIONS, HOURLY_EVENTS
from event_assets.contract.tables.people import USER_TRAITS, USERS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.pipeline.pending_days import BY_EVENT_DATE, pending
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.factories import NOON, at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.visits import EventsInALake

pytestmark = pytest.mark.slow

Row = dict[str, Any]
EARNING = (SESSIONS, USERS, DAILY_METRICS, DAILY_SESSIONS, DAILY_EVENTS, HOURLY_EVENTS, CONVERSIONS)


class Shop(EventsInALake):
    """Enriched events, and the tables that add up revenue."""

    def run(self, window: Window = EVERYTHING, rules: SessionRules = SessionRules()) -> None:
        """Brings everything up to date."""
        made = {table.name for table in (CONVERSION_IDS, IDENTITIES, USER_TRAITS, *EARNING)}
        now = a_run(self.lake, self.spark, window, sessions=rules)
        refresh_all(now, [step for step in STEPS if made.intersection(table.name for table in step.tables)])

    def rows(self, table: str) -> list[Row]:
        rows = self.lake.table(table).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: [str(value) for value in row.values()])

    def revenue(self) -> dict[str, float]:
        """What each table says that was earned."""
        return {table.name: sum(row["revenue"] for row in self.rows(table.name)) for table in EARNING}

    def behind(self) -> list[str]:
        """Days that are still to be counted anew."""
        return list(pending(self.lake, [edge for edge in BY_EVENT_DATE if edge[0] == CONVERSION_IDS.name]).days)


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path / "lake")


def _all(earned: float) -> dict[str, float]:
    return {table.name: earned for table in EARNING}


def purchase(event_id: str, days: float, device: str, revenue: float, order: str | None = "o") -> Row:
    said = json.dumps({"order_id": order, "revenue": revenue})
    return enriched_event("purchase", at(days=days), event_id=event_id, anonymous_id=device, properties=said)


def test_the_first_that_tells_of_an_order_counts_whichever_comes_or_goes_first(
    shop: Shop, spark: SparkSession, tmp_path: Path
) -> None:
    middle, late, early = purchase("m", 3, "a1", 20), purchase("l", 9, "a2", 40), purchase("e", 1, "a3", 10)
    came: list[Row]
    for came, went, earned in (
        ([middle, purchase("x", 3, "a1", 0.5, "another")], [], 20.5),
        ([late], [], 20.5),
        ([early], [], 10.5),
        ([], [early], 20.5),
        ([early], [middle], 10.5),
    ):
        shop.change(came, went)
        shop.run()
        assert shop.revenue() == _all(earned)
        assert shop.behind() == []
    once = Shop(spark, tmp_path / "once")
    once.change(shop.events)
    once.run()
    for table in (CONVERSION_IDS, *EARNING):
        assert shop.rows(table.name) == once.rows(table.name), table.name


def test_a_day_that_a_run_leaves_out_is_behind_until_it_is_counted_anew(shop: Shop) -> None:
    shop.change([purchase("m", 3, "a1", 20)])
    shop.run()
    shop.change([purchase("e", 1, "a3", 10)])
    first, later = (NOON.date() + dt.timedelta(days=days) for days in (1, 3))
    shop.run(Window(first, first))
    assert shop.behind() == [str(later)]
    shop.run()
    assert shop.behind() == [] and shop.revenue() == _all(10)


def test_without_a_property_every_event_counts_and_with_it_each_order_once(shop: Shop) -> None:
    shop.change([purchase("m", 3, "a1", 20), purchase("l", 9, "a2", 40)])
    for rules, earned in ((SessionRules(), 20), (SessionRules(conversion_ids=()), 60), (SessionRules(), 20)):
        shop.run(rules=rules)
        assert shop.revenue() == _all(earned)


def test_what_comes_lies_beside_and_only_files_with_a_row_that_becomes_another_are_written_again(shop: Shop) -> None:
    def files() -> set[str]:
        return {file.path for file in shop.lake.table(CONVERSION_IDS.name).snapshot().files}

    shop.change([purchase("m", 3, "a1", 20)])
    shop.run()
    first = files()
    shop.change([purchase("n", 4, "a1", 20, "another"), purchase("l", 9, "a2", 40)])
    shop.run()
    second = files()
    assert len(second) == 2 and first < second
    shop.change([purchase("e", 1, "a3", 10, "another")])
    shop.run()
    third = files()
    assert first < third and not third & (second - first), "the earlier one counts in the place of what came second"
    assert {row["event_id"] for row in shop.rows(CONVERSION_IDS.name) if row["is_repeated"]} == {"l", "n"}
    assert shop.behind() == [] and shop.revenue() == _all(30)


def test_events_that_tell_of_no_order_leave_the_index_as_it_is(shop: Shop) -> None:
    shop.change([purchase("m", 3, "a1", 20)])
    shop.run()
    files = shop.lake.table(CONVERSION_IDS.name).snapshot().files
    shop.change([enriched_event(), purchase("n", 4, "a1", 20, None)])
    shop.run()
    assert shop.lake.table(CONVERSION_IDS.name).snapshot().files == files
