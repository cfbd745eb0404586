"""A table of the lake that was deleted is made again from the others, and what is made of it notices."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.progress import Consumed, Progress
from event_assets.pipeline.load import behind, lake_totals, load_step
from event_assets.pipeline.pending_changes import REBUILD, pending_changes
from event_assets.pipeline.window import EVERYTHING
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow


def event(number: int, day: int, **fields: Any) -> bytes:
    at = f"2026-03-{day:02}T10:{number:02}:00Z"
    shown = {"event_id": f"e{number}", "event": "page_view", "anonymous_id": f"a{number % 3}", "platform": "web"}
    page = {"page_view_id": f"p{number}", "page": {"url": "https://shop.example/"}}
    return json.dumps({**shown, **page, "derived_at": at, "received_at": at, **fields}).encode()


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A lake with something in every table, made in three runs."""
    pipeline = Pipeline(spark, tmp_path_factory.mktemp("whole") / "home")
    pipeline.put([event(1, 1), event(2, 2), event(3, 2, event="identify", user_id="u"), event(2, 3), b"{"])
    pipeline.run()
    pipeline.put([event(4, 2), event(5, 4), event(1, 2, received_at="2026-03-01T09:00:00Z"), b"[]"])
    pipeline.run()
    pipeline.put([event(6, 1), event(5, 4), event(9, 4, event="purchase", properties={"revenue": 7})])
    pipeline.run()
    pipeline.stream.close()
    return pipeline


@pytest.mark.parametrize("table", [spec.name for spec in LAKE_TABLES])
def test_a_table_that_was_deleted_is_made_again_and_no_other_changes(
    table: str, whole: Pipeline, spark: SparkSession, tmp_path: Path
) -> None:
    shutil.copytree(whole.settings.home, tmp_path / "home")
    pipeline = Pipeline(spark, tmp_path / "home")
    shutil.rmtree(tmp_path / "home" / "lake" / table)
    pipeline.run()
    assert pipeline.pending() == {}
    assert pipeline.ledger() == whole.ledger()
    for spec in LAKE_TABLES:
        rows, before = pipeline.rows(spec.name), whole.rows(spec.name)
        if table == spec.name == EVENT_DAYS.name:  # made anew, it names no day any more on which something only was
            before = [row for row in before if row in rows]
        assert rows == before, spec.name
    pipeline.put([event(7, 1), event(2, 2)])
    pipeline.run()
    assert pipeline.ledger()["pending"] == 0
    assert len(pipeline.rows("enriched_events")) == len(whole.rows("enriched_events")) + 1


def test_the_warehouse_is_loaded_anew_from_a_table_that_was_deleted(
    whole: Pipeline, spark: SparkSession, postgres_url: str, tmp_path: Path
) -> None:
    shutil.copytree(whole.settings.home, tmp_path / "home")
    pipeline = Pipeline(spark, tmp_path / "home")
    warehouse = Warehouse(PostgresDialect(LakeFiles()), new_database(postgres_url))
    warehouse.ensure()
    for table in WAREHOUSE_TABLES:
        load_step(pipeline.lake, warehouse, table, EVERYTHING)
        shutil.rmtree(tmp_path / "home" / "lake" / table.lake.name)
    pipeline.run()
    pipeline.put([event(8, 1)])
    pipeline.run()
    for table in WAREHOUSE_TABLES:
        load_step(pipeline.lake, warehouse, table, EVERYTHING)
        lake_table = pipeline.lake.table(table.lake.name).snapshot()
        days = sorted(lake_table.dates()) if table.partition_by else None
        dates = None if days is None else [dt.date.fromisoformat(day) for day in days]
        standing = warehouse.counts_and_sums(table, dates)
        assert standing == lake_totals(lake_table, table, days), table.name
        assert behind(lake_table, warehouse, table).dates == {} or dates is None


def test_everything_is_outstanding_of_an_upstream_that_is_younger_than_what_was_taken_in(whole: Pipeline) -> None:
    events = whole.lake.table("enriched_events").snapshot()
    consumed = Progress({"enriched_events": Consumed(events.version + 1, {"2026-03-01": 0})})
    pending = pending_changes(events, consumed)
    assert pending.dates == dict.fromkeys(events.dates(), REBUILD)
    assert pending.appended_and_replaced(pending.dates) == ([], sorted(events.dates()))
    assert pending.after(pending.dates) == events.consumed
