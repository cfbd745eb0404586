"""A clone is a project of `dg`, Dagster's newer command line, by what pyproject.toml says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from event_assets.definitions import build_defs
from event_assets.settings import Settings

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def dg(command: str, home: Path) -> str:
    """What `dg` says of this clone."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "EVENT_ASSETS_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    program = Path(sys.executable).with_name("dg")
    done = subprocess.run(
        [program, *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_lists_all_that_dagster_runs(tmp_path: Path) -> None:
    listed = json.loads(dg("list defs --json", tmp_path))
    here = build_defs(Settings(home=tmp_path)).get_repository_def()
    assert {asset["asset_key"] for asset in listed["assets"]} == {
        key.to_user_string() for key in here.asset_graph.get_all_asset_keys()
    }
    assert {sensor["name"] for sensor in listed["sensors"]} == {sensor.name for sensor in here.sensor_defs}
    assert {schedule["name"] for schedule in listed["schedules"]} == {each.name for each in here.schedule_defs}


def test_it_finds_no_fault_with_them(tmp_path: Path) -> None:
    assert "All definitions loaded successfully." in dg("check defs", tmp_path)
