"""The tutorial does what it says: all its commands, one after the other, in an empty folder."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from event_assets.cli.console import warehouse_url_of
from event_assets.dashboards.pages import metrics
from event_assets.dashboards.selection import Selection
from event_assets.dashboards.server import contexts_of
from event_assets.defs.resources.lake import LakeResource
from event_assets.pipeline.anomalies import incidents_in
from event_assets.settings import Settings

ROOT = Path(__file__).parents[1]
UNUSUAL = "Something unusual"


def blocks() -> dict[str, list[str]]:
    """The commands by section."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \d+\. (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {title: re.findall(r"^```bash\n(.*?)^```", body, re.MULTILINE | re.DOTALL) for title, body in sections}


def run(folder: Path, steps: list[str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVENT_ASSETS_", "DAGSTER_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(steps)],
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'python-sdk'}", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_of_the_tutorial_runs_in_one_of_these_tests() -> None:
    found = {title: len(steps) for title, steps in blocks().items() if steps}
    assert found == {"Install": 1, "Some events": 1, "A question": 1, "The answer": 3, UNUSUAL: 3}
    assert blocks()["Install"][0].splitlines() == [
        "make setup",
        "export PATH=$PWD/.venv/bin:$PATH",
    ]  # these tests run in what it makes


@pytest.mark.slow
def test_the_commands_of_the_tutorial_end_with_the_answer_that_it_tells(tmp_path: Path) -> None:
    done = run(tmp_path, [step for title in ("Some events", "A question", "The answer") for step in blocks()[title]])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "landed 6 = clean 6 + quarantined 0" in done.stdout
    assert re.findall(r"(page_view|add_to_cart|purchase) +(\d) +[\d.]+$", done.stdout, re.MULTILINE) == [
        ("page_view", "3"),
        ("add_to_cart", "2"),
        ("purchase", "1"),
    ]
    features = pd.read_parquet(tmp_path / "tables" / "person_features")
    ann = features[features["person_id"] == "ann"].sort_values("from_date")
    assert ann["features"].tolist() == [
        '{"came_by":"Email","carts":1,"paid":40.0}',
        '{"came_by":"Email","carts":0,"paid":40.0}',
    ]
    assert [str(day) for day in ann["from_date"]] == ["2026-03-02", "2026-04-01"]
    sessions = pd.read_parquet(tmp_path / "tables" / "sessions").set_index("anonymous_id")
    assert sessions["channel_group"].to_dict() == {"ann": "Email", "ben": "Direct", "cem": "Direct"}
    credit = pd.read_parquet(tmp_path / "tables" / "attribution")
    assert set(credit["channel_group"]) == {"Email"}


@pytest.mark.slow
def test_the_planted_release_is_an_incident_by_command_and_on_the_page_and_has_the_answer_that_was_given(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, blocks()[UNUSUAL])
    assert done.returncode == 0, done.stdout + done.stderr[-5_000:]
    begins = dt.datetime.fromisoformat(re.findall(r"broken_release from (\S+) to", done.stdout)[0])
    settings = Settings(home=tmp_path / "home")
    rows = incidents_in(LakeResource.of(settings).open())
    (incident,) = (row for row in rows if row["was_real"])
    assert incident["begins_at"] == begins and "errors" in json.loads(incident["metrics"])
    assert incident["incident_id"] in done.stdout and incident["what"] in done.stdout
    with warehouse_url_of(settings) as url:
        assert url is not None
        context = next(each for each in contexts_of(settings, url).values() if not each.role.rows)
        page = context.source.dashboard.page("anomalies")
        assert page is not None
        figures = metrics.figures(context, page, (1, 0), Selection(period="28d"))
        told = json.dumps([figure.rows for figure in figures], default=str)
    assert incident["what"] in told
