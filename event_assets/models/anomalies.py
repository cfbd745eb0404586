"""Which steps of which series are unusual: more or less than was expected, at once or over some steps.

Each step is judged by what came before it alone, so that a later step changes no earlier answer. Which alerts belong
together is in incidents.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from event_assets.models.forecast import Forecaster, Smoothing, rooted, unrooted
from event_assets.models.panel import Flags, Numbers, Panel, Places
from event_assets.models.tails import Tail, count_scores, discoveries, probabilities, rate_scores, score_at, tail_of

_NOTHING = np.nan


@dataclass(frozen=True)
class Detection:
    """How unusual steps are found.

    `budget`: the share of usual steps on which anything at all may be told, over all series together. `windows`: over
    how many steps changes are looked for; the longer, the slower ones. `history`: how many steps a series must have
    been seen for. `remembered`: of how many past steps scores calibrate the next ones, made anew every `recalibrate`
    steps. `goes_on`: the |score| from which on a step goes on with what was told of the one before. `accepted`: after
    so many steps what is unusual is the new usual. `rate_memory`: the half-life of what a rate is compared with, in
    steps.
    """

    budget: float = 0.03
    windows: tuple[int, ...] = (1, 3, 7, 14)
    history: int = 28
    remembered: int = 180
    recalibrate: int = 7
    goes_on: float = 2.0
    accepted: int = 28
    rate_memory: float = 56.0
    smoothing: Smoothing = field(default_factory=Smoothing)


@dataclass(frozen=True)
class Findings:
    """What was found, each of series by steps; NaN where a series has not enough history.

    `expected`, `low`, `high`: in the unit of the metric (of a rate, the share). `score`: signed, of the window that is
    the least probable; `window`: its steps. `probability`: of so large a score on a usual step, corrected for the
    number of windows. `is_alert`: it is told; `is_judged`: there is history enough, and no known event.
    """

    expected: Numbers
    low: Numbers
    high: Numbers
    score: Numbers
    window: Places
    probability: Numbers
    is_alert: Flags
    is_judged: Flags


_LEAST_SPREAD = 0.3
"""Of the roots of counts: of those that are next to never there it is below 1."""
_PAYS = 1.0
"""How much less is told after something was: the logarithm of the factor."""
_BAND = 0.01
"""How probable it is that a usual step lies outside of the band."""


def detect(panel: Panel, how: Detection, weights: Numbers | None = None) -> Findings:
    """What is unusual in the panel. `weights` by series and step: above 1 less proof is asked for, below 1 more; all
    the same by default.

    False discoveries are controlled on each step, over all series that are not unusual already. A series goes on being
    unusual while it lies on the same side; meanwhile nothing is learnt from it, for `how.accepted` steps at the most.
    """
    watch = _Watch(panel, how, np.ones(panel.amounts.shape) if weights is None else weights)
    for step in range(panel.steps):
        watch.judge(step)
    return watch.found


class _Watch:
    """What is kept from step to step."""

    def __init__(self, panel: Panel, how: Detection, weights: Numbers) -> None:
        self.panel, self.how, self.weights = panel, how, weights
        self.windows = np.array(how.windows, dtype=float)
        number, steps = panel.amounts.shape
        self.is_count, self.is_rate = panel.of_kind("count"), panel.of_kind("rate")
        shares = np.divide(panel.amounts, panel.wholes, out=np.zeros((number, steps)), where=panel.wholes > 0)
        self.shares = shares
        self.roots = rooted(np.where(self.is_rate[:, None], shares, panel.amounts), self.is_count)
        least = np.where(self.is_count, _LEAST_SPREAD, 1e-6)
        self.forecaster = Forecaster(number, panel.season, how.smoothing, least)
        self.levels, self.trends = np.zeros((2, steps + 1, number))
        self.hits, self.trials = np.zeros((2, steps + 1, number))
        self.seen = np.zeros((steps + 1, number))
        self.scores = np.full((steps, number, len(self.windows)), _NOTHING)
        self.rate, self.groups = how.budget, self.is_rate + 2 * self.is_count
        self.tail: Tail = tail_of(self.scores[:0], self.windows, self.groups)
        self.direction, self.unusual_for = np.zeros(number), np.zeros(number, dtype=int)
        blank = np.full((number, steps), _NOTHING)
        self.found = Findings(
            expected=blank.copy(),
            low=blank.copy(),
            high=blank.copy(),
            score=blank.copy(),
            window=np.ones((number, steps), dtype=np.int64),
            probability=blank.copy(),
            is_alert=np.zeros((number, steps), dtype=bool),
            is_judged=np.zeros((number, steps), dtype=bool),
        )

    def judge(self, step: int) -> None:
        """One step: what was expected, how far off it is, what is told, what is learnt."""
        how, panel = self.how, self.panel
        is_seen = step >= panel.begins
        if step % how.recalibrate == 0:
            self.tail = tail_of(self.scores[max(0, step - how.remembered) : step], self.windows, self.groups)
        scores = np.stack([self._score(step, int(window)) for window in self.windows], axis=1)
        known = panel.known[:, step]
        is_judged = (self.forecaster.seen >= how.history) & ~known
        alert = np.zeros(len(known), dtype=bool)
        if is_judged.any() or self.direction.any():  # else there is no history yet
            least, best = self._least(scores)
            alert = self._told(step, scores[:, 0], least, is_judged)
            self._write(step, scores, (least, best), alert, is_judged)
        usual = is_seen & ~known & ~alert & (self.forecaster.seen >= panel.season)
        self.scores[step] = np.where(usual[:, None], scores, _NOTHING)
        self._learn(step, is_seen, known | alert)

    def _score(self, step: int, window: int) -> Numbers:
        """Scores of the window that ends with the step, by what was known before it, without steps of known
        events and those of an incident that is over; NaN where that is too little."""
        panel, begin = self.panel, max(0, step - window + 1)
        length = step - begin + 1
        ahead = self.forecaster.ahead(begin, self.levels[begin], self.trends[begin], length)
        spread = self.forecaster.spread
        told = self.found.is_alert[:, begin : step + 1].T & (self.direction == 0)
        counts = ~panel.known[:, begin : step + 1].T & ~told
        steps = np.maximum(counts.sum(axis=0), 1)
        off = ((self.roots[:, begin : step + 1].T - ahead) * counts).sum(axis=0) / (spread * np.sqrt(steps))
        variance = np.square(spread)
        expected = (unrooted(ahead, self.is_count, np.minimum(variance, 4.0)) * counts).sum(axis=0)
        amounts = (panel.amounts[:, begin : step + 1].T * counts).sum(axis=0)
        counted = count_scores(np.maximum(amounts, 0), np.maximum(expected, 0.02), np.maximum(variance, 1.0))
        wholes = (panel.wholes[:, begin : step + 1].T * counts).sum(axis=0)
        rated = rate_scores(np.maximum(amounts, 0), wholes, self.hits[begin], self.trials[begin])
        scores = np.where(self.is_rate, rated, np.where(self.is_count, counted, off))
        return np.where(self.seen[begin] >= panel.season, scores, _NOTHING)

    def _least(self, scores: Numbers) -> tuple[Numbers, Places]:
        """The least probability over the windows, corrected for their number (they overlap, and count as half as many),
        and which window it is. A window counts where its last step lies on the same side."""
        each = probabilities(scores, self.tail)
        each = np.where(np.sign(scores) * scores[:, :1] > 0.5, each, 1.0)  # NaN is not
        best = each.argmin(axis=1)
        least = np.minimum(np.take_along_axis(each, best[:, None], axis=1)[:, 0] * len(self.windows) / 2, 1.0)
        return least, best

    def _told(self, step: int, now: Numbers, least: Numbers, is_judged: Flags) -> Flags:
        was = self.direction != 0
        goes_on = was & is_judged & (now * self.direction >= self.how.goes_on)
        asked = is_judged & ~was
        begins = np.zeros(len(now), dtype=bool)
        begins[asked] = discoveries(least[asked], self.rate, self.weights[asked, step])
        if asked.any():
            self._pay(bool(begins.any()))
        lasts = was & is_judged & ~goes_on & (least < self.how.budget / 10) & (now * self.direction >= 1)
        alert: Flags = begins | goes_on | lasts
        self.unusual_for = np.where(alert, self.unusual_for + 1, 0)
        over = self.unusual_for > self.how.accepted
        self.direction = np.where(alert & ~over, np.where(was, self.direction, np.sign(now)), 0.0)
        self.unusual_for = np.where(over, 0, self.unusual_for)
        self._accept(step, over)
        told: Flags = alert & ~over
        return told

    def _pay(self, told: bool) -> None:
        """Holds the share of steps on which anything begins to be told to the budget: less is told after something was,
        and more again with time (adaptive conformal inference, Gibbs and Candès 2021)."""
        budget = self.how.budget
        self.rate = float(np.clip(self.rate * np.exp(_PAYS * (budget - told)), budget / 10, budget))

    def _accept(self, step: int, over: Flags) -> None:
        """Takes the steps that were unusual for too long as what is usual from now on."""
        if not over.any():
            return
        lately = slice(max(0, step - self.how.accepted), step)
        level = self.roots[:, lately].mean(axis=1)
        self.forecaster.level = np.where(over, level, self.forecaster.level)
        self.forecaster.trend = np.where(over, 0.0, self.forecaster.trend)
        for past, numbers in ((self.hits, self.panel.amounts), (self.trials, self.panel.wholes)):
            past[step] = np.where(over, numbers[:, lately].sum(axis=1), past[step])

    def _write(
        self, step: int, scores: Numbers, judged: tuple[Numbers, Places], alert: Flags, is_judged: Flags
    ) -> None:
        found, (least, best) = self.found, judged
        rows = np.arange(len(best))
        low, expected, high = self._band(step)
        for array, values in (
            (found.expected, expected),
            (found.low, low),
            (found.high, high),
            (found.score, scores[rows, best]),
            (found.probability, least),
        ):
            array[:, step] = np.where(is_judged, values, _NOTHING)
        found.window[:, step] = self.windows[best].astype(int)
        found.is_alert[:, step], found.is_judged[:, step] = alert, is_judged

    def _band(self, step: int) -> tuple[Numbers, Numbers, Numbers]:
        """What is expected of the step alone, between the bounds of what is usual."""
        root = self.forecaster.ahead(step, self.levels[step], self.trends[step], 1)[0]
        width = score_at(_BAND, self.tail)[:, 0]
        spread = self.forecaster.spread
        low, middle, high = (
            unrooted(root + side * width * spread, self.is_count, np.where(self.is_count, side == 0, 0.0))
            for side in (-1, 0, 1)
        )
        share = np.clip((self.hits[step] + 0.5) / (self.trials[step] + 1), 0, 1)
        trials = np.maximum(self.panel.wholes[:, step], 1)
        off = width * np.sqrt(share * (1 - share) / trials)
        return (
            np.where(self.is_rate, np.maximum(share - off, 0), low),
            np.where(self.is_rate, share, middle),
            np.where(self.is_rate, np.minimum(share + off, 1), high),
        )

    def _learn(self, step: int, is_seen: Flags, is_held: Flags) -> None:
        panel = self.panel
        self.forecaster.learn(step, self.roots[:, step], is_seen, is_held)
        self.levels[step + 1], self.trends[step + 1] = self.forecaster.level, self.forecaster.trend
        self.seen[step + 1] = self.forecaster.seen
        keeps = 0.5 ** (1 / self.how.rate_memory)
        learns = is_seen & ~is_held
        for past, numbers in ((self.hits, panel.amounts), (self.trials, panel.wholes)):
            past[step + 1] = np.where(learns, keeps * past[step] + numbers[:, step], past[step])
