"""clean_events and quarantined_events: raw records taken in a batch of files at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.pipeline import clean as step
from event_assets_tests.pipeline.pipeline import WITHOUT_ATTRIBUTION, Pipeline


def _line(number: int) -> bytes:
    return json.dumps({"event_id": f"e{number}", "event": "x", "platform": "web", "anonymous_id": "a"}).encode()


@pytest.mark.slow
def test_many_files_are_cleaned_batch_by_batch_into_one_commit(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "BYTES_PER_CORE", 1)
    pipeline = Pipeline(spark, tmp_path)
    for place in range(6):
        pipeline.put([_line(place), b"no event"], key=f"k{place}")
    pipeline.run(steps=WITHOUT_ATTRIBUTION)
    raw, clean = (pipeline.lake.table(name).snapshot() for name in ("raw_events", "clean_events"))
    assert len(clean.files) == len(raw.files) == 2
    assert clean.version == 1
    assert sorted(row["event_id"] for row in pipeline.rows("clean_events")) == [f"e{place}" for place in range(6)]
    assert [row["data"] for row in pipeline.rows("quarantined_events")] == [b"no event"] * 6
