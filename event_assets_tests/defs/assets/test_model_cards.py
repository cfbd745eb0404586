"""What Dagster shows of a model."""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree

from event_assets.defs.assets.model_cards import card_metadata

CARD: dict[str, Any] = {
    "why": "its area is above",
    "learned_from": 4_094,
    "tried_on": 1_773,
    "came": 0.41,
    "areas": {name: {"value": 0.6 + less, "low": 0.5, "high": 0.7} for name, less in (("rule", 0.0), ("model", 0.03))},
    "differences": {"model": {"value": 0.03, "low": 0.01, "high": 0.05}},
    "curves": {"rule": [[0.0, 0.0], [1.0, 1.0]], "model": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]]},
    "brier": 0.2,
    "brier_of_rate": 0.24,
    "bins": [{"people": 10, "foretold": 0.1, "came": 0.2}, {"people": 10, "foretold": 0.8, "came": 0.7}],
    "expected_error": 0.1,
    "importance": {"events": 0.05, "noise": -0.001},
    "silhouettes": {},
    "segments": [["likely", 700, 0.6], ["unlikely", 1_073, 0.2]],
    "groups": [
        {"by": "country", "group": "DE", "people": 90, "came": 0.4, "foretold": 0.5, "first_segment": 0.3, "auc": None}
    ],
}


def test_a_card_says_how_good_a_model_is_for_whom_and_draws_it() -> None:
    shown = card_metadata({"m": CARD})
    assert list(shown) == ["m: card", "m: curve", "m: calibration", "m: importance"]
    text = shown["m: card"].value
    assert text.startswith("Its area is above.") and "| model less rule | 0.030 | 0.010 to 0.050 |" in text
    assert "| country: DE | 90 | 40.0% | 50.0% | 30.0% |  |" in text and "| likely | 700 | 60.0% |" in text
    for name in list(shown)[1:]:
        svg = base64.b64decode(shown[name].value.partition("base64,")[2].rstrip(")"))
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_of_a_model_that_was_not_tried_there_is_the_reason_alone() -> None:
    untried = CARD | {"areas": {}, "why": "there are 3 people"}
    shown = card_metadata({"m": untried})
    assert list(shown) == ["m: card"] and shown["m: card"].value.startswith("There are 3 people.")
