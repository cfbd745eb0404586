"""Tables about things, made whole by an engine or in part: where their rows lie then."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.lake import clusters, table
from event_assets.lake.clusters import is_in_order
from event_assets.lake.progress import Progress
from event_assets.lake.table import LakeTable
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.warehouse.lake import row

ROWS = 3_000


def people(work: Work, rows: int = ROWS) -> Result:
    told = row(USER_TRAITS)
    named = F.sha2(F.col("id").cast("string"), 256).alias("person_id")
    rest = (F.lit(told[name]).alias(name) for name in USER_TRAITS.column_names if name != "person_id")
    return Result(work.spark.range(rows).repartition(7).select(named, *rest))


def bounds_of(traits: LakeTable) -> list[tuple[str, str]]:
    return sorted((str(file.low["person_id"]), str(file.high["person_id"])) for file in traits.snapshot().files)


@pytest.mark.parametrize("small", [100_000, 100], ids=["one writer", "many writers"])
def test_what_an_engine_made_whole_lies_in_order(
    spark_engine: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(clusters, "MOST_ROWS", 250)
    monkeypatch.setattr(table, "_SMALL_BATCH", small)
    pipeline = Pipeline(spark_engine, tmp_path)
    traits = pipeline.lake.table(USER_TRAITS.name)
    how = KeyedRefresh(USER_TRAITS, (), "1", people)
    for rebuild in (False, True):
        refresh_keys(replace(pipeline.refresh(), rebuild=rebuild), how)
        bounds = bounds_of(traits)
        assert traits.snapshot().rows == ROWS and len(bounds) >= ROWS // 250
        assert all(one[1] <= other[0] for one, other in pairwise(bounds))
    kept = {file.path for file in traits.snapshot().files}
    on_disk = {
        str(path.relative_to(tmp_path / "lake" / "user_traits")) for path in tmp_path.rglob("user_traits/**/*.parquet")
    }
    assert len(on_disk) == 2 * len(kept) and kept < on_disk, "what the engine wrote is not left behind"
    assert not [*tmp_path.rglob("scratch/*")]


def test_of_what_lies_in_order_only_files_are_read_that_may_hold_one_of_the_keys(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MOST_ROWS", 250)
    pipeline = Pipeline(spark, tmp_path)
    traits = pipeline.lake.table(USER_TRAITS.name)
    refresh_keys(pipeline.refresh(), KeyedRefresh(USER_TRAITS, (), "1", people))
    snapshot = traits.snapshot()
    keys = sorted(snapshot.arrow(columns=("person_id",))["person_id"].to_pylist())
    for wanted, files in (([keys[0], keys[1]], 1), ([keys[0], keys[-1], "nobody"], 2), (keys, len(snapshot.files))):
        work = Work(spark, snapshot, {USER_TRAITS.name: snapshot}, lambda *frames: frames[0])
        found = work.rows_of(USER_TRAITS, wanted).select("person_id").collect()
        assert sorted(row["person_id"] for row in found) == [key for key in wanted if key != "nobody"]
        assert len(work.scanned) == files


@pytest.mark.parametrize(("touched", "is_whole"), [(200, False), (1_400, False), (1_600, True)])
def test_however_many_are_touched_the_others_are_not_made_again_unless_they_are_the_minority(
    spark: SparkSession, tmp_path: Path, touched: int, is_whole: bool
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    sessions, traits = (pipeline.lake.table(spec.name) for spec in (SESSIONS, USER_TRAITS))

    def refresh(affected: int) -> StepReport:
        sessions.commit(sessions.snapshot(), Progress())
        keys = sorted(traits.snapshot().arrow(columns=("person_id",))["person_id"].to_pylist())[:affected]
        how = KeyedRefresh(USER_TRAITS, (SESSIONS,), "1", people, lambda work: keys, lambda work, keys: people(work))
        return refresh_keys(pipeline.refresh(), how)

    refresh(0)
    report = refresh(touched)
    assert report.new_rows == (ROWS if is_whole else touched) and traits.snapshot().rows == ROWS
    assert report.more.get("affected") == (None if is_whole else touched)


def test_a_table_from_before_it_was_in_order_is_made_whole_once(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, tmp_path)
    traits, sessions = (pipeline.lake.table(spec.name) for spec in (USER_TRAITS, SESSIONS))
    parts: list[list[str]] = []

    def part(work: Work, keys: list[str]) -> Result:
        parts.append(keys)
        return people(work, 0)

    def refresh() -> None:
        base = sessions.snapshot()
        sessions.commit(base, Progress())
        refresh_keys(pipeline.refresh(), KeyedRefresh(USER_TRAITS, (SESSIONS,), "1", people, lambda work: ["b"], part))

    names = [["a", "m"], ["b", "z"], ["c", "x"]]
    made = [
        pa.Table.from_pylist([row(USER_TRAITS, person_id=n) for n in some], USER_TRAITS.arrow_schema())
        for some in names
    ]
    files = [traits.stage_arrow(rows, str(number), {}) for number, rows in enumerate(made)]
    progress = Progress().with_consumed(SESSIONS.name, sessions.snapshot().consumed).with_code("1", (), ())
    traits.commit(traits.snapshot(), progress, add=files)
    assert not is_in_order(traits.snapshot())
    refresh()
    assert not parts and traits.snapshot().rows == ROWS and is_in_order(traits.snapshot())
    refresh()
    assert parts == [["b"]] and traits.snapshot().rows == ROWS
