from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import pipeline


@pytest.mark.slow
def test_our_transforms_and_sql_by_hand_give_the_same_sessions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = tmp_path / "pipeline.svg"
    assert pipeline.main(["--events", "20000", "--rounds", "2", "--json", "--picture", str(picture)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["same_rows"] and figures["sessions"] > 1000
    assert {"events_per_second", "seconds", "duckdb_seconds", "ratio", "peak_memory_mb"} <= figures.keys()
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
