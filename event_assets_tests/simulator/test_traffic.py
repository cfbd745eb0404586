from __future__ import annotations

from typing import Any

import pytest

from event_assets.simulator.rates import FaultRates
from event_assets.simulator.traffic import Traffic, TrafficError, rates_of


def test_plain_values_become_traffic_and_what_is_not_named_has_its_default() -> None:
    asked = {"events": 500, "hours": 2, "rates": {"duplicate": 0.5}, "anomalies": ["bot_wave"]}
    assert Traffic.of(asked) == Traffic(events=500, hours=2, faults=FaultRates(duplicate=0.5), anomalies=("bot_wave",))
    assert Traffic.of({}) == Traffic()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"evnts": 1}, "evnts: there is no such setting. There are seed, events"),
        ({"faults": {}}, "faults: there is no such setting"),
        ({"events": "many"}, "events is 'many': it must be a whole number"),
        ({"events": 0}, "events is 0: it must be at least 1"),
        ({"seconds": True}, "seconds is True: it must be a number"),
        ({"anomalies": "bot_wave"}, "anomalies is 'bot_wave': it must be a list"),
        ({"rates": {"duplicates": 0.1}}, "duplicates: there is no such rate. There are duplicate"),
        ({"rates": {"duplicate": 1.1}}, "duplicate is 1.1: it must be a share"),
        ({"rates": {"duplicate": "often"}}, "duplicate is 'often': it must be a number"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_the_rule(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TrafficError, match=sentence):
        Traffic.of(asked)


def test_a_burst_is_a_factor_and_no_share() -> None:
    assert rates_of({"burst": 20}).burst == 20
