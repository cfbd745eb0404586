"""What steps write beside the tables, and is gone when they end."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from event_assets.lake.lake import Lake
from event_assets.lake.scratch import scratch_folder
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
