"""A storage that fails is not mistaken for a table without history: nothing is made again for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets_tests.disks import small_disk
from event_assets_tests.emulators.throttled_s3 import throttled_s3


@pytest.fixture
def changed(lake: Lake) -> LakeTable:
    """A table of three versions."""
    table = lake.table("daily_metrics")
    for _ in range(3):
        table.commit(table.snapshot(), Progress())
    return table


def test_a_bucket_that_throttles_is_an_error_and_not_a_log_that_begins_later(
    changed: LakeTable, aws_credentials: None
) -> None:
    with throttled_s3() as endpoint:
        elsewhere = Lake(Storage("s3://lake/prefix", endpoint=endpoint)).table(changed.spec.name)
        with pytest.raises(OSError, match="503"):
            Snapshot(elsewhere, changed.snapshot().delta).changes_since(0)


def test_a_log_file_that_cannot_be_opened_is_an_error_and_not_a_log_that_begins_later(
    changed: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = changed.snapshot()

    def fails(storage: Storage, relative: str) -> bytes:
        raise PermissionError(13, "Permission denied", relative)

    monkeypatch.setattr(Storage, "read", fails)
    with pytest.raises(PermissionError, match=r"_delta_log/00000000000000000001\.json"):
        snapshot.changes_since(0)


def test_a_log_that_was_cleaned_up_begins_later(changed: LakeTable) -> None:
    snapshot = changed.snapshot()
    changed.storage.filesystem.delete_file(
        changed.storage.path(f"{changed.spec.name}/_delta_log/00000000000000000001.json")
    )
    assert not snapshot.changes_since(0).known
    assert snapshot.changes_since(1).known


def test_a_full_disk_commits_nothing_and_the_next_try_does(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk:
        table = Lake(Storage(str(disk / "lake"))).table("daily_metrics")
        table.commit(table.snapshot(), Progress(code="1"))
        (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free))
        base = table.snapshot()
        with pytest.raises(OSError, match="No space left"):
            table.commit(base, Progress(code="2"))
        assert table.snapshot().progress == Progress(code="1")
        (disk / "filler").unlink()
        table.commit(table.snapshot(), Progress(code="2"))
        assert table.snapshot().progress == Progress(code="2")
