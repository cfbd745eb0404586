"""What steps write beside the tables, and is gone when they end."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from event_assets.lake.lake import Lake
from event_assets.lake.scratch import SCRATCH, scratch_folder
from event_assets.lake.storage import Storage


def test_what_a_killed_step_left_behind_is_cleared_and_what_is_in_use_stays(tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    left, in_use = scratch_folder(), scratch_folder()
    before = [f"{root}/of-before" for root in ("_scratch", "_manifests")]  # as they were named before 0.2.0
    for folder in (left, in_use, *before):
        lake.storage.write(f"{folder}/deep/old.parquet", b"rows")
        os.utime(tmp_path / folder / "deep" / "old.parquet", (0, 0))
    lake.storage.write(f"{in_use}/new.parquet", b"rows")
    assert lake.clear_scratch(dt.timedelta(hours=1)) == 3
    assert not any((tmp_path / folder).exists() for folder in (left, *before))
    assert sorted(path.name for path in (tmp_path / in_use).rglob("*.parquet")) == ["new.parquet", "old.parquet"]
    assert lake.clear_scratch(dt.timedelta(hours=1)) == 0


def test_folders_without_a_file_go_with_their_step_and_those_that_were_left_are_cleared(tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    in_use, left = tmp_path / scratch_folder(), tmp_path / scratch_folder()
    for folder in (in_use, left):
        (folder / "of-an-empty-frame").mkdir(parents=True)
    for folder in (left / "of-an-empty-frame", left):
        os.utime(folder, (0, 0))
    assert lake.clear_scratch(dt.timedelta(hours=1)) == 1 and not left.exists()
    assert [path.name for path in (tmp_path / SCRATCH).iterdir()] == [in_use.name]
    lake.storage.delete_folder(f"{SCRATCH}/{in_use.name}")
    assert not any((tmp_path / SCRATCH).iterdir())
    lake.storage.delete_folder(f"{SCRATCH}/{in_use.name}")  # there is none any more
