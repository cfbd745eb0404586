"""How good a score is, on people that nothing was learned from: areas under the curve with intervals, calibration,
groups. What is learned is in training.py.

Intervals are of 95 %, from resampled people, by the same draws for all that is compared (the percentile bootstrap:
Efron 1979). An area under the curve is the share of pairs of one who did and one who did not that the score puts in
order, ties counting half (Mann and Whitney 1947).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Numbers = NDArray[np.float64]
_SEED, _DRAWS = 20_260_101, 1_000
_BINS = 10
_LEAST_OF_GROUP = 30


class Interval(msgspec.Struct, frozen=True):
    """A figure, and between what it lies."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Bin(msgspec.Struct, frozen=True):
    """A tenth of the people by score: how many, what was foretold in the mean, what came."""

    people: int
    foretold: float
    came: float


class GroupFigures(msgspec.Struct, frozen=True):
    """What is so of some of the people: how many, how many of them did it, what was foretold in the mean, the share in
    the first segment, and the area under the curve (None where all did, or none)."""

    by: str
    group: str
    people: int
    came: float
    foretold: float
    first_segment: float
    auc: float | None


class Compared(NamedTuple):
    """Areas under the curve of several scores for the same people, and of each the difference from the first."""

    areas: dict[str, Interval]
    differences: dict[str, Interval]


def area(scores: Numbers, did: NDArray[np.bool_]) -> float:
    """The area under the curve; 0.5 where all did, or none."""
    ones = int(did.sum())
    zeros = len(did) - ones
    if not ones or not zeros:
        return 0.5
    ranks = rankdata(scores)
    return float((ranks[did].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def compare(scores: Mapping[str, Numbers], did: NDArray[np.bool_], draws: int = _DRAWS) -> Compared:
    """The areas of these scores by name, the first of which is what the others are held against."""
    chance = np.random.default_rng(_SEED)
    found: dict[str, list[float]] = {name: [] for name in scores}
    for _ in range(draws):
        drawn = chance.integers(0, len(did), len(did))
        for name, each in scores.items():
            found[name].append(area(each[drawn], did[drawn]))
    first = next(iter(scores))
    own = {name: area(each, did) for name, each in scores.items()}
    areas = {name: _interval(own[name], found[name]) for name in scores}
    differences = {
        name: _interval(own[name] - own[first], [a - b for a, b in zip(found[name], found[first], strict=True)])
        for name in scores
        if name != first
    }
    return Compared(areas, differences)


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))


def curve(scores: Numbers, did: NDArray[np.bool_], points: int = 50) -> list[tuple[float, float]]:
    """Some points of the curve: the share of those who did not, and of those who did, from the highest score on."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    ones, zeros = max(int(did.sum()), 1), max(int((~did).sum()), 1)
    found = np.cumsum(did[order])[ends] / ones, np.cumsum(~did[order])[ends] / zeros
    shown = np.unique(np.linspace(0, len(ends) - 1, min(points, len(ends))).astype(int))
    return [(0.0, 0.0), *((float(found[1][at]), float(found[0][at])) for at in shown)]


def calibration(foretold: Numbers, did: NDArray[np.bool_]) -> list[Bin]:
    """The people in tenths by score."""
    order = np.argsort(foretold, kind="stable")
    return [
        Bin(len(part), float(foretold[part].mean()), float(did[part].mean()))
        for part in np.array_split(order, _BINS)
        if len(part)
    ]


def expected_error(bins: Sequence[Bin]) -> float:
    """The mean distance of what came from what was foretold, over the bins by their people (ECE)."""
    people = sum(each.people for each in bins)
    return sum(each.people * abs(each.foretold - each.came) for each in bins) / max(people, 1)


def groups(
    by: Mapping[str, Sequence[str | None]],
    foretold: Numbers,
    did: NDArray[np.bool_],
    is_first: NDArray[np.bool_],
) -> list[GroupFigures]:
    """What is so of each group, by platform, country, …; those of fewer than 30 people are one."""
    told = []
    for name, given in by.items():
        values = np.array([value or "(none)" for value in given], dtype=object)
        known, counts = np.unique(values.astype(str), return_counts=True)
        few = {value for value, count in zip(known, counts, strict=True) if count < _LEAST_OF_GROUP}
        named = np.array(["(others)" if value in few else value for value in values.astype(str)])
        for group in np.unique(named):
            those = named == group
            is_mixed = bool(did[those].any() and not did[those].all())
            told.append(
                GroupFigures(
                    name,
                    str(group),
                    int(those.sum()),
                    float(did[those].mean()),
                    float(foretold[those].mean()),
                    float(is_first[those].mean()),
                    area(foretold[those], did[those]) if is_mixed else None,
                )
            )
    return told
