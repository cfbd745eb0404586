"""Who behaves unlike most: how far habits of visitors are from those of the population, and from where on that is told.

Each habit is held against the median, in deviations that only the suspicious side of the median is measured by (from
the median to the quartile of that side, as most habits are skewed); what lies on the other side is no distance. A
distance is the length of all deviations together, each up to a most, so that one habit alone does not tell. Most
visitors say how distances fall off: squares of them like a chi-squared number, so an exponential tail through their
median and upper quartile, that those who are far off hardly move. Where that tail leaves the budget, a visitor is an
outlier, if two of their habits at least are unusual. What habits are is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
BUDGET = 0.002
"""Of those who behave as most do, so many may be told."""
LEAST_VISITORS = 50
"""With fewer nobody is judged."""
LEAST_KNOWN = 30
"""A habit that is known of fewer is not looked at."""
UNUSUAL = 2.0
"""Deviations from which on a habit is a reason."""
_LEAST_REASONS, _MOST_DEVIATIONS = 2, 8.0
_LEAST_LIMIT = 3.0
_BULK = (0.5, 0.75)
_NORMAL = 0.6745
"""Standard deviations from the median of a normal distribution to its quartile."""


class Habit(NamedTuple):
    """Something that is measured of a visitor: which side of most is suspicious (1: more, -1: less), and the least that
    counts as one deviation, in the same unit as the values."""

    name: str
    side: int
    least: float


class Outliers(NamedTuple):
    """What was found of visitors: their distance in units of the limit (above 1 is too far), whether they are outliers,
    by how many deviations each habit is off on its suspicious side, and the habits of most."""

    score: Numbers
    is_outlier: NDArray[np.bool_]
    deviations: Numbers
    usual: Numbers

    def reasons(self, place: int) -> list[int]:
        """The habits of a visitor that are unusual, the farthest off first."""
        off = self.deviations[place]
        return sorted((int(each) for each in np.flatnonzero(off >= UNUSUAL)), key=lambda habit: (-off[habit], habit))


def find_outliers(values: Numbers, habits: Sequence[Habit], budget: float = BUDGET) -> Outliers | None:
    """The outliers among visitors, one a row of `values`, of which each column is a habit; what is not known of
    somebody is NaN, and no distance. None where they are too few to say what is usual."""
    visitors = len(values)
    if visitors < LEAST_VISITORS:
        return None
    deviations = np.zeros(values.shape)
    usual = np.full(len(habits), np.nan)
    for place, habit in enumerate(habits):
        known = np.isfinite(values[:, place])
        if known.sum() >= LEAST_KNOWN:
            usual[place], deviations[known, place] = _deviations(values[known, place], habit)
    distance = np.sqrt((deviations**2).sum(axis=1))
    score = distance / _limit(distance, budget)
    is_outlier = (score > 1) & ((deviations >= UNUSUAL).sum(axis=1) >= _LEAST_REASONS)
    return Outliers(score, is_outlier, deviations, usual)


def _deviations(values: Numbers, habit: Habit) -> tuple[float, Numbers]:
    middle = float(np.median(values))
    off = habit.side * (values - middle)
    spread = float(np.quantile(off, 0.75)) / _NORMAL
    return middle, np.clip(off / max(spread, habit.least), 0.0, _MOST_DEVIATIONS)


def _limit(distance: Numbers, budget: float) -> float:
    """How far those few are who behave as most do, of whom there are as many as the budget says."""
    low, high = (float(each) for each in np.quantile(distance**2, _BULK))
    decay = (high - low) / math.log((1 - _BULK[0]) / (1 - _BULK[1]))
    return max(math.sqrt(low + decay * math.log((1 - _BULK[0]) / budget)), _LEAST_LIMIT)
