"""stack.json tells other processes what runs, and never of a stack that is gone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from event_assets.embedded.record import (
    ServiceRecord,
    StackRecord,
    read_record,
    remove_record,
    started_at,
    write_record,
)


@pytest.fixture
def record(tmp_path: Path) -> StackRecord:
    return StackRecord(
        pid=os.getpid(),
        started=started_at(os.getpid()),
        home=str(tmp_path),
        dagster_home=str(tmp_path / "dagster"),
        collector_url="http://127.0.0.1:8080",
        dagster_url="http://127.0.0.1:3000",
        warehouse_url="postgresql://someone:secret@127.0.0.1:5439/warehouse",
        spark_remote="sc://127.0.0.1:50051",
        services={"spark": ServiceRecord(1, "spark.log")},
    )


def test_a_record_is_read_as_it_was_written(record: StackRecord, tmp_path: Path) -> None:
    write_record(record)
    assert read_record(tmp_path) == record


def test_only_its_owner_can_read_a_record(record: StackRecord) -> None:
    assert stat.S_IMODE(write_record(record).stat().st_mode) == 0o600


def test_the_record_of_a_process_that_is_gone_counts_as_none(record: StackRecord, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_record(replace(record, pid=gone.pid))
    assert read_record(tmp_path) is None


def test_a_later_process_with_the_same_number_is_not_the_stack(record: StackRecord, tmp_path: Path) -> None:
    write_record(replace(record, started=record.started - 3600))
    assert read_record(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"services": {}}'])
def test_a_broken_record_counts_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(text)
    assert read_record(tmp_path) is None


def test_a_removed_record_is_gone_and_removing_it_again_is_no_fault(record: StackRecord, tmp_path: Path) -> None:
    write_record(record)
    remove_record(tmp_path)
    remove_record(tmp_path)
    assert read_record(tmp_path) is None
