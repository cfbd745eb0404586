"""The packing benchmark's figures add up, and hold the least that is asked of packing."""

from __future__ import annotations

import json

import pytest

from benchmarks import packing


def test_a_group_of_many_people_is_few_records_and_costs_what_its_units_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert packing.main(["--json", "--usd-per-million-units", "2"]) == 0
    figures = json.loads(capsys.readouterr().out)
    found = figures["10,000 events of 5,000 people"]
    assert found["events_a_record"] >= 20
    assert found["events_a_record"] * found["records"] == pytest.approx(10_000, rel=0.01)
    assert found["usd_per_million_provisioned"] == pytest.approx(2 * found["records"] / 10_000)
    few = figures["50 events of 5,000 people"]
    assert few["records"] <= packing.SHARDS
    assert found["bytes_an_event"] < few["bytes_an_event"]
