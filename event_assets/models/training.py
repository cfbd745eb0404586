"""How a model learns: a logistic regression over features, calibrated, tried on later people, promoted where it is
better than the rule that it would take the place of.

Nothing that happened after a moment is in its features, and the model is tried on moments that come after all that it
learned from had ended (Kaufman et al. 2012, Leakage in Data Mining). What is learned is written down as scoring.py
reads it, so that a score needs neither this module nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from event_assets.models.clusters import fit
from event_assets.models.drift import indices, reference
from event_assets.models.features import Values
from event_assets.models.scoring import (
    ClusterModel,
    Document,
    NumberWeight,
    RobustScale,
    ScoreModel,
    ScoreRule,
    ScoreSegment,
    TextWeight,
    on_scale,
    score,
)
from event_assets.models.trying import (
    Bin,
    GroupFigures,
    Interval,
    Numbers,
    area,
    calibration,
    compare,
    curve,
    expected_error,
    groups,
)
from event_assets.rules.feature import Feature
from event_assets.rules.model import Clusters, Model

_MOST_TEXTS, _LEAST_OF_TEXT = 12, 20
"""Texts that have a weight of their own: the most frequent, each of so many people that it tells of nobody."""
_FOLDS, _SEED = 5, 20_260_101
_FREE = 1e6
"""So little is held back where a line through the log-odds is looked for."""


@dataclass(frozen=True)
class Examples:
    """People at moments: by day of the moment, what was known then, whether the target came, what groups they are
    of."""

    days: Sequence[int]
    values: Sequence[Values]
    did: Sequence[bool]
    by: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.days)

    def some(self, places: Sequence[int]) -> Examples:
        """Those of these places."""
        return Examples(
            [self.days[at] for at in places],
            [self.values[at] for at in places],
            [self.did[at] for at in places],
            {name: [given[at] for at in places] for name, given in self.by.items()},
        )


class Card(msgspec.Struct, frozen=True):
    """What is to be known of a model before it is used."""

    learned_from: int
    tried_on: int
    tried_from: int
    """The first day of the moments that it was tried on, since 1970-01-01."""
    came: float
    areas: dict[str, Interval] = {}
    differences: dict[str, Interval] = {}
    curves: dict[str, list[tuple[float, float]]] = {}
    brier: float = 0.0
    brier_of_rate: float = 0.0
    """That of the share that came among those it learned from, foretold of everybody."""
    bins: list[Bin] = []
    expected_error: float = 0.0
    importance: dict[str, float] = {}
    """By feature how much less the area is where it is anybody's."""
    segments: list[tuple[str, int, float]] = []
    """Each segment, how many it would have had, and of them the share that came."""
    groups: list[GroupFigures] = []
    silhouettes: dict[str, float] = {}
    """Of groups that nobody named: by how many there are how well people are told apart."""
    newest: int = 0
    """People at moments whose days have not passed."""
    drift: dict[str, float] = {}
    """By feature how much these differ from those that it learned from (see drift.py), the greatest first."""


@dataclass(frozen=True)
class Trained:
    """The model as it is used, and its card."""

    model: Document
    card: Card


def split(examples: Examples, test_share: float, days: int) -> tuple[Examples, Examples]:
    """Those to learn from and those to be tried on: the last share of the moments, and before them those whose days had
    all passed when the first of these began."""
    order = sorted(range(len(examples)), key=lambda at: (examples.days[at], at))
    if not order:
        return examples, examples
    first = examples.days[order[min(int(len(order) * (1 - test_share)), len(order) - 1)]]
    later = [at for at in order if examples.days[at] >= first]
    earlier = [at for at in order if examples.days[at] + days < first]
    return examples.some(earlier), examples.some(later)


