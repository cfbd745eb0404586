from __future__ import annotations

import json

import pytest

from benchmarks import pipeline


@pytest.mark.slow
def test_our_transforms_and_sql_by_hand_give_the_same_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.main(["--events", "20000", "--rounds", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["same_rows"] and figures["sessions"] > 1000
    assert {"events_per_second", "seconds", "duckdb_seconds", "ratio", "peak_memory_mb"} <= figures.keys()
