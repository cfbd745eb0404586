"""How unlikely an observation is: as a normal score by a model of counts or rates, and as a probability by the series'
own past.

Scores are signed: positive is more than was expected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betainc, ndtr, ndtri

from event_assets.models.panel import Numbers, Places

_LEAST = 1e-300
_MOST_SCORE = 37.0
_TAIL = 0.1
"""Share of the past scores that the tail is fitted to."""
_NORMAL = (1.645, 0.43), (2.706, 1.686)
"""Where the largest tenth of |normal| scores, and of their squares, begins, and how far it lies above that on
average."""
_PRIOR, _PRIOR_EXCESS = 30.0, 6.0
"""How many past scores, and how many in the tail, what is expected counts as."""


def count_scores(counts: Numbers, expected: Numbers, dispersion: Numbers) -> Numbers:
    """Scores of counts by the negative binomial distribution of that mean and `dispersion` (variance by mean, above 1).

    Half of what is observed counts as more (mid-p), so that scores of small counts are centred as well.
    """
    share = 1 / np.maximum(dispersion, 1.01)
    size = np.maximum(expected, 1e-9) * share / (1 - share)
    as_many, more = (_at_least(number, size, 1 - share) for number in (counts, counts + 1))
    return _scores((as_many + more) / 2)


def rate_scores(hits: Numbers, trials: Numbers, past_hits: Numbers, past_trials: Numbers) -> Numbers:
    """Scores of `hits` of `trials` by the beta-binomial distribution that past ones give, with half a hit and half a
    miss before all (Jeffreys).

    The distribution is taken as the binomial one of as many trials as have its variance: n (w + 1) / (w + n) of n
    trials, after w in the past. Without trials the score is 0.
    """
    weight = past_trials + 1
    share = np.minimum((past_hits + 0.5) / weight, 1 - 1e-9)
    effective = trials * (weight + 1) / (weight + trials)
    scaled = np.where(trials > 0, np.minimum(hits, trials) / np.maximum(trials, 1e-9), 0.0) * effective
    as_many, more = (_at_least(number, effective - number + 1, share) for number in (scaled, scaled + 1))
    return np.where(trials > 0, _scores((as_many + more) / 2), 0.0)


def _at_least(number: Numbers, other: Numbers, share: Numbers) -> Numbers:
    """The probability of so many or more, by the incomplete beta function; of none or more 1, of more than all 0."""
    probability: Numbers = betainc(np.maximum(number, 1e-9), np.maximum(other, 1e-9), share)
    return np.where(number <= 0, 1.0, np.where(other <= 0, 0.0, probability))


def _scores(above: Numbers) -> Numbers:
    """The normal score of a probability that as much or more is observed."""
    scores: Numbers = np.clip(-ndtri(np.clip(above, _LEAST, 1 - 1e-16)), -_MOST_SCORE, _MOST_SCORE)
    return scores


class Tail(NamedTuple):
    """The past of |scores|, one distribution a series and window: sorted, last those that are not there (NaN); how many
    there are; of scores to the `power`, where the tail begins, and how far it lies above that on average."""

    past: Numbers
    there: Numbers
    start: Numbers
    excess: Numbers
    power: Numbers


def tail_of(scores: Numbers, windows: Numbers, groups: Places, power: Places | None = None) -> Tail:
    """The tails of past scores, of steps by series by window; NaN is no score. `windows` has the steps of each window:
    scores of windows that overlap count as so many fewer.

    The largest tenth is taken as exponential above its beginning (Pickands, Balkema and de Haan, with shape 0); with a
    `power` of 2, by series, its squares are, as of what is a sum of many that do not know of each other (a Weibull
    tail). What a series says of itself is weighed with what all of its group say, and that with the normal
    distribution, so that a short past is not believed more than it can tell.
    """
    past = np.sort(np.abs(scores), axis=0)
    to = np.ones(past.shape[1], dtype=np.int64) if power is None else power
    squared = (to == 2)[:, None] & np.ones(past.shape[1:], dtype=bool)
    start, excess = (np.where(squared, of_squares, of_own) for of_own, of_squares in zip(*_NORMAL, strict=True))
    sizes = np.where(squared, np.square(past), past)
    for group in np.unique(groups):
        own = groups == group
        together = np.sort(sizes[:, own].reshape(-1, 1, past.shape[2]), axis=0)
        start[own], excess[own] = _weighed(together, windows, start[own][:1], excess[own][:1])
    there = np.isfinite(past).sum(axis=0).astype(float)
    return Tail(past, there, *_weighed(sizes, windows, start, excess), np.where(squared, 2.0, 1.0))


def _weighed(sizes: Numbers, windows: Numbers, start: Numbers, excess: Numbers) -> tuple[Numbers, Numbers]:
    """Where the tails of sorted sizes begin, and how far they lie above it, weighed with what is expected before any
    is seen."""
    there = np.isfinite(sizes).sum(axis=0).astype(float)
    if not len(sizes):
        return start + 0 * there, excess + 0 * there
    first = np.clip(np.floor(there * (1 - _TAIL)), 0, len(sizes) - 1).astype(int)
    own = np.take_along_axis(sizes, first[None], axis=0)[0]
    own = np.where(np.isnan(own), start, own)
    above = np.nan_to_num(np.where(sizes > own, sizes - own, 0.0))
    seen, larger = there / windows, (above > 0).sum(axis=0) / windows
    begins = (seen * own + _PRIOR * start) / (seen + _PRIOR)
    return begins, (above.sum(axis=0) / windows + _PRIOR_EXCESS * excess) / (larger + _PRIOR_EXCESS)


def probabilities(scores: Numbers, tail: Tail) -> Numbers:
    """How probable so large a score is on a usual step, in either direction: the largest of three answers.

    The normal distribution's; that of the fitted tail; and, where the past has such scores, their share in it (the
    conformal p-value (1 + k) / (1 + n)).
    """
    size = np.abs(scores)
    return _largest(size, tail, (tail.past >= size).sum(axis=0))


def probabilities_of_steps(scores: Numbers, tail: Tail) -> Numbers:
    """The same of many steps against one past: `scores` are of steps by series by window."""
    size = np.abs(scores)
    as_large = np.zeros(size.shape)
    for series, window in np.ndindex(size.shape[1:]):
        there = int(tail.there[series, window])
        below = np.searchsorted(tail.past[:there, series, window], size[:, series, window])
        as_large[:, series, window] = there - below
    return _largest(size, tail, as_large)


def _largest(size: Numbers, tail: Tail, as_large: Numbers) -> Numbers:
    fitted = _TAIL * np.exp(-(size**tail.power - tail.start) / tail.excess)
    seen = np.where(as_large > 0, (1 + as_large) / (1 + tail.there), 0.0)
    largest: Numbers = np.minimum(np.maximum(np.maximum(2 * ndtr(-size), fitted), seen), 1.0)
    return largest


def score_at(probability: float, tail: Tail) -> Numbers:
    """The |score| from which on the fitted tail gives a smaller probability: half the width of a band."""
    fitted = (tail.start + tail.excess * np.log(_TAIL / probability)) ** (1 / tail.power)
    size: Numbers = np.maximum(-ndtri(probability / 2), fitted)
    return size


def discoveries(probabilities: Numbers, rate: float, weights: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of many are told so that at most `rate` of those told are false (Benjamini and Hochberg 1995), where
    `weights`, 1 on average at most, say of which more or less proof is asked (Genovese, Roeder and Wasserman 2006)."""
    number = len(probabilities)
    if not number:
        return np.zeros(0, dtype=bool)
    weighed = probabilities / (weights / max(float(weights.mean()), 1.0))
    ranked = np.sort(weighed)
    passing = np.nonzero(ranked <= rate * np.arange(1, number + 1) / number)[0]
    return weighed <= ranked[passing[-1]] if len(passing) else np.zeros(number, dtype=bool)
