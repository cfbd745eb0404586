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
_MOST_OUT = 0.25
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
    and by how many deviations each habit is off on its suspicious side."""

    score: Numbers
    is_outlier: NDArray[np.bool_]
    deviations: Numbers

    def reasons(self, place: int) -> list[int]:
        """The habits of a visitor that are unusual, the farthest off first."""
        off = self.deviations[place]
        return sorted((int(each) for each in np.flatnonzero(off >= UNUSUAL)), key=lambda habit: (-off[habit], habit))


class Usual(NamedTuple):
    """The habits of most: of each its suspicious side, the median, NaN where it is not looked at, and what is one
    deviation; and from which distance on a visitor is too far off."""

    sides: Numbers
    middle: Numbers
    spread: Numbers
    limit: float

    def judge(self, values: Numbers) -> Outliers:
        """What is to be said of visitors, one a row of `values`, of which each column is a habit; what is not known of
        somebody is NaN, and no distance."""
        deviations = self.deviations(values)
        score = np.sqrt((deviations**2).sum(axis=1)) / self.limit
        is_outlier = (score > 1) & ((deviations >= UNUSUAL).sum(axis=1) >= _LEAST_REASONS)
        return Outliers(score, is_outlier, deviations)

    def deviations(self, values: Numbers) -> Numbers:
        """How far off each habit is on its suspicious side."""
        off = self.sides * (values - self.middle) / self.spread
        return np.clip(np.nan_to_num(off, nan=0.0), 0.0, _MOST_DEVIATIONS)


def usual_of(values: Numbers, habits: Sequence[Habit], budget: float = BUDGET) -> Usual | None:
    """What is usual among visitors, one a row of `values` as `Usual.judge` takes them. None where they are too few.

    How wide habits spread is asked once more of those who are no outliers by it: robots that are many in one habit, as
    all are that send no pings, would make that one usual. How distances fall off is asked of all each time, so that no
    more of the people are told for it.
    """
    if len(values) < LEAST_VISITORS:
        return None
    usual = _limited(_spreads(values, habits), values, budget)
    out = usual.judge(values).is_outlier
    if not 0 < out.mean() <= _MOST_OUT:
        return usual
    return _limited(_spreads(values[~out], habits, usual), values, budget)


def _spreads(values: Numbers, habits: Sequence[Habit], before: Usual | None = None) -> Usual:
    """A habit that is known of too few of these is as it was `before`."""
    scales = [_scale(values[:, place], habit) for place, habit in enumerate(habits)]
    middle, spread = (np.array(each) for each in zip(*scales, strict=True))
    if before is not None:
        is_known = np.isfinite(middle)
        middle, spread = np.where(is_known, middle, before.middle), np.where(is_known, spread, before.spread)
    return Usual(np.array([float(habit.side) for habit in habits]), middle, spread, 1.0)


def _limited(usual: Usual, values: Numbers, budget: float) -> Usual:
    return usual._replace(limit=_limit((usual.deviations(values) ** 2).sum(axis=1), budget))


def _scale(values: Numbers, habit: Habit) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if len(known) < LEAST_KNOWN:
        return math.nan, 1.0
    middle = float(np.median(known))
    spread = float(np.quantile(habit.side * (known - middle), 0.75)) / _NORMAL
    return middle, max(spread, habit.least)


def _limit(squares: Numbers, budget: float) -> float:
    """How far those few are who behave as most do, of whom there are as many as the budget says; by the squares of
    distances."""
    low, high = (float(each) for each in np.quantile(squares, _BULK))
    decay = (high - low) / math.log((1 - _BULK[0]) / (1 - _BULK[1]))
    return max(math.sqrt(low + decay * math.log((1 - _BULK[0]) / budget)), _LEAST_LIMIT)
