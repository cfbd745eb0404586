"""The streaming benchmark takes in what it wrote, and knows of each event when its row was committed."""

from __future__ import annotations

import json

import pytest

from benchmarks import streaming


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.spark_jvm
def test_what_a_query_takes_in_is_told_for_a_core_and_how_soon_rows_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--kinds", "embedded", "--events", "500", "--rate", "20", "--seconds", "3", "--json"]
    assert streaming.main(given) == 0
    found = json.loads(capsys.readouterr().out)["embedded"]
    assert found["events"] == 500 and found["events_per_core_second"] > 0 and found["events_per_second"] > 0
    assert found["written_at_the_rate"] > 0 and 0 < found["ms_p50"] <= found["ms_p95"]
