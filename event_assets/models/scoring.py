"""The score of a model for one person: a logistic function of the features, as a JSON document says it. Nothing here
needs a library, so that a request is answered in microseconds; how a model learns is in training.py.

A number is put on the scale that it was learned on: the logarithm where its document says so, less the mean, in
standard deviations; where there is none, `missing` counts instead. A text counts as its weight, that of `other` texts,
or that of none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

FORMAT = 1
"""Version of the document: one of another version is not read."""
_MOST_REASONS = 3


class NumberWeight(msgspec.Struct, tag="number", frozen=True, forbid_unknown_fields=True):
    """How a number counts."""

    name: str
    mean: float
    scale: float
    weight: float
    missing: float
    log: bool = False


class TextWeight(msgspec.Struct, tag="text", frozen=True, forbid_unknown_fields=True):
    """How a text counts; `mean` is what it counted in the mean."""

    name: str
    weights: dict[str, float]
    other: float
    missing: float
    mean: float


class ScoreSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score on somebody is in a segment, the highest first."""

    segment: str
    at_least: float


class ScoreRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule that counts while no model is better: from how much of a feature on somebody is in the first segment,
    else in the last."""

    feature: str
    at_least: float


class ScoreModel(msgspec.Struct, tag="classifier", tag_field="kind", frozen=True, forbid_unknown_fields=True):
    """A model as it is kept. `features` are what it takes to score somebody: the rules of their files; `calibration` is
    slope and intercept by which the log-odds were set right. Where it was not `promoted`, the rule counts."""

    name: str
    version: str
    features: dict[str, dict[str, object]]
    weights: list[NumberWeight | TextWeight]
    intercept: float
    calibration: tuple[float, float]
    segments: list[ScoreSegment]
    rule: ScoreRule
    promoted: bool
    why: str
    trained_to: str
    format: int = FORMAT


class RobustScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what a number is told to be much or little: the median of its logarithm, and how far people are from it."""

    name: str
    middle: float
    spread: float


class Centre(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The middle of a group, on the robust scales."""

    segment: str
    at: list[float]


class ClusterModel(msgspec.Struct, tag="clusters", tag_field="kind", frozen=True, forbid_unknown_fields=True):
    """Groups of people who are alike, as they are kept. Where it was not `promoted`, all are one segment."""

    name: str
    version: str
    features: dict[str, dict[str, object]]
    scales: list[RobustScale]
    centres: list[Centre]
    promoted: bool
    why: str
    trained_to: str
    format: int = FORMAT


Document = ScoreModel | ClusterModel
EVERYBODY = "everybody"
"""The segment of all, where there are no groups."""
_FURTHEST = 3.0


class Reason(NamedTuple):
    """What of a person moved the score from the mean, in log-odds; of a group, how far they are from the middle of all,
    in spreads."""

    feature: str
    value: float | str | None
    effect: float


class Scored(NamedTuple):
    """The answer: the segment, the probability (None where the rule counts), why, the most telling first."""

    segment: str
    score: float | None
    reasons: tuple[Reason, ...]


def read_model(text: bytes) -> Document:
    """The model of a document. Raises `ValueError` where it is none, or of another format."""
    try:
        model: Document = msgspec.json.decode(text, type=Document)
    except msgspec.MsgspecError as error:
        raise ValueError(f"it is no model: {error}") from None
    if model.format != FORMAT:
        raise ValueError(f"it is of format {model.format}, and {FORMAT} is read here; train it again")
    return model


def score(model: Document, values: Mapping[str, float | str | None]) -> Scored:
    """Where these features put somebody; one that is not among them is one that is not known."""
    if isinstance(model, ClusterModel):
        return _nearest(model, values)
    if not model.promoted:
        value = values.get(model.rule.feature)
        is_first = isinstance(value, int | float) and value >= model.rule.at_least
        return Scored(model.segments[0 if is_first else -1].segment, None, (Reason(model.rule.feature, value, 0.0),))
    effects = [(each, _effect(each, values.get(each.name))) for each in model.weights]
    slope, intercept = model.calibration
    found = probability(slope * (model.intercept + math.fsum(effect for _, effect in effects)) + intercept)
    told = [Reason(each.name, values.get(each.name), slope * (effect - _mean(each))) for each, effect in effects]
    told.sort(key=lambda reason: (-abs(reason.effect), reason.feature))
    segment = next(each.segment for each in model.segments if found >= each.at_least)
    return Scored(segment, found, tuple(each for each in told[:_MOST_REASONS] if each.effect))


def by_default(model: Document, refused: str) -> Scored:
    """The answer about somebody who refused that purpose: of nothing they did, the last segment, or that of all."""
    segment = EVERYBODY if isinstance(model, ClusterModel) else model.segments[-1].segment
    return Scored(segment, None, (Reason(f"consent.{refused}", "refused", 0.0),))


def robust(scales: Sequence[RobustScale], values: Mapping[str, float | str | None]) -> list[float]:
    """Where somebody is on robust scales; in the middle, of what is not known."""
    return [_robust(each, values.get(each.name)) for each in scales]


def _robust(scale: RobustScale, value: float | str | None) -> float:
    if value is None or isinstance(value, str):
        return 0.0
    return max(-_FURTHEST, min(_FURTHEST, (on_scale(value, True) - scale.middle) / scale.spread))


def _nearest(model: ClusterModel, values: Mapping[str, float | str | None]) -> Scored:
    place = robust(model.scales, values)
    told = [Reason(each.name, values.get(each.name), at) for each, at in zip(model.scales, place, strict=True)]
    told.sort(key=lambda reason: (-abs(reason.effect), reason.feature))
    reasons = tuple(each for each in told[:_MOST_REASONS] if each.effect)
    if not model.promoted:
        return Scored(EVERYBODY, None, reasons)
    return Scored(min(model.centres, key=lambda each: math.dist(each.at, place)).segment, None, reasons)


def probability(log_odds: float) -> float:
    """The logistic function, without an overflow."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1 + grown)


def on_scale(value: float, log: bool) -> float:
    """A number, or the logarithm of one more than it (by its sign)."""
    return math.copysign(math.log1p(abs(value)), value) if log else float(value)


def _effect(each: NumberWeight | TextWeight, value: float | str | None) -> float:
    if isinstance(each, NumberWeight):
        if value is None or isinstance(value, str):
            return each.missing
        return (on_scale(value, each.log) - each.mean) / each.scale * each.weight
    if value is None:
        return each.missing
    return each.weights.get(str(value), each.other)


def _mean(each: NumberWeight | TextWeight) -> float:
    return each.mean if isinstance(each, TextWeight) else 0.0
