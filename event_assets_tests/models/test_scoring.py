"""What a model's document says of somebody."""

from __future__ import annotations

import math

import msgspec
import pytest

from event_assets.models.scoring import (
    NumberWeight,
    Reason,
    ScoreModel,
    ScoreRule,
    ScoreSegment,
    TextWeight,
    probability,
    read_model,
    score,
)

MODEL = ScoreModel(
    "comes_back",
    "1",
    {},
    [
        NumberWeight("events", 2.0, 4.0, 1.5, -0.25, log=False),
        TextWeight("channel", {"Email": 1.0, "Direct": -1.0}, 0.25, -0.5, 0.0),
    ],
    0.5,
    (2.0, -1.0),
    [ScoreSegment("likely", 0.6), ScoreSegment("unlikely", 0.0)],
    ScoreRule("events", 3),
    True,
    "",
    "2026-03-29",
)


def test_a_score_is_the_calibrated_logistic_of_what_each_feature_counts() -> None:
    told = score(MODEL, {"events": 6, "channel": "Email"})
    assert told.score == pytest.approx(1 / (1 + math.exp(-(2 * (0.5 + 1.5 + 1.0) - 1))), abs=1e-15)
    assert told.segment == "likely"
    assert told.reasons == (Reason("events", 6, 3.0), Reason("channel", "Email", 2.0))


@pytest.mark.parametrize(
    ("values", "odds"),
    [
        ({}, 0.5 - 0.25 - 0.5),
        ({"events": None, "channel": "Radio"}, 0.5 - 0.25 + 0.25),
        ({"events": 2, "channel": "Direct", "other": 9}, 0.5 - 1.0),
    ],
)
def test_what_is_not_known_and_what_was_not_learned_have_weights_of_their_own(
    values: dict[str, float | str | None], odds: float
) -> None:
    assert score(MODEL, values).score == pytest.approx(probability(2 * odds - 1), abs=1e-15)


def test_the_rule_counts_while_no_model_is_better_and_gives_no_score() -> None:
    model = msgspec.structs.replace(MODEL, promoted=False)
    assert [(score(model, {"events": n}).segment, score(model, {"events": n}).score) for n in (3, 2, None)] == [
        ("likely", None), ("unlikely", None), ("unlikely", None),
    ]  # fmt: skip


def test_a_document_is_read_as_it_was_written_and_nothing_else_is() -> None:
    text = msgspec.json.encode(MODEL)
    assert read_model(text) == MODEL
    with pytest.raises(ValueError, match="format 2, and 1 is read here; train it again"):
        read_model(text.replace(b'"format":1', b'"format":2'))
    with pytest.raises(ValueError, match="it is no model"):
        read_model(b'{"name": 1}')


def test_no_number_is_too_large_for_a_score() -> None:
    assert [score(MODEL, {"events": number}).score for number in (1e300, -1e300)] == [1.0, 0.0]
