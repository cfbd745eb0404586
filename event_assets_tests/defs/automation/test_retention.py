"""Old days go by themselves only where somebody said how long what is kept."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from event_assets.defs.automation.retention import retention_schedule
from event_assets.settings import Settings


def test_the_schedule_stands_still_until_a_file_says_what_is_over(tmp_path: Path) -> None:
    file = tmp_path / "retention.yaml"
    file.write_text("raw: 30\n")
    stands = retention_schedule(Settings(home=tmp_path)).default_status
    assert stands is dg.DefaultScheduleStatus.STOPPED
    runs = retention_schedule(Settings(home=tmp_path, retention_file=file)).default_status
    assert runs is dg.DefaultScheduleStatus.RUNNING
