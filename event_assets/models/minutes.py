"""Which of the last minutes are unusual: a metric that stops, halves or doubles within minutes.

A minute is held against the hours before it, and against the same time a day and a week ago; what lies between the
least and the most that these lead to expect is usual. So each minute follows from a stretch of fixed length, however
often and in whichever parts it is judged. Days and hours, of which a season is learnt, are in anomalies.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d

from event_assets.models.anomalies import Findings
from event_assets.models.panel import Flags, Numbers, Places
from event_assets.models.tails import (
    count_scores,
    discoveries,
    probabilities_of_steps,
    rate_scores,
    score_at,
    tail_of,
)

WINDOWS = (1, 5, 15)
"""Minutes, up to the one that is judged, whose sums are looked at."""
DAY, WEEK = 1440, 7 * 1440
AGO = (0, DAY, WEEK)
"""Minutes before now at which the same time is looked at."""
AHEAD = 7
"""Minutes after the same time that are needed of the days ago."""
_TEN, _TENS, _GAP = 10, 18, max(WINDOWS)
_LEVEL = _TEN * _TENS
"""The level is the median of so many stretches of ten minutes: it bears an outage of an hour and a half."""
_RATE = 360
"""Minutes that a rate is held against."""
REACH = DAY + _RATE + _GAP
"""Minutes before one that it depends on, and as many before the same time a day and a week ago."""
LEAST_AGE = DAY + _LEVEL + _GAP
"""Minutes of counts before the first that is judged."""
_SHAPE = 30
_SHARED = 0.5
"""How many events a minute the shape of the whole counts as beside a value's own."""
_FAR, _BEYOND = 2.0, 8.0
"""Between these a score is worked out exactly; beyond, a probability is too near to 1 to be told from it."""
_HOURS_OF_FAULTS, _FEW = 2, 5.0
"""Hours of a day that say nothing of how hits come; so many hits that come alone are among them all the same."""
_AT_ONCE = 1.5
"""From so many hits at once on sums of them have a longer tail than the normal one."""
_OVER = 2.0
"""Nothing is told any more where it is so many times likelier that it is over."""
_TOLD_ANYWAY, _HOURS_ALIKE = 6.0, 3
_BAND = 0.01


@dataclass(frozen=True)
class Minutes:
    """Series of counts and rates by minutes: `amounts`, and what rates are of as `wholes`, by `AGO`, series and minute,
    `AHEAD` more than are judged. `whole_of` is the place of the series of everything of the same metric, `age` for how
    many minutes before the first of them the lake has counted."""

    amounts: Numbers
    wholes: Numbers
    is_rate: Flags
    whole_of: Places
    age: int

    @property
    def steps(self) -> int:
        return int(self.amounts.shape[2]) - AHEAD


def judge(minutes: Minutes, begins: int, budget: float, weights: Numbers) -> Findings:
    """What is unusual from the minute `begins` on, by what was before it: the ways of an hour, calibrated by the day
    before. `budget`: the share of usual minutes on which anything at all may be told. `weights` by series and judged
    minute: above 1 less proof is asked for.

    A score counts where there is a day to hold it against. What was as far off in three other hours of the day before
    is how it is.
    """
    shares = _expected_shares(minutes)
    expected = _Expected(_expected_counts(minutes), shares, _clumps(minutes, shares, begins))
    looked = [_looked_at(minutes, expected, window, begins) for window in WINDOWS]
    scores, sums, means = (np.stack(each, axis=2) for each in zip(*looked, strict=True))
    ages = minutes.age + np.arange(minutes.steps)
    scores[:, ages < LEAST_AGE] = np.nan
    past = scores[:, max(0, begins - DAY) : begins].transpose(1, 0, 2)
    scale = np.maximum(1.0, 1.4826 * _median(np.abs(past)))
    past = past / scale
    power = np.where(minutes.is_rate & (expected.clumps < _AT_ONCE), 2, 1)
    groups = np.where(minutes.is_rate, power, 0)
    tail = tail_of(np.where(np.abs(past) > _TOLD_ANYWAY, np.nan, past), np.array(WINDOWS, float), groups, power)
    by_hour = _by_hour(np.abs(past))
    judged = scores[:, begins:] / scale[:, None]
    found = _blank(minutes, judged.shape[1])
    found.is_judged[:, ages[begins:] >= LEAST_AGE] = True
    of_steps = probabilities_of_steps(judged.transpose(1, 0, 2), tail)
    goes_on = _goes_on(sums[:, begins:], means[:, begins:], np.square(scale) * expected.clumps[:, None])
    of_steps = np.where(goes_on.transpose(1, 0, 2), of_steps, 1.0)
    for step, each in enumerate(of_steps):
        now = judged[:, step]
        each = np.where((by_hour >= np.abs(now)).sum(axis=0) >= _HOURS_ALIKE, 1.0, each)
        best = each.argmin(axis=1)
        rows = np.arange(len(best))
        found.probability[:, step] = np.minimum(each[rows, best] * len(WINDOWS) / 2, 1.0)
        found.score[:, step], found.window[:, step] = now[rows, best], np.array(WINDOWS)[best]
        asked = found.is_judged[:, step]
        found.is_alert[asked, step] = discoveries(found.probability[asked, step], budget, weights[asked, step])
    _band(minutes, expected, begins, found, score_at(_BAND, tail)[:, 0] * scale[:, 0])
    for numbers in (found.score, found.probability, found.expected, found.low, found.high):
        numbers[~found.is_judged] = np.nan
    return found


