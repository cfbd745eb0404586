from __future__ import annotations

import json

import pytest

from benchmarks import backlog


@pytest.mark.slow
@pytest.mark.release
def test_old_events_of_many_days_come_through_while_new_ones_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--events", "2000", "--days", "400", "--rate", "10", "--seconds", "5", "--json"]
    assert backlog.main(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["every event once"] and found["rounds"] >= found["turns"] >= 1
    assert found["beside"]["events"] > 0, "new events came while old ones did"