def train(
    model: Model,
    features: Mapping[str, Feature],
    examples: Examples,
    version: str,
    trained_to: str,
    newest: Sequence[Values] = (),
) -> Trained:
    """What a model learns of examples, all of whose days have passed; `newest` are people of whom nothing is learned
    yet.

    Where there are too few, or it is no better than its rule, it is not promoted, and says why.
    """
    learned, tried = split(examples, model.test_share, model.days)
    card = Card(len(learned), len(tried), min(tried.days, default=0), _mean(tried.did))
    needed = model.of_features(features)
    document = ScoreModel(
        model.name,
        version,
        {name: feature.as_document() for name, feature in needed.items()},
        [],
        0.0,
        (1.0, 0.0),
        [ScoreSegment(each.segment, each.at_least) for each in model.segments],
        ScoreRule(model.rule.feature, model.rule.at_least),
        False,
        "",
        trained_to,
    )
    for what, those in (("to learn from", learned), ("to be tried on", tried)):
        ones = sum(those.did)
        if len(those) < model.least_people or not 0 < ones < len(those):
            why = f"there are {len(those)} people {what}, {ones} of whom did it; it takes {model.least_people} and both"
            return Trained(msgspec.structs.replace(document, why=why), card)
    fitted = _fit(document, {name: features[name] for name in model.features}, learned)
    bins = {name: reference(learned.values, name, features[name].is_number) for name in model.features}
    drift = indices(bins, newest) if newest else {}
    return _tried(model, fitted, msgspec.structs.replace(card, newest=len(newest), drift=drift), learned, tried)


def train_clusters(
    model: Clusters,
    features: Mapping[str, Feature],
    examples: Examples,
    version: str,
    trained_to: str,
    before: Document | None = None,
) -> Trained:
    """The groups of the people of these examples; those that were found `before` keep their names."""
    needed = {name: feature.as_document() for name, feature in model.of_features(features).items()}
    scales = [RobustScale(name, 0.0, 1.0) for name in model.features]
    document = ClusterModel(model.name, version, needed, scales, [], False, "", trained_to)
    card = Card(len(examples), 0, 0, 0.0)
    if len(examples) < model.least_people:
        why = f"there are {len(examples)} people to learn from; it takes {model.least_people}"
        return Trained(msgspec.structs.replace(document, why=why), card)
    earlier = before if isinstance(before, ClusterModel) else None
    learned, chosen = fit(document, examples.values, model.most, earlier)
    sizes = [(name, size, 0.0) for name, size in chosen.sizes.items()]
    return Trained(learned, msgspec.structs.replace(card, silhouettes=chosen.silhouettes, segments=sizes))


def _fit(document: ScoreModel, features: Mapping[str, Feature], learned: Examples) -> ScoreModel:
    scales = [_scale(name, feature, learned) for name, feature in features.items()]
    matrix = np.hstack([_columns(each, [values[each.name] for values in learned.values]) for each in scales])
    did = np.array(learned.did, dtype=bool)
    slope, intercept = _calibrated(matrix, did)
    found = _logistic().fit(matrix, did)
    weights = list(found.coef_[0])
    placed = [_placed(each, weights) for each in scales]
    return msgspec.structs.replace(
        document, weights=placed, intercept=float(found.intercept_[0]), calibration=(slope, intercept)
    )


def _logistic(held_back: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=held_back, tol=1e-10, max_iter=2_000)