def _goes_on(sums: Numbers, means: Numbers, spread: Numbers) -> Flags:
    """Which windows of which minutes are of what lasts: by no shorter one is it so many times likelier that it is over
    than that it goes on as in the window (the ratio of Poisson likelihoods, of what is spread so wide)."""
    goes_on = np.ones(sums.shape, dtype=bool)
    for place in range(1, len(WINDOWS)):
        times = (sums[..., place] + 1e-3) / (means[..., place] + 1e-3)
        for shorter in range(place):
            ratio = sums[..., shorter] * np.log(times) - means[..., shorter] * (times - 1)
            goes_on[..., place] &= ratio / spread[:, None, shorter] > -np.log(_OVER)
    return goes_on


def _blank(minutes: Minutes, steps: int) -> Findings:
    shape = (len(minutes.is_rate), steps)
    expected, low, high, score, probability = (np.full(shape, np.nan) for _ in range(5))
    is_alert, is_judged = (np.zeros(shape, dtype=bool) for _ in range(2))
    window = np.ones(shape, dtype=np.int64)
    return Findings(expected, low, high, score, window, probability, is_alert, is_judged)


def _median(sizes: Numbers) -> Numbers:
    """By series and window; 0 where there is none."""
    if not len(sizes) or np.isnan(sizes).all():
        return np.zeros(sizes.shape[1:])
    filled = np.sort(sizes, axis=0)  # those that are not there come last
    there = np.isfinite(sizes).sum(axis=0)
    middle: Numbers = np.take_along_axis(filled, (there // 2).clip(max=len(filled) - 1)[None], axis=0)[0]
    return np.nan_to_num(middle)


def _by_hour(sizes: Numbers) -> Numbers:
    """The largest of each hour before the judged one."""
    hours = len(sizes) // 60
    if not hours:
        return np.zeros((1, *sizes.shape[1:]))
    whole = np.nan_to_num(sizes[len(sizes) - 60 * hours :])
    largest: Numbers = whole.reshape(hours, 60, *sizes.shape[1:]).max(axis=1)
    return largest


class _Expected(NamedTuple):
    """The least and the most that is expected a minute; of rates the shares, and of how many the hours before are; and
    how many hits of a rate come at once, of counts 1."""

    counts: tuple[Numbers, Numbers]
    shares: tuple[Numbers, Numbers, Numbers]
    clumps: Numbers


def _looked_at(minutes: Minutes, expected: _Expected, window: int, begins: int) -> tuple[Numbers, Numbers, Numbers]:
    """By series and minute: how far the sum of the window lies beyond what is expected, 0 within; that sum, and what of
    the expected is nearest to it."""
    amounts = minutes.amounts[0, :, : minutes.steps]
    scores, means = np.zeros(amounts.shape), np.zeros(amounts.shape)
    added = _rolling(amounts, window)
    counts, rates = ~minutes.is_rate, minutes.is_rate
    if counts.any():
        low, high = expected.counts
        means[counts] = np.maximum(np.clip(added[counts], window * low, window * high), 0.02)
        scores[counts] = _of_counts(added[counts], means[counts], 1 + 1.57 * window / _LEVEL)
    if rates.any():
        scores[rates], means[rates] = _rates_looked_at(minutes, expected, window, begins)
    return scores, added, means


def _rates_looked_at(minutes: Minutes, expected: _Expected, window: int, begins: int) -> tuple[Numbers, Numbers]:
    """The same of rates. For what is more than expected the largest minute of the window does not speak: one person can
    make many errors at once, and what goes on is seen in the others. `begins` ends what tells how many are left then.
    """
    of, rates = expected.clumps[minutes.is_rate, None], minutes.is_rate
    amounts = minutes.amounts[0, rates, : minutes.steps]
    hits, trials = _rolling(amounts, window), _rolling(minutes.wholes[0, rates, : minutes.steps], window)
    low, high, past = expected.shares
    share = np.clip(np.divide(hits, trials, out=np.zeros(hits.shape), where=trials > 0), low, high)
    left = hits - _largest_of(amounts, window)
    even = (window - 1) / window
    then, of_them = (each[:, :begins].sum(axis=1, keepdims=True) for each in (left, hits))
    # As if there had been one more, spread evenly: a rate that never had a hit would lead to expect none of nothing.
    rest = np.where(of < _AT_ONCE, (then + even) / (of_them + 1), even)
    fewer = _of_rates(hits / of, trials / of, share * past / of, past / of)
    more = _of_rates(left / of, rest * trials / of, share * past / of, past / of)
    # Of all windows by the same share, or a shorter one without hits would say nothing of whether it is over.
    usual = trials * (high * past + 0.5) / (past + 1)
    return np.where(hits > trials * share, np.maximum(more, 0), fewer), usual


def _of_counts(sums: Numbers, expected: Numbers, dispersion: float) -> Numbers:
    scores: Numbers = 2 * (np.sqrt(sums + 0.375) - np.sqrt(expected + 0.375)) / np.sqrt(dispersion)
    far = (np.abs(scores) > _FAR) & (np.abs(scores) < _BEYOND)
    scores[far] = count_scores(sums[far], expected[far], np.full(int(far.sum()), dispersion))
    return scores


def _of_rates(hits: Numbers, trials: Numbers, past_hits: Numbers, past_trials: Numbers) -> Numbers:
    share = (past_hits + 0.5) / (past_trials + 1)
    spread = np.sqrt(trials * share * (1 - share) * (1 + trials / (past_trials + 1)) + 0.25)
    scores: Numbers = (hits - trials * share) / spread
    far = np.abs(scores) > _FAR
    scores[far] = rate_scores(hits[far], trials[far], past_hits[far], past_trials[far])
    return scores


def _expected_counts(minutes: Minutes) -> tuple[Numbers, Numbers]:
    """The least and the most a minute that the hours before, and the days ago, lead to expect."""
    steps, ages = minutes.steps, minutes.age + np.arange(minutes.steps)
    own = np.nonzero(~minutes.is_rate)[0]
    now = minutes.amounts[0][own, :steps]
    tens = _rolling(now, _TEN)
    level = np.median(np.stack([_shifted(tens, _GAP + _TEN * place) for place in range(_TENS)]), axis=0) / _TEN
    low, high = level.copy(), level.copy()
    for place, ago in enumerate(AGO[1:], start=1):
        usable = ages >= ago + _LEVEL + _GAP
        near, before = _near_and_before(minutes.amounts[place], steps)
        every = (near[minutes.whole_of] + 0.1) / (before[minutes.whole_of] + 0.1)
        shape = np.clip((near + _SHARED * every) / (before + _SHARED), 0.25, 4.0)[own]
        for expected in (level * shape, near[own]):
            low = np.where(usable, np.minimum(low, expected), low)
            high = np.where(usable, np.maximum(high, expected), high)
    return low, high


def _near_and_before(then: Numbers, steps: int) -> tuple[Numbers, Numbers]:
    """A minute about the same time ago, and in the hours before it."""
    near = _rolling(then, _SHAPE)[:, AHEAD : AHEAD + steps] / _SHAPE
    before = _shifted(_rolling(then, _LEVEL), _GAP)[:, :steps] / _LEVEL
    return near, before


def _expected_shares(minutes: Minutes) -> tuple[Numbers, Numbers, Numbers]:
    """The least and the largest share of the hours before and about the same time yesterday; of how many the first."""
    steps, rates = minutes.steps, minutes.is_rate
    hits, trials = (
        _shifted(_rolling(each[0][rates, :steps], _RATE), _GAP) for each in (minutes.amounts, minutes.wholes)
    )
    then, of = (_shifted(_rolling(each[1][rates], _RATE), 0)[:, :steps] for each in (minutes.amounts, minutes.wholes))
    now = np.divide(hits, trials, out=np.zeros(hits.shape), where=trials > 0)
    yesterday = np.divide(then, of, out=now.copy(), where=of > 0)
    return np.minimum(now, yesterday), np.maximum(now, yesterday), trials


def _clumps(minutes: Minutes, shares: tuple[Numbers, Numbers, Numbers], begins: int) -> Numbers:
    """How many hits of each rate come at once, such as errors of one person: the variance of its minutes on the day
    before by that of hits that do not know of each other (Pearson's dispersion), without the hours of a fault."""
    rates = minutes.is_rate
    hours = min(begins, DAY) // 60
    day = slice(begins - 60 * hours, begins)
    hits, trials = (each[0][rates, day] for each in (minutes.amounts, minutes.wholes))
    share = ((shares[0] + shares[1]) / 2)[:, day]
    by_hour = (len(hits), hours, 60)
    off = np.square(hits - trials * share).reshape(by_hour).sum(axis=2)
    usual = (trials * share * (1 - share)).reshape(by_hour).sum(axis=2)
    kept = np.argsort(off - usual, axis=1)[:, : max(0, hours - _HOURS_OF_FAULTS)]
    off, usual = (np.take_along_axis(each, kept, axis=1).sum(axis=1) for each in (off, usual))
    clumps = np.ones(len(rates))
    clumps[rates] = np.maximum((off + _FEW) / (usual + _FEW), 1.0)
    return clumps


def _band(minutes: Minutes, expected: _Expected, begins: int, found: Findings, width: Numbers) -> None:
    counts, rates = ~minutes.is_rate, minutes.is_rate
    if counts.any():
        low, high = (each[:, begins:] for each in expected.counts)
        wide = width[counts, None]
        found.expected[counts] = (low + high) / 2
        found.low[counts] = _away(low, -wide)
        found.high[counts] = _away(high, wide)
    if rates.any():
        low, high, _ = (each[:, begins:] for each in expected.shares)
        trials, of = np.maximum(minutes.wholes[0][rates, begins : minutes.steps], 1), expected.clumps[rates, None]
        found.expected[rates] = (low + high) / 2
        for array, share, side in ((found.low, low, -1), (found.high, high, 1)):
            off = side * width[rates, None] * np.sqrt(of * share * (1 - share) / trials)
            array[rates] = np.clip(share + off, 0, 1)


def _away(expected: Numbers, width: Numbers) -> Numbers:
    root = np.maximum(2 * np.sqrt(np.maximum(expected, 0) + 0.375) + width, 0)
    away: Numbers = np.maximum(np.square(root / 2) - 0.375, 0)
    return away


def _rolling(numbers: Numbers, steps: int) -> Numbers:
    """The sum of the `steps` up to each; of the first ones of as many as there are."""
    sums = np.cumsum(numbers, axis=-1)
    return sums - _shifted(sums, steps)


def _largest_of(numbers: Numbers, steps: int) -> Numbers:
    """The largest of the `steps` up to each."""
    largest: Numbers = maximum_filter1d(numbers, steps, axis=-1, mode="constant", origin=(steps - 1) // 2)
    return largest


def _shifted(numbers: Numbers, steps: int) -> Numbers:
    """Each as it was so many steps before; 0 before the first."""
    if not steps:
        return numbers
    shifted = np.zeros_like(numbers)
    shifted[..., steps:] = numbers[..., :-steps]
    return shifted
