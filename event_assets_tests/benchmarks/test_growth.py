from __future__ import annotations

import json

import pytest

from benchmarks import growth
from event_assets.pipeline.registry import STEPS


@pytest.mark.slow
@pytest.mark.release
def test_what_every_table_costs_is_told_by_size_of_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--sizes", "0.002,0.004", "--batch", "40", "--batches", "1", "--days", "2", "--json"]
    assert growth.main(given) == 0
    found = json.loads(capsys.readouterr().out)
    followed = {table.name for step in STEPS if step.pace in growth.PACES for table in step.tables}
    assert followed <= found.keys() and "warehouse/fct_events" in found
    assert all(len(costs) == 2 for costs in found.values())
    assert min(found["all of pace seconds"]) > 0
