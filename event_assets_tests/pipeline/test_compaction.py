"""Files that micro-batches leave are put together without a row, or anybody who follows, taking notice."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.maintenance import small_files
from event_assets.pipeline import compaction
from event_assets.pipeline.compaction import compact_new, taken_in
from event_assets.pipeline.raw_objects import put_back
from event_assets.pipeline.registry import refresh_all, steps_of
from event_assets.pipeline.run import GivenRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import row_of
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import Pipeline

pytestmark = pytest.mark.slow

WITHIN_SECONDS: list[Table] = [table for step in steps_of("seconds") for table in step.tables]


def come(pipeline: Pipeline, number: int) -> None:
    """A micro-batch: an event, and the tables that follow within seconds."""
    pipeline.put([json.dumps(event(event_id=f"e{number}", anonymous_id=f"a{number % 2}")).encode()])
    refresh_all(pipeline.refresh(), steps_of("seconds"))


def test_files_that_all_followers_have_are_put_together_and_nothing_is_made_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_FILES", 3)
    pipeline = Pipeline(spark, tmp_path)
    for number in range(4):
        come(pipeline, number)
    pipeline.run()
    before = {table.name: pipeline.rows(table.name) for table in WITHIN_SECONDS}
    come(pipeline, 4)
    come(pipeline, 5)
    enriched = pipeline.lake.table("enriched_events")
    files = enriched.snapshot().files
    waiting = {file.path for file in files} - taken_in(pipeline.lake, enriched.snapshot(), files)
    assert len(waiting) == 2

    fewer = {table.name: compact_new(pipeline.refresh(), table) for table in WITHIN_SECONDS}
    assert all(fewer[name] > 0 for name in ("raw_events", "clean_events", "event_ids", "enriched_events")), fewer
    assert waiting < {file.path for file in enriched.snapshot().files}
    after = {table.name: pipeline.rows(table.name) for table in WITHIN_SECONDS}
    assert all(row in after[name] for name, rows in before.items() for row in rows)

    since = {name: pipeline.lake.table(name).snapshot() for name in ("clean_events", "enriched_events")}
    come(pipeline, 6)
    pipeline.run()
    for name, then in since.items():
        now = pipeline.lake.table(name).snapshot()
        assert not any(commit.replaced for commit in now.changes_since(then.version).commits), name
    assert len(pipeline.rows("enriched_events")) == 7 and pipeline.ledger()["pending"] == 0
    assert sum(row["events"] for row in pipeline.rows("sessions")) == 7


@examples(4)
@example(batches=[[day, (day + 1) % 8, (day + 2) % 8] for day in range(8)] * 2)
@given(batches=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=6, unique=True), min_size=8, max_size=20))
def test_however_late_events_are_spread_the_files_stay_bounded_and_the_rows_the_same(
    spark: SparkSession, batches: list[list[int]]
) -> None:
    """Each micro-batch leaves a file on each of some days."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "MOST_FILES", 6)
        patch.setattr(compaction, "MOST_SPARE", 9)
        pipeline = Pipeline(spark, Path(folder))
        table = pipeline.lake.table(ENRICHED_EVENTS.name)
        for number, days in enumerate(batches):
            rows = [row_of(ENRICHED_EVENTS, event_id=f"{number}-{day}", event_date=date(day)) for day in days]
            files = [
                table.stage_arrow(
                    pa.Table.from_pylist([row], ENRICHED_EVENTS.arrow_schema()),
                    row["event_id"],
                    {"event_date": str(row["event_date"])},
                )
                for row in rows
            ]
            base = table.snapshot()
            table.commit(base, base.progress, add=files)
            compact_new(pipeline.refresh(), ENRICHED_EVENTS)
            by_day = small_files(table.snapshot().files)
            assert all(len(small) < 6 for small in by_day.values())
            assert sum(len(small) - 1 for small in by_day.values()) <= 9
        ids = sorted(table.snapshot().arrow(columns=("event_id",))["event_id"].to_pylist())
        assert ids == sorted(f"{number}-{day}" for number, days in enumerate(batches) for day in days)
        assert {file.partition["event_date"] for file in table.snapshot().files} == {
            str(date(day)) for days in batches for day in days
        }


def date(day: int) -> dt.date:
    return dt.date(2026, 3, 1) + dt.timedelta(days=day)


def test_raw_records_that_were_put_together_can_be_put_back_from_the_stream(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_FILES", 3)
    pipeline = Pipeline(spark, tmp_path)
    for number in range(4):
        come(pipeline, number)
    raw = pipeline.lake.table("raw_events")
    rows = pipeline.rows("raw_events")
    assert compact_new(pipeline.refresh(), raw.spec) == 3
    [file] = raw.snapshot().files
    place = Path(pipeline.lake.storage.path(f"raw_events/{file.path}"))
    place.write_bytes(b"damaged")
    assert "was written again from the stream: 4 records" in put_back(pipeline.stream, raw, file)
    assert pipeline.rows("raw_events") == rows


def test_raw_objects_are_put_together_up_to_the_size_that_is_set(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_FILES", 3)
    pipeline = Pipeline(spark, tmp_path)
    for number in range(4):
        come(pipeline, number)
    raw, rows = pipeline.lake.table("raw_events"), pipeline.rows("raw_events")
    largest = max(file.size for file in raw.snapshot().files)

    def put_together(full: float) -> int:
        run = pipeline.refresh()
        assert isinstance(run.rules, GivenRules)
        return compact_new(replace(run, rules=replace(run.rules, raw_object_bytes=round(full))), raw.spec)

    assert put_together(1.5 * largest) == 0, "none is small"
    assert put_together(2.5 * largest) == 1, "two make a full one; of the two that are left there are too few"
    assert pipeline.rows("raw_events") == rows and len(raw.snapshot().files) == 3
