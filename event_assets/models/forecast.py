"""What the next steps of series are expected to be: a level with a damped trend (Holt; Gardner and McKenzie 1985), with
the profile of a week or day where that has served better, and how far off it was.

Works in the square root of the numbers, in which the spread of a count does not depend on its size.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from event_assets.models.panel import Flags, Numbers


@dataclass(frozen=True)
class Smoothing:
    """How fast the past is forgotten: weights of the newest step in level, trend, profile and spread; `damping` of the
    trend from step to step; `clip`: residuals count as no more than so many times the spread."""

    level: float = 0.08
    trend: float = 0.004
    profile: float = 0.12
    spread: float = 0.04
    damping: float = 0.98
    clip: float = 2.5


def rooted(numbers: Numbers, is_count: Flags) -> Numbers:
    """The square root with the sign kept; of counts Anscombe's, 2 √(x + 3/8), whose variance is about 1."""
    counts = 2 * np.sqrt(np.maximum(numbers, 0) + 0.375)
    return np.where(is_count[:, None], counts, np.sign(numbers) * np.sqrt(np.abs(numbers)))


def unrooted(roots: Numbers, is_count: Flags, variance: Numbers) -> Numbers:
    """The numbers that are expected where their roots are, with that variance."""
    counts = np.maximum(np.square(np.maximum(roots, 0) / 2) - 0.375 + variance / 4, 0.0)
    return np.where(is_count, counts, np.sign(roots) * np.square(roots))


@dataclass
class Forecaster:
    """The state of all series after the steps so far. One step after the other goes into `learn`."""

    number: int
    season: int
    how: Smoothing
    least_spread: Numbers
    level: Numbers = field(init=False)
    trend: Numbers = field(init=False)
    profile: Numbers = field(init=False)
    spread: Numbers = field(init=False)
    seen: Numbers = field(init=False)
    _off: Numbers = field(init=False)
    _off_with_profile: Numbers = field(init=False)

    def __post_init__(self) -> None:
        zero = np.zeros(self.number)
        self.level, self.trend, self.seen = zero.copy(), zero.copy(), zero.copy()
        self._off, self._off_with_profile = zero.copy(), zero.copy()
        self.profile = np.zeros((self.season, self.number))
        self.spread = np.maximum(self.least_spread, 1e-9)

    @property
    def has_profile(self) -> Flags:
        """Which series are forecast with the profile: seen for two seasons, and less off with it."""
        return (self.seen >= 2 * self.season) & (self._off_with_profile < 0.97 * self._off)

    def ahead(self, step: int, level: Numbers, trend: Numbers, steps: int) -> Numbers:
        """Forecasts of the `steps` from `step` on, by a level and trend after the step before; steps by series."""
        damped = np.cumsum(self.how.damping ** np.arange(1, steps + 1))
        profile = self.profile[(step + np.arange(steps)) % self.season]
        return level + damped[:, None] * trend + np.where(self.has_profile, profile, 0.0)

    def learn(self, step: int, roots: Numbers, is_seen: Flags, is_held: Flags) -> None:
        """Takes a step in. Of series that are held (unusual just now) it moves by the forecast alone; those not `seen`
        yet stay. For two seasons the level is the mean, and the profile begins as how the first of them lay about its
        own, so that it is not of what the level has followed."""
        how, place = self.how, step % self.season
        learns = is_seen & ~is_held
        plain = self.level + how.damping * self.trend
        off_plain = roots - plain
        off_profiled = off_plain - self.profile[place]
        off = np.where(self.has_profile, off_profiled, off_plain)
        first, young = self.seen == 0, self.seen < 2 * self.season
        limit = how.clip * self.spread
        clipped = np.where(young, off, np.clip(off, -limit, limit))
        rate = np.where(young, 1 / (self.seen + 1), how.level)
        steady = np.where(young, 0.0, how.trend)
        level = np.where(first, roots, plain + rate * clipped)
        trend = how.damping * self.trend + steady * clipped
        rate = np.maximum(how.profile, 1 / (self.seen // self.season + 1.5))
        profile = self.profile[place] + rate * np.clip(off_profiled, -2 * limit, 2 * limit)
        profile = np.where(self.seen < self.season, roots, profile)
        self._compare(learns & ~first, np.abs(off_plain), np.abs(off_profiled))
        self._learn_spread(learns & ~first, clipped)
        self.profile[place] = np.where(learns, profile, self.profile[place])
        self.level = np.where(learns, level, np.where(is_seen, plain, self.level))
        self.trend = np.where(learns, trend, np.where(is_seen, how.damping * self.trend, self.trend))
        self.seen = self.seen + learns
        is_whole = (self.seen == self.season) | ((self.seen > self.season) & (place == self.season - 1))
        self.profile -= np.where(learns & is_whole, self.profile.mean(axis=0), 0.0)

    def _learn_spread(self, learns: Flags, clipped: Numbers) -> None:
        rate = np.maximum(self.how.spread, 1 / (self.seen + 1))
        mean = (1 - rate) * np.square(self.spread) + rate * np.square(clipped)
        spread = np.maximum(np.sqrt(mean), self._least())
        self.spread = np.where(learns, spread, self.spread)

    def _least(self) -> Numbers:
        return np.maximum(self.least_spread, 0.005 * np.abs(self.level))

    def _compare(self, learns: Flags, plain: Numbers, with_profile: Numbers) -> None:
        for name, off in (("_off", plain), ("_off_with_profile", with_profile)):
            before = getattr(self, name)
            rate = np.maximum(self.how.spread, 1 / (self.seen + 1))
            setattr(self, name, np.where(learns, (1 - rate) * before + rate * off, before))
