from __future__ import annotations

import json

import pytest

from benchmarks import transforms


@pytest.mark.slow
@pytest.mark.release
def test_every_transform_reports_rows_a_second_and_loses_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert transforms.main(["--events", "5000", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert all(step["rows_in"] > 0 and step["rows_per_second"] > 0 for step in figures["transforms"].values())
    assert {"clean", "deduplicate", "enrich", "sessionise", "sessions", "page_views"} <= figures["transforms"].keys()
    assert {"enrich_to_clean", "duckdb_seconds", "peak_memory_mb", "all_rows_there"} <= figures.keys()
