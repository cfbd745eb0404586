from __future__ import annotations

import json

import pytest

from benchmarks import model


@pytest.mark.slow
@pytest.mark.release
def test_a_file_of_made_events_is_modelled_and_its_memory_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert model.main(["--events", "2000", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["events"] == 2000 and figures["balance"]
    assert figures["rows"]["sessions"] > 50
    assert figures["peak_memory_mb"] > 100
    assert {"sessions", "session_issues", "users", "import"} & figures["seconds_by_table"].keys()
