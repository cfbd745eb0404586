"""How much people of now differ from those that a model learned from, feature by feature: the population stability
index.

The bins are those of the training set and stay: tenths of a number, the frequent texts, and none. The index is the sum
of (now - then) x ln(now / then) over the shares (Siddiqi 2006, Credit Risk Scorecards): below 0.1 little changed, above
0.25 the model is asked about other people than it knows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from event_assets.models.features import Value, Values

MUCH = 0.25
_BINS, _MOST_TEXTS = 10, 12
_HALF = 0.5
"""People that each bin has beside those who are in it, so that an empty one is no infinity (Jeffreys)."""


class Reference(msgspec.Struct, frozen=True):
    """The bins of a feature, and the share of the training set in each, the missing last: the `edges` of numbers, each
    the least value of the next bin, or the `texts` that have a bin of their own before the others."""

    shares: list[float]
    people: int = 0
    edges: list[float] = []
    texts: list[str] = []


def reference(values: Sequence[Values], name: str, is_number: bool) -> Reference:
    """The bins of a feature by a training set."""
    known = [each[name] for each in values if each[name] is not None]
    if is_number:
        numbers = sorted(float(value) for value in known if value is not None)
        cuts = [numbers[len(numbers) * place // _BINS] for place in range(1, _BINS)] if numbers else []
        bins = Reference([], edges=sorted({cut for cut in cuts if cut > numbers[0]}))
    else:
        often = Counter(str(value) for value in known).most_common(_MOST_TEXTS)
        bins = Reference([], texts=sorted(text for text, _ in often))
    return msgspec.structs.replace(bins, shares=shares(bins, values, name), people=len(values))


def shares(bins: Reference, values: Sequence[Values], name: str) -> list[float]:
    """The share of people in each bin."""
    size = (len(bins.texts) + 1 if bins.texts else len(bins.edges) + 1) + 1
    counts = [0] * size
    for each in values:
        counts[_place(bins, each.get(name), size - 1)] += 1
    return [count / max(len(values), 1) for count in counts]


def index(bins: Reference, values: Sequence[Values], name: str) -> float:
    """The index of a feature, of these people against those of the bins, less what it is in the mean where nothing
    changed: few people differ by chance alone (Yurdakul and Naranjo 2020). It is never below 0."""
    pairs = zip(_smooth(bins.shares, bins.people), _smooth(shares(bins, values, name), len(values)), strict=True)
    found = math.fsum((now - then) * math.log(now / then) for then, now in pairs)
    by_chance = (len(bins.shares) - 1) * (1 / max(bins.people, 1) + 1 / max(len(values), 1))
    return max(found - by_chance, 0.0)


def _smooth(given: Sequence[float], people: int) -> list[float]:
    return [(share * people + _HALF) / (people + _HALF * len(given)) for share in given]


def indices(references: Mapping[str, Reference], values: Sequence[Values]) -> dict[str, float]:
    """The indices of all features, the greatest first."""
    found = {name: index(bins, values, name) for name, bins in references.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _place(bins: Reference, value: Value | None, missing: int) -> int:
    if value is None:
        return missing
    if bins.texts or isinstance(value, str):
        return bins.texts.index(str(value)) if str(value) in bins.texts else len(bins.texts)
    return sum(float(value) >= edge for edge in bins.edges)
