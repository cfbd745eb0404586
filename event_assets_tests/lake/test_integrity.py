"""A flipped byte, a cut or a missing file of the lake is noticed before an engine makes rows of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.lake.integrity import LakeDamaged, fault_of, fault_of_commit
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import NOTE, Snapshot
from event_assets.lake.storage import Storage
from event_assets.lake.table import SEAL, LakeTable


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> LakeTable:
    """A table with files of an engine and one of Arrow's, in three commits, the last of which replaces."""
    table = Lake(Storage(str(tmp_path_factory.mktemp("lake")))).table("daily_metrics")
    days = [dt.date(2026, 1, day) for day in range(1, 4)]
    rows = [(day, day, "web", day.day, 1, 1, 1, 1, 1, 1, 1, 1, 1.5) for day in days]
    for kept in (rows, rows[:1]):
        frame = spark.createDataFrame(kept, table.spec.spark_schema())
        table.commit(table.snapshot(), Progress(code="1"), add=table.stage(frame, 3, 3))
    base = table.snapshot()
    file = table.stage_arrow(base.arrow(base.of_dates(["2026-01-02"])), "again", {"event_date": "2026-01-02"})
    table.commit(base, Progress(code="2"), add=[file], remove=base.of_dates(["2026-01-02"]))
    return table


def flipped(data: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[position % len(data)] ^= 1 << bit
    return bytes(changed)


@pytest.fixture
def restored(written: LakeTable) -> Iterator[Callable[[str], Path]]:
    """Names a file of the table, which is as it was after the test."""
    kept: dict[Path, bytes] = {}

    def place(relative: str) -> Path:
        path = Path(written.uri, relative)
        kept.setdefault(path, path.read_bytes())
        return path

    yield place
    for path, data in kept.items():
        path.write_bytes(data)


def test_what_is_written_is_sound(written: LakeTable) -> None:
    snapshot = written.snapshot()
    assert len(snapshot.files) == 4
    for file in snapshot.files:
        assert fault_of(written.storage, written.spec.name, file) is None
    for number in range(snapshot.version + 1):
        log = written.storage.read(f"{written.spec.name}/_delta_log/{number:020d}.json")
        assert fault_of_commit(log, NOTE, SEAL) is None


@given(which=st.integers(0, 3), position=st.integers(0), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_data_file_is_noticed(written: LakeTable, which: int, position: int, bit: int) -> None:
    file = written.snapshot().files[which]
    path = Path(written.uri, file.path)
    data = path.read_bytes()
    try:
        path.write_bytes(flipped(data, position, bit))
        assert fault_of(written.storage, written.spec.name, file) == "its bytes are not those that were written"
    finally:
        path.write_bytes(data)


@given(number=st.integers(1, 3), position=st.integers(0), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_commit_is_noticed_or_changes_nothing_that_counts(
    written: LakeTable, number: int, position: int, bit: int
) -> None:
    log = written.storage.read(f"{written.spec.name}/_delta_log/{number:020d}.json")
    damaged = flipped(log, position, bit)
    if fault_of_commit(damaged, NOTE, SEAL) is None:
        assert said(damaged) == said(log)


def said(log: bytes) -> list[Any]:
    """What readers take from a commit."""
    actions = [json.loads(line) for line in log.splitlines() if line.strip()]
    notes = [action["commitInfo"].get(NOTE) for action in actions if "commitInfo" in action]
    adds = [action["add"] for action in actions if "add" in action]
    files = [[a["path"], a["size"], a["partitionValues"], json.loads(a["stats"])] for a in adds]
    return [notes, files, [action["remove"]["path"] for action in actions if "remove" in action]]


@pytest.mark.parametrize("fault", ["flipped", "cut", "missing"])
def test_a_damaged_file_is_named_before_an_engine_reads_it(
    fault: str, written: LakeTable, spark: SparkSession, restored: Callable[[str], Path]
) -> None:
    snapshot = written.snapshot()
    path = restored(snapshot.files[0].path)
    data = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(flipped(data, len(data) // 2, 0) if fault == "flipped" else data[:-100])
    for read in (lambda: snapshot.read(spark), snapshot.arrow):
        with pytest.raises(LakeDamaged, match=rf"{path} is damaged: .* `event-assets doctor` says how to heal it"):
            read()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]"])
def test_a_damaged_log_is_named(content: bytes, written: LakeTable, restored: Callable[[str], Path]) -> None:
    restored("_delta_log/00000000000000000002.json").write_bytes(content)
    with pytest.raises(LakeDamaged, match="daily_metrics/_delta_log is damaged: it cannot be read"):
        LakeTable(written.storage, written.spec).snapshot()


def test_a_damaged_progress_record_is_named(written: LakeTable, restored: Callable[[str], Path]) -> None:
    snapshot = written.snapshot()
    path = restored(f"_progress/{snapshot.progress_number}.json")
    path.write_bytes(b"{}")
    with pytest.raises(LakeDamaged, match=f"{path} is damaged"):
        _ = Snapshot(written, snapshot.delta).progress


def test_a_damaged_commit_is_named_by_whoever_asks_what_changed(
    written: LakeTable, restored: Callable[[str], Path]
) -> None:
    snapshot = written.snapshot()
    path = restored("_delta_log/00000000000000000002.json")
    path.write_bytes(b'{"commitInfo":')
    with pytest.raises(LakeDamaged, match=f"{path} is damaged"):
        snapshot.changes_since(0)
