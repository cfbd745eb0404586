"""How a model learns: from what it is not tried on, and promoted only where it is better than its rule."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import numpy as np
import pytest

from event_assets.models.features import Values
from event_assets.rules.feature import Feature
from event_assets.rules.model import Model, Rule, ScoredSegment

pytest.importorskip("sklearn")

from event_assets.models.scoring import ScoreModel, probability, read_model, score
from event_assets.models.training import Examples, _columns, _fit, _logistic, _scale, split, train
from event_assets.models.trying import area, calibration, compare, expected_error

FEATURES = {
    "events": Feature(count="anything"),
    "paid": Feature(sum="revenue"),
    "channel": Feature(first_touch="channel_group"),
    "seats": Feature(trait="seats", as_="number"),
}
MODEL = Model(
    name="m",
    target="anything",
    within="7 days",
    features=[*FEATURES],
    rule=Rule(feature="events", at_least=3.0),
    segments=[ScoredSegment(segment="likely", at_least=0.5), ScoredSegment(segment="unlikely")],
    least_people=100,
)


def people(count: int, *, hidden: float, seed: int = 1) -> Examples:
    """Who comes back by their events, and, as much as is `hidden` from the rule, by channel and seats."""
    chance = random.Random(seed)
    values: list[Values] = []
    did, days = [], []
    for number in range(count):
        events = int(chance.expovariate(0.3)) + 1
        channel = chance.choice(["Email", "Direct", "Direct", None])
        seats = chance.choice([None, 1.0, 40.0])
        odds = 0.4 * math.log1p(events) + hidden * ((channel == "Email") * 3 + (seats == 40.0) * 3) - 1.0
        values.append({"events": events, "paid": chance.random() * 9, "channel": channel, "seats": seats})
        did.append(chance.random() < probability(odds))
        days.append(number // 10)
    return Examples(days, values, did, {"platform": [chance.choice(["web", "ios"]) for _ in range(count)]})


PEOPLE = people(1_000, hidden=1.0)


def test_a_model_that_knows_more_than_its_rule_is_promoted_and_says_why() -> None:
    trained = train(MODEL, FEATURES, PEOPLE, "1", "2026-03-29")
    model, card = trained.model, trained.card
    assert model.promoted and "is above the interval of the rule's" in model.why
    assert card.areas["model"].value > card.areas["rule"].high and card.differences["model"].low > 0
    assert next(iter(card.importance)) in ("channel", "seats") and abs(card.importance["paid"]) < 0.02
    assert card.expected_error < 0.08 and card.brier < card.brier_of_rate
    assert sum(people for _, people, _ in card.segments) == card.tried_on
    assert {each.group for each in card.groups} == {"web", "ios"}
    assert read_model(msgspec.json.encode(model)) == model
    assert train(MODEL, FEATURES, PEOPLE, "1", "2026-03-29") == trained  # the same examples, the same document


def test_a_model_that_knows_no_more_than_its_rule_is_not_and_the_rule_stays() -> None:
    trained = train(MODEL, FEATURES, people(1_000, hidden=0.0), "1", "2026-03-29")
    assert not trained.model.promoted and "is not above the interval of the rule's" in trained.model.why
    assert score(trained.model, {"events": 3}) == ("likely", None, (("events", 3, 0.0),))


def test_with_too_few_people_the_rule_stays_and_says_so() -> None:
    trained = train(MODEL, FEATURES, people(150, hidden=1.0), "1", "2026-03-29")
    assert not trained.model.promoted and "it takes 100 and both" in trained.model.why
    assert isinstance(trained.model, ScoreModel) and trained.model.weights == []
    assert "there are 0 people to learn from" in train(MODEL, FEATURES, people(0, hidden=0), "1", "").model.why


def test_nothing_is_learned_of_days_that_had_not_passed_when_it_is_first_tried() -> None:
    learned, tried = split(people(1_000, hidden=0), 0.3, 7)
    assert max(learned.days) + 7 < min(tried.days) == 70
    assert len(tried) == 300


def test_the_document_gives_the_probabilities_of_the_library_that_learned_it() -> None:
    """scikit-learn's own function of its own matrix, against the document's; before calibration."""
    learned, others = people(900, hidden=0.7), people(300, hidden=0.7, seed=2)
    document = train(MODEL, FEATURES, people(150, hidden=1.0), "1", "").model
    assert isinstance(document, ScoreModel)
    fitted = _fit(document, FEATURES, learned)
    scales = [_scale(name, feature, learned) for name, feature in FEATURES.items()]

    def matrix(examples: Examples) -> Any:
        return np.hstack([_columns(each, [values[each.name] for values in examples.values]) for each in scales])

    theirs = _logistic().fit(matrix(learned), learned.did).predict_proba(matrix(others))[:, 1]
    plain = msgspec.structs.replace(fitted, calibration=(1.0, 0.0), promoted=True)
    ours = [score(plain, values).score for values in others.values]
    assert np.abs(theirs - np.array(ours, dtype=float)).max() < 1e-7


def test_an_area_is_the_share_of_pairs_in_order_and_a_tie_is_half() -> None:
    scores, did = np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])
    assert area(scores, did) == (1 + 0.5 + 1 + 1) / 4
    assert area(scores, np.array([True] * 4)) == 0.5
    compared = compare({"one": scores, "same": scores}, did, draws=50)
    assert compared.differences["same"].high == 0.0


def test_bins_say_what_was_foretold_and_what_came() -> None:
    chance = np.random.default_rng(3)
    foretold = chance.random(20_000)
    bins = calibration(foretold, chance.random(20_000) < foretold)
    assert len(bins) == 10 and expected_error(bins) < 0.02
    assert expected_error(calibration(foretold, chance.random(20_000) < foretold / 2)) > 0.2
