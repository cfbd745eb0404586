"""The tutorial does what it says: all its commands, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def blocks() -> list[str]:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    return re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_tutorial_end_with_the_answer_that_it_tells(tmp_path: Path) -> None:
    install, *steps = blocks()
    assert install.splitlines() == [
        "make setup",
        "export PATH=$PWD/.venv/bin:$PATH",
    ]  # these tests run in what it makes
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENT_ASSETS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(steps)],
        cwd=tmp_path,
        env={**kept, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
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