def _calibrated(matrix: Numbers, did: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept that set log-odds right of people that a model did not learn from (Platt 1999)."""
    odds = np.zeros(len(did))
    for inside, outside in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(matrix):
        if 0 < did[inside].sum() < len(inside):
            odds[outside] = _logistic().fit(matrix[inside], did[inside]).decision_function(matrix[outside])
    if not np.ptp(odds):
        return 1.0, 0.0
    line = _logistic(_FREE).fit(odds.reshape(-1, 1), did)
    return float(line.coef_[0][0]), float(line.intercept_[0])


def _scale(name: str, feature: Feature, learned: Examples) -> NumberWeight | TextWeight:
    """The scale of a feature, without a weight yet."""
    known = [values[name] for values in learned.values if values[name] is not None]
    if feature.is_number:
        log = feature.kind != "trait"
        numbers = np.array([on_scale(float(value), log) for value in known if value is not None] or [0.0])
        return NumberWeight(name, float(numbers.mean()), float(numbers.std()) or 1.0, 0.0, 0.0, log)
    texts, counts = np.unique(np.array(known, dtype=str), return_counts=True)
    of_many = [(text, count) for text, count in zip(texts, counts, strict=True) if count >= _LEAST_OF_TEXT]
    often = sorted(of_many, key=lambda each: (-each[1], each[0]))[:_MOST_TEXTS]
    return TextWeight(name, {str(text): 0.0 for text, _ in sorted(often)}, 0.0, 0.0, 0.0)


def _columns(scale: NumberWeight | TextWeight, given: Sequence[float | str | None]) -> Numbers:
    """The columns of a feature: a number and whether it is missing; of a text which one it is, another, or none."""
    if isinstance(scale, NumberWeight):
        rows = [
            (0.0, 1.0) if value is None else ((on_scale(float(value), scale.log) - scale.mean) / scale.scale, 0.0)
            for value in given
        ]
        return np.array(rows, dtype=float).reshape(len(given), 2)
    places = {text: at for at, text in enumerate(scale.weights)}
    table = np.zeros((len(given), len(places) + 2))
    for row, value in enumerate(given):
        table[row, len(places) + 1 if value is None else places.get(str(value), len(places))] = 1.0
    return table


def _placed(scale: NumberWeight | TextWeight, weights: list[Any]) -> NumberWeight | TextWeight:
    """The scale with its weights, which are taken from the list."""
    if isinstance(scale, NumberWeight):
        weight, missing = (float(weights.pop(0)) for _ in range(2))
        return msgspec.structs.replace(scale, weight=weight, missing=missing)
    texts = {text: float(weights.pop(0)) for text in scale.weights}
    other, missing = (float(weights.pop(0)) for _ in range(2))
    mean = float(np.mean(list(texts.values()))) if texts else 0.0
    return msgspec.structs.replace(scale, weights=texts, other=other, missing=missing, mean=mean)


def _tried(model: Model, fitted: ScoreModel, card: Card, learned: Examples, tried: Examples) -> Trained:
    as_promoted = msgspec.structs.replace(fitted, promoted=True)
    did = np.array(tried.did, dtype=bool)
    foretold = _scores(as_promoted, tried.values)
    by_rule = np.array([_number(values.get(model.rule.feature)) for values in tried.values])
    compared = compare({"rule": by_rule, "model": foretold}, did)
    rule, own = compared.areas["rule"], compared.areas["model"]
    is_better = own.value > rule.high
    is_above = "is above" if is_better else "is not above"
    why = f"its area under the curve, {own}, {is_above} the interval of the rule's, {rule}"
    segments = [model.segment_of(value) for value in foretold]
    bins, rate = calibration(foretold, did), _mean(learned.did)
    told = msgspec.structs.replace(
        card,
        areas=compared.areas,
        differences=compared.differences,
        curves={"rule": curve(by_rule, did), "model": curve(foretold, did)},
        brier=float(((foretold - did) ** 2).mean()),
        brier_of_rate=float(((rate - did) ** 2).mean()),
        bins=bins,
        expected_error=expected_error(bins),
        importance=_importance(as_promoted, tried, did, own.value),
        segments=[
            (each.segment, segments.count(each.segment), _mean(did[[name == each.segment for name in segments]]))
            for each in model.segments
        ],
        groups=groups(tried.by, foretold, did, np.array([name == model.segments[0].segment for name in segments])),
    )
    return Trained(msgspec.structs.replace(fitted, promoted=is_better, why=why), told)


def _scores(model: ScoreModel, values: Sequence[Values]) -> Numbers:
    return np.array([score(model, each).score for each in values], dtype=float)


def _importance(model: ScoreModel, tried: Examples, did: NDArray[np.bool_], own: float) -> dict[str, float]:
    """By feature how much the area falls where its values change hands (Breiman 2001)."""
    chance = np.random.default_rng(_SEED)
    found = {}
    for each in model.weights:
        order = chance.permutation(len(tried))
        mixed = [
            {**values, each.name: tried.values[other][each.name]}
            for values, other in zip(tried.values, order, strict=True)
        ]
        found[each.name] = own - area(_scores(model, mixed), did)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else -np.inf


def _mean(did: Any) -> float:
    return float(np.mean(did)) if len(did) else 0.0
