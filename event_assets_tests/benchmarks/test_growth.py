from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import growth
from benchmarks.history import PACES
from event_assets.pipeline.registry import STEPS


@pytest.mark.slow
@pytest.mark.release
def test_what_every_table_costs_is_told_by_size_of_the_history(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = tmp_path / "growth.svg"
    given = ["--sizes", "0.002,0.004", "--batch", "40", "--batches", "1", "--days", "2", "--json"]
    given += ["--picture", str(picture)]
    assert growth.main(given) == 0
    found = json.loads(capsys.readouterr().out)
    followed = {table.name for step in STEPS if step.pace in PACES for table in step.tables}
    costs = found["cpu seconds"]
    assert followed <= costs.keys() and "warehouse/fct_events" in costs
    assert all(len(each) == 2 for each in (*costs.values(), *found["files"].values()))
    assert min(costs["all of pace seconds"]) > 0
    for table in ("visitors", "identities", "users", "touches"):
        assert all(each > 0 for unit in ("scanned files", "scanned mb") for each in found[unit][table])
    assert costs.keys() == found["slope"].keys() == found["times"].keys()
    assert picture.read_text(encoding="utf-8").count("<path") > len(followed)


def test_the_slope_is_of_a_million_events() -> None:
    assert growth._slope([1_000_000, 3_000_000], [0.5, 0.9]) == 0.2
