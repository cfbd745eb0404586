"""One Delta table: commits are atomic, conditional and carry what is in them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence

import pytest
from pyspark.sql import DataFrame, SparkSession

from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import compact, vacuum
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.table import CommitConflict, LakeTable, retry_on_conflict


def metrics(spark: SparkSession, table: LakeTable, days: Sequence[int], events: int = 1) -> DataFrame:
    dates = [dt.date(2026, 1, day) for day in days]
    rows = [(date, date, "web", events, 1, 1, 1, 1, 1, 1, 1, 1, 1.0) for date in dates]
    return spark.createDataFrame(rows, table.spec.spark_schema())


def append(spark: SparkSession, table: LakeTable, days: Sequence[int], events: int = 1) -> int:
    base = table.snapshot()
    return table.commit(base, base.progress, add=table.stage(metrics(spark, table, days, events), len(days), len(days)))


@pytest.fixture
def table(lake: Lake) -> LakeTable:
    return lake.table("daily_metrics")


def test_a_new_table_is_empty_and_has_taken_in_nothing(spark: SparkSession, table: LakeTable) -> None:
    snapshot = table.snapshot()
    assert (snapshot.rows, snapshot.files, snapshot.progress) == (0, [], Progress())
    assert snapshot.read(spark).count() == 0


def test_what_is_staged_is_not_visible_until_it_is_committed(spark: SparkSession, table: LakeTable) -> None:
    base = table.snapshot()
    staged = table.stage(metrics(spark, table, [1, 2]), 2, 2)
    assert table.snapshot().rows == 0
    table.commit(base, Progress(), add=staged)
    assert table.snapshot().rows == 2
    assert table.snapshot().dates() == {"2026-01-01", "2026-01-02"}


def test_rows_come_back_as_they_were_written(spark: SparkSession, table: LakeTable) -> None:
    append(spark, table, [1, 2], events=7)
    rows = table.snapshot().read(spark).orderBy("event_date").collect()
    assert [(row["event_date"], row["events"]) for row in rows] == [(dt.date(2026, 1, 1), 7), (dt.date(2026, 1, 2), 7)]


def test_progress_is_committed_with_the_rows(spark: SparkSession, table: LakeTable) -> None:
    base = table.snapshot()
    progress = Progress(
        upstreams={"sessions": Consumed(4, {"2026-01-01": 2})},
        code="3",
        outdated=frozenset({"2026-01-01"}),
        positions={"events": {"s": {"after": "1", "ended": False, "seen_at": None}}},
    )
    table.commit(base, progress, add=table.stage(metrics(spark, table, [1]), 1, 1))
    assert table.snapshot().progress == progress


def test_a_commit_that_comes_second_is_refused(spark: SparkSession, table: LakeTable) -> None:
    base = table.snapshot()
    table.commit(base, Progress(), add=table.stage(metrics(spark, table, [1]), 1, 1))
    with pytest.raises(CommitConflict, match="daily_metrics"):
        table.commit(base, Progress(), add=table.stage(metrics(spark, table, [1]), 1, 1))
    assert table.snapshot().rows == 1


def test_writers_at_once_lose_and_double_nothing(spark: SparkSession, table: LakeTable) -> None:
    table.snapshot()
    staged = [table.stage(metrics(spark, table, [day]), 1, 1) for day in range(1, 7)]

    def write(day: int) -> None:
        retry_on_conflict(lambda: table.commit(table.snapshot(), Progress(), add=staged[day]), attempts=20)

    writers = [threading.Thread(target=write, args=(day,)) for day in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(str(row["event_date"]) for row in table.snapshot().read(spark).collect()) == [
        f"2026-01-{day:02}" for day in range(1, 7)
    ]


def test_replacing_a_date_leaves_the_others(spark: SparkSession, table: LakeTable) -> None:
    append(spark, table, [1, 2])
    base = table.snapshot()
    staged = table.stage(metrics(spark, table, [1], events=9), 1, 1)
    table.commit(base, base.progress, add=staged, remove=base.of_dates(["2026-01-01"]))
    rows = {str(row["event_date"]): row["events"] for row in table.snapshot().read(spark).collect()}
    assert rows == {"2026-01-01": 9, "2026-01-02": 1}


def test_a_reader_of_an_older_version_still_sees_it(spark: SparkSession, table: LakeTable) -> None:
    append(spark, table, [1])
    before = table.snapshot()
    table.commit(before, before.progress, remove=before.files)
    assert before.read(spark).count() == 1
    assert table.at(before.version).rows == 1
    assert table.snapshot().rows == 0


def test_changes_tell_which_dates_grew_and_which_lost_rows(spark: SparkSession, table: LakeTable) -> None:
    first = append(spark, table, [1, 2])
    base = table.snapshot()
    table.commit(base, base.progress, remove=base.of_dates(["2026-01-02"]))
    changes = table.snapshot().changes_since(first - 1)
    assert changes.known
    assert [commit.affected for commit in changes.commits] == [{"2026-01-01": 1, "2026-01-02": 1}, {"2026-01-02": 0}]
    assert [sorted(commit.replaced) for commit in changes.commits] == [[], ["2026-01-02"]]


def test_changes_before_the_log_begins_are_unknown(spark: SparkSession, table: LakeTable) -> None:
    first = append(spark, table, [1])
    log = f"{table.spec.name}/_delta_log/{first:020d}.json"
    append(spark, table, [2])
    snapshot = table.snapshot()
    table.storage.filesystem.delete_file(table.storage.path(log))
    assert not snapshot.changes_since(0).known


def test_compaction_keeps_rows_and_progress_and_is_no_change(spark: SparkSession, table: LakeTable) -> None:
    for events in range(10):
        append(spark, table, [1], events)
    base = table.snapshot()
    done = compact(table, spark, least_files=4)
    after = table.snapshot()
    assert (done.files_before, done.files_after) == (10, 1)
    assert sorted(row["events"] for row in after.read(spark).collect()) == list(range(10))
    assert after.progress == base.progress
    assert after.changes_since(base.version).commits == ()


def test_files_in_folders_that_were_named_otherwise_before_are_read_grow_and_are_compacted(
    spark: SparkSession, table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 0.2.0 names of data's folders began with `_`, which is what other readers of a bucket leave out."""
    with monkeypatch.context() as before:
        before.setattr("event_assets.lake.table._COPY", "_in_")
        append(spark, table, [1, 2], events=3)
    append(spark, table, [1], events=4)
    both = table.snapshot()
    assert sorted("/_" in file.path for file in both.files) == [False, True, True]
    assert both.dates() == {"2026-01-01", "2026-01-02"}
    assert sorted(file.rows for file in both.of_dates(["2026-01-01"])) == [1, 1]
    done = compact(table, spark, least_files=2)
    assert (done.files_before, done.files_after) == (3, 2)
    rows = {(str(row["event_date"]), row["events"]) for row in table.snapshot().read(spark).collect()}
    assert rows == {("2026-01-01", 3), ("2026-01-02", 3), ("2026-01-01", 4)}
    assert [file.partition["event_date"] for file in table.snapshot().files if "/_" in file.path] == ["2026-01-02"]


