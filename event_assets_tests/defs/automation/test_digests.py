"""A digest of the dashboard's file has a schedule, whose run says why where it was not sent."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from event_assets.defs.automation.digests import digest_schedules, send_digest
from event_assets.settings import Settings

DIGESTS = """
digests:
  weekly: {pages: [overview], cron: "0 8 * * 1", time_zone: Europe/Berlin, to: [ann@example.org]}
  never: {pages: [overview], cron: "99 8 * * 1", to: [ann@example.org]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shipped = next(Settings().dashboards.glob("*.yaml"))
    (tmp_path / shipped.name).write_text(shipped.read_text(encoding="utf-8") + DIGESTS, encoding="utf-8")
    return tmp_path


def test_each_digest_that_can_be_due_has_a_schedule_and_the_others_stop_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (made,) = digest_schedules(Settings(dashboards_dir=folder))
    assert (made.name, made.cron_schedule, made.execution_timezone) == ("digest_weekly", "0 8 * * 1", "Europe/Berlin")
    assert "never" in caplog.text
    (folder / "web_analytics.yaml").write_text("name: [")
    assert digest_schedules(Settings(dashboards_dir=folder)) == []


def test_a_run_says_why_a_digest_was_not_sent(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_DASHBOARDS_DIR", str(folder))
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path / "home"))
    config = {"ops": {"send_named_digest": {"config": {"name": "weekly"}}}}
    done = send_digest.execute_in_process(run_config=config, raise_on_error=False)
    assert not done.success
    (failure,) = [event for event in done.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    told = failure.step_failure_data.user_failure_data
    assert told is not None and "There is no warehouse to read" in (told.description or "")
