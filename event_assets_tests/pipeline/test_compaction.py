"""Files that micro-batches leave are put together without a row, or anybody who follows, taking notice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.schema import Table
from event_assets.pipeline import compaction
from event_assets.pipeline.compaction import compact_new, taken_in
from event_assets.pipeline.land import put_back
from event_assets.pipeline.registry import refresh_all, steps_of
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
    waiting = {file.path for file in enriched.snapshot().files} - taken_in(pipeline.lake, enriched.snapshot())
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
