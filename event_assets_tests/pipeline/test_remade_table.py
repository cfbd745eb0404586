"""A table of the lake that was deleted and made again with other rows is noticed by all that is made of it, also where
it has come to the same version."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.sessions import EVENT_DAYS, SESSION_ISSUES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import behind, lake_totals, load_step, loaded_version
from event_assets.pipeline.pending_changes import REBUILD, pending_changes
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.rules.analysis import Analyses, Lifecycle
from event_assets.transforms.events.clean import CleanRules
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow

DAILY = Analyses((Lifecycle(name="daily", period="day"),))


def event(number: int, day: int, **fields: Any) -> bytes:
    at = f"2026-03-{day:02}T10:{number:02}:00Z"
    shown = {"event_id": f"e{number}", "event": "page_view", "anonymous_id": f"a{number % 3}", "platform": "web"}
    page = {"page_view_id": f"p{number}", "page": {"url": "https://shop.example/"}}
    return json.dumps({**shown, **page, "derived_at": at, "received_at": at, **fields}).encode()


def lake_of(spark: SparkSession, folder: Path, first_day: int, user: str, revenue: int, *more: bytes) -> Pipeline:
    """Something in every table, made in two runs: of two neighbouring days, a user and a purchase."""
    pipeline = Pipeline(spark, folder, analyses=DAILY)
    visit = {"anonymous_id": "b", "session_id": "s"}
    robot = {"device": {"user_agent": "Googlebot/2.1"}} if more else {}
    pipeline.put(
        [
            event(1, first_day),
            event(5, first_day, **robot),
            event(2, first_day + 1),
            event(3, first_day, user_id=user),
            b"{",
            *more,
        ]
    )
    pipeline.put([event(8, first_day, event="click", **visit), event(9, first_day, **visit)])
    pipeline.run()
    traits = {"event": "identify", "user_id": user, "traits": {"plan": user}}
    bought = {"event": "purchase", "properties": {"revenue": revenue}}
    pipeline.put([event(2, first_day + 1), event(4, first_day, **traits), event(6, first_day + 1, **bought), b"["])
    pipeline.run()
    pipeline.stream.close()
    return pipeline


@pytest.fixture(scope="module")
def here(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return lake_of(spark, tmp_path_factory.mktemp("here"), 3, "ute", 7)


@pytest.fixture(scope="module")
def there(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return lake_of(
        spark,
        tmp_path_factory.mktemp("there"),
        4,
        "uwe",
        8,
        event(11, 4, event="identify", user_id="uwe"),
        event(10, 5, anonymous_id="b"),
        b"}",
    )


class Remade:
    """A copy of a lake, in which tables are put in the place of others of the same name."""

    def __init__(self, whole: Pipeline, folder: Path) -> None:
        self.spark = whole.spark
        self.folder = folder / "lake"
        shutil.copytree(whole.settings.home / "lake", self.folder)
        self.lake = Lake(Storage(str(self.folder)))
        self.rules = GivenRules(CleanRules(whole.plan, whole.settings.first_day), analyses=DAILY)
        self.stream = whole.stream

    def take(self, table: str, other: Pipeline) -> None:
        version = self.lake.table(table).snapshot().version
        self.delete(table)
        if other.lake.table(table).exists():
            shutil.copytree(other.settings.home / "lake" / table, self.folder / table)
        assert self.lake.table(table).snapshot().version == version

    def delete(self, table: str) -> None:
        shutil.rmtree(self.folder / table)

    def run(self, table: str, window: Window = EVERYTHING) -> None:
        """The step that makes the table."""
        run = Run.on(self.stream, self.lake, self.spark, self.rules, window)
        refresh_all(run, [step for step in STEPS if table in {spec.name for spec in step.tables}])

    def rows(self, table: str) -> list[str]:
        return sorted(map(str, self.lake.table(table).snapshot().arrow().to_pylist()))


@pytest.mark.parametrize("table", [spec.name for spec in LAKE_TABLES])
def test_a_table_remembers_the_id_of_each_table_that_it_is_made_of(table: str, here: Pipeline) -> None:
    """What every step below follows by."""
    sources = here.lake.table(table).snapshot().progress.upstreams
    known = {spec.name for spec in LAKE_TABLES}
    consumed = {name.rpartition("/")[2]: source for name, source in sources.items()}
    assert consumed.keys() <= known
    for name, source in consumed.items():
        assert replace(source, pending={}) == here.lake.table(name).snapshot().consumed, name


@pytest.mark.parametrize(
    ("upstream", "table"),
    [
        ("raw_events", "clean_events"),
        ("raw_events", "quarantined_events"),
        ("clean_events", "enriched_events"),
        ("duplicate_events", "enriched_events"),
        ("enriched_events", "identities"),
        ("enriched_events", "sessions"),
        ("enriched_events", "page_views"),
        ("identities", "sessions"),
        ("sessions", "visitors"),
        ("identities", "users"),
        ("users", "user_segments"),
        ("page_views", "touches"),
        ("conversions", "conversion_paths"),
        ("conversion_paths", "attribution"),
        ("enriched_events", "daily_metrics"),
        ("sessions", "daily_metrics"),
        ("page_views", "daily_metrics"),
        ("enriched_events", "lifecycle"),
        ("identities", "lifecycle"),
    ],
)
def test_what_is_made_of_a_table_follows_another_of_the_same_version(
    upstream: str, table: str, here: Pipeline, there: Pipeline, tmp_path: Path
) -> None:
    remade = Remade(here, tmp_path)
    remade.take(upstream, there)
    remade.run(table)
    [made] = [{spec.name for spec in step.tables} for step in STEPS if table in {spec.name for spec in step.tables}]
    made &= {path.name for path in remade.folder.iterdir()}
    made -= {EVENT_DAYS.name}  # may name a day too many
    followed = {name: remade.rows(name) for name in made}
    for name in made:
        remade.delete(name)
    remade.run(table)
    assert followed == {name: remade.rows(name) for name in made}


def test_the_books_follow_when_all_tables_that_they_are_of_are_others(
    here: Pipeline, there: Pipeline, tmp_path: Path
) -> None:
    remade = Remade(here, tmp_path)
    for table in ("raw_events", "clean_events", "quarantined_events", "duplicate_events", "enriched_events"):
        remade.take(table, there)
    remade.run("event_ledger", Window(dt.date(2026, 1, 1), dt.date(2026, 1, 1)))
    assert remade.rows("event_ledger") == sorted(map(str, there.rows("event_ledger")))
    assert remade.rows("event_ledger") != sorted(map(str, here.rows("event_ledger")))


@pytest.mark.parametrize(("upstream", "table"), [("clean_events", "enriched_events"), ("sessions", "daily_metrics")])
def test_day_after_day_nothing_of_the_table_that_is_no_more_stays(
    upstream: str, table: str, here: Pipeline, there: Pipeline, tmp_path: Path
) -> None:
    remade = Remade(here, tmp_path)
    remade.take(upstream, there)
    for day in (5, 4, 3):
        remade.run(table, Window(dt.date(2026, 3, day), dt.date(2026, 3, day)))
    followed = remade.rows(table)
    remade.delete(table)
    remade.run(table)
    assert followed == remade.rows(table)


def test_what_was_cleaned_stays_where_raw_events_has_nothing_of_the_day_any_more(
    here: Pipeline, tmp_path: Path
) -> None:
    remade = Remade(here, tmp_path)
    before = remade.rows("clean_events")
    remade.delete("raw_events")
    remade.run("clean_events")
    assert remade.rows("clean_events") == before


def test_a_table_that_was_taken_in_without_its_id_is_the_same_as_long_as_it_has_the_version(here: Pipeline) -> None:
    events = here.lake.table("enriched_events").snapshot()
    assert pending_changes(events, Progress({"enriched_events": Consumed(events.version)})).dates == {}
    other = Progress({"enriched_events": Consumed(events.version, {}, "another")})
    assert pending_changes(events, other, lambda: ["2026-03-09"]).dates == dict.fromkeys(
        {*events.dates(), "2026-03-09"}, REBUILD
    )


def test_the_warehouse_is_loaded_anew_from_another_table_of_the_same_version(
    here: Pipeline, there: Pipeline, postgres_url: str, tmp_path: Path
) -> None:
    remade = Remade(here, tmp_path)
    warehouse = Warehouse(PostgresDialect(LakeFiles()), new_database(postgres_url))
    warehouse.ensure()
    for table in WAREHOUSE_TABLES:
        load_step(remade.lake, warehouse, table, EVERYTHING)
    for table in WAREHOUSE_TABLES:
        loaded = remade.lake.table(table.lake.name).snapshot()
        remade.take(table.lake.name, there)
        lake_table = remade.lake.table(table.lake.name).snapshot()
        if not table.partition_by:
            assert loaded_version(lake_table, warehouse, table) is None
            load_step(remade.lake, warehouse, table, EVERYTHING)
            assert warehouse.counts_and_sums(table, None) == lake_totals(lake_table, table, None)
            assert loaded_version(lake_table, warehouse, table) == lake_table.version
            continue
        days = sorted(loaded.dates() | lake_table.dates())
        assert days == ["2026-03-03", "2026-03-04", "2026-03-05"] or table.lake is SESSION_ISSUES
        assert behind(lake_table, warehouse, table).dates == dict.fromkeys(days, REBUILD)
        for day in map(dt.date.fromisoformat, days):
            load_step(remade.lake, warehouse, table, Window(day, day))
        standing = warehouse.counts_and_sums(table, [dt.date.fromisoformat(day) for day in days])
        assert standing == lake_totals(lake_table, table, days), table.name
        assert behind(lake_table, warehouse, table).dates == {}