def test_vacuum_deletes_what_no_version_needs_and_nothing_else(spark: SparkSession, table: LakeTable) -> None:
    append(spark, table, [1, 2])
    base = table.snapshot()
    table.commit(base, base.progress, remove=base.of_dates(["2026-01-01"]))
    table.stage(metrics(spark, table, [3]), 1, 1)
    assert vacuum(table, keep=dt.timedelta(0)) >= 2
    rows = table.snapshot().read(spark).collect()
    assert [str(row["event_date"]) for row in rows] == ["2026-01-02"]
    assert table.snapshot().progress == base.progress


def test_old_commits_leave_the_log_when_the_table_is_vacuumed_and_not_with_a_commit(
    table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"delta.checkpointInterval": "5", "delta.logRetentionDuration": "interval 0 seconds"}
    monkeypatch.setattr("event_assets.lake.table._CONFIGURATION", kept)

    def commits() -> list[str]:
        log = table.storage.walk(f"{table.spec.name}/_delta_log")
        return [name for name, _ in log if name.endswith(".json") and name.rpartition("/")[2][:5] == "00000"]

    for _ in range(12):
        table.commit(table.snapshot(), Progress(code="1"))
    assert len(commits()) == 13
    vacuum(table)
    assert len(commits()) < 5
    assert LakeTable(table.storage, table.spec).snapshot().progress == Progress(code="1")


def test_a_column_that_the_contract_gains_is_null_in_older_rows(spark: SparkSession, lake: Lake) -> None:
    from dataclasses import replace

    from event_assets.contract.tables.schema import Column

    old = lake.table("daily_metrics")
    append(spark, old, [1])
    spec = replace(old.spec, columns=(*old.spec.columns, Column("mood", "string", "How it went.")))
    new = LakeTable(lake.storage, spec)
    assert [row["mood"] for row in new.snapshot().read(spark).collect()] == [None]
    assert new.snapshot().arrow().select(["events", "mood"]).to_pylist() == [{"events": 1, "mood": None}]
    assert new.snapshot().arrow(columns=["mood"]).to_pylist() == [{"mood": None}]
    assert "mood" in {field.name for field in new.snapshot().delta.schema().fields}


def test_other_engines_read_the_table_as_plain_delta(spark: SparkSession, table: LakeTable) -> None:
    append(spark, table, [1, 2])
    import pyarrow as pa

    assert pa.table(table.snapshot().delta.to_pyarrow_dataset().to_table()).num_rows == 2
    assert spark.read.format("delta").load(table.uri).count() == 2


def test_scratch_is_gone_after_its_block(spark: SparkSession, lake: Lake) -> None:
    with lake.scratch() as checkpoint:
        assert checkpoint(spark.range(3)).count() == 3
        assert list(lake.storage.walk("scratch"))
    assert not list(lake.storage.walk("scratch"))
