"""Copies of an event are found however old the first is and however its id looks, without reading the whole index."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.util import hash_array
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import EVENT_IDS
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline import enrich, known_ids
from event_assets.pipeline.known_ids import that_may_hold
from event_assets.pipeline.registry import refresh_all, steps_of
from event_assets_tests.modelling import event
from event_assets_tests.pipeline.pipeline import Pipeline

pytestmark = pytest.mark.slow


def sent(pipeline: Pipeline, ids: list[str]) -> None:
    pipeline.put([json.dumps(event(event_id=name)).encode() for name in ids])
    refresh_all(pipeline.refresh(), steps_of("seconds"))


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """By batch, the files that are read for it."""
    found: list[list[str]] = []

    def noted(ids: Snapshot, files: list[LakeFile], new: list[LakeFile]) -> list[LakeFile]:
        files = that_may_hold(ids, files, new)
        found.append([file.path for file in files])
        return files

    monkeypatch.setattr("event_assets.pipeline.enrich.that_may_hold", noted)
    return found


def test_a_copy_is_found_by_fingerprint_and_only_its_file_is_read(
    spark: SparkSession, tmp_path: Path, searched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    reading = known_ids._read

    def read_once(ids: Snapshot, file: LakeFile, column: str) -> known_ids.Fingerprints:
        read.append(file.path)
        return reading(ids, file, column)

    monkeypatch.setattr(known_ids, "_read", read_once)
    pipeline = Pipeline(spark, tmp_path)
    batches = [[str(uuid.uuid4()) for _ in range(4)] for _ in range(4)]
    for batch in batches:
        sent(pipeline, batch)
    sent(pipeline, [batches[1][2], str(uuid.uuid4())])
    assert [len(files) for files in searched] == [0, 0, 0, 0, 1]
    assert [row["event_id"] for row in pipeline.rows("duplicate_events")] == [batches[1][2]]
    assert len(pipeline.rows("enriched_events")) == 17
    files = {file.path for file in pipeline.lake.table(EVENT_IDS.name).snapshot().files}
    assert len(files) == 5 and all(read.count(path) == 1 for path in files)


@given(st.lists(st.text(max_size=5), max_size=20), st.lists(st.text(max_size=5), max_size=20))
def test_two_files_share_an_id_where_they_share_a_fingerprint(one: list[str], other: list[str]) -> None:
    known, wanted = (np.sort(hash_array(np.array(ids, dtype=object), categorize=False)) for ids in (one, other))
    assert known_ids._share(known, wanted) == bool({*one} & {*other})


@given(st.lists(st.text(max_size=2), max_size=10))
def test_an_id_that_stands_twice_has_a_fingerprint_that_does(ids: list[str]) -> None:
    assert known_ids._repeats(hash_array(np.array(ids, dtype=object), categorize=False)) == (len({*ids}) < len(ids))


def test_no_engine_looks_for_copies_where_no_fingerprint_comes_twice(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    listing = enrich._list_duplicates

    def noted(*given: Any) -> None:
        asked.append(1)
        listing(*given)

    monkeypatch.setattr(enrich, "_list_duplicates", noted)
    pipeline, (one, other, third) = Pipeline(spark, tmp_path), [str(uuid.uuid4()) for _ in range(3)]
    for batch, times in (([one, other], 0), ([third], 0), ([third, third], 1), ([], 1)):
        sent(pipeline, batch)
        assert len(asked) == times, batch
    twice = str(uuid.uuid4())
    sent(pipeline, [twice, twice])
    assert len(asked) == 2
    assert Counter(row["event_id"] for row in pipeline.rows("duplicate_events")) == {third: 2, twice: 1}
    assert len(pipeline.rows("enriched_events")) == 4
