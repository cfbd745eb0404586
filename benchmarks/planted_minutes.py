"""Made-up traffic by minutes, with the shape of days and weeks, and faults planted in it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import poisson

from event_assets.models.anomalies import Findings
from event_assets.models.minutes import AGO, AHEAD, DAY, REACH, WEEK, Minutes, judge
from event_assets.models.panel import Numbers, Places
from event_assets.rules.anomalies import Anomalies

PLATFORMS = {"web": 0.6, "ios": 0.3, "android": 0.1}
CLUMPED = 2.5
"""Variance of a minute by its mean: people send some events at once."""
ERRORS = 0.02
FIRST = WEEK + DAY
"""The first minute that is judged: a week, and the day before, must have been seen."""
MINUTE_FAULTS = (
    ("nothing comes", 0.0, 1.0, None),
    ("a platform stops", 0.0, 1.0, 1),
    ("half of it is gone", 0.5, 1.0, None),
    ("three times as much of a platform", 3.0, 1.0, 1),
    ("five times the errors of a platform", 1.0, 5.0, 1),
    ("five times the errors of all", 1.0, 5.0, None),
)
"""Name, factor of the counts, factor of the errors, platform."""
AT_ONCE = (1.0, 3.0)
"""How many errors come at once on average: alone, and as of people to whom some happen at once."""
_HALF = len(PLATFORMS) + 1
"""The series of counts, then as many of rates; the first of each is of everything."""


class Fault(NamedTuple):
    """From which minute to which the counts of a platform (None: of all) are that many times as many, and so are the
    shares of errors."""

    name: str
    begins: int
    ends: int
    platform: int | None
    counts: float = 1.0
    errors: float = 1.0


@dataclass(frozen=True)
class Traffic:
    """Events and errors by series and minute."""

    events: Numbers
    errors: Numbers

    @property
    def steps(self) -> int:
        return int(self.events.shape[1])


def traffic(
    seed: int, days: int, a_minute: float = 60.0, faults: Sequence[Fault] = (), at_once: float = 1.0
) -> Traffic:
    """Traffic of so many events in a usual minute. On weekends it is two thirds, at night a fifth of the day's most;
    platforms differ in their hours. So many errors come at once on average."""
    rng, minutes = np.random.default_rng(seed), np.arange(days * DAY)
    day = minutes // DAY % 7
    events, errors = [], []
    for place, share in enumerate(PLATFORMS.values()):
        of_day = 0.6 + 0.4 * np.sin(2 * np.pi * (minutes % DAY / DAY - 0.3 - 0.04 * place))
        drift = 1 + 0.1 * np.sin(2 * np.pi * minutes / (DAY * 3.3 + seed))
        mean = 1.6 * a_minute * share * of_day * np.where(day >= 5, 0.67, 1.0) * drift
        broken = np.full(len(minutes), ERRORS)
        for fault in faults:
            if fault.platform in (None, place):
                mean[fault.begins : fault.ends] *= fault.counts
                broken[fault.begins : fault.ends] *= fault.errors
        mean = np.maximum(mean, 1e-9)
        events.append(rng.poisson(rng.gamma(mean / (CLUMPED - 1), CLUMPED - 1)))
        errors.append(_errors(rng, events[-1], np.minimum(broken, 1), at_once))
    return Traffic(*(np.array([np.sum(each, axis=0), *each], dtype=float) for each in (events, errors)))


def _errors(rng: np.random.Generator, events: Places, share: Numbers, at_once: float) -> Places:
    """How many of the events of each minute are errors, of which some (by a geometric distribution) come at once."""
    clumps = rng.binomial(events, share / at_once)
    sizes = rng.geometric(1 / at_once, int(clumps.sum()))
    sums = np.bincount(np.repeat(np.arange(len(clumps)), clumps), sizes, len(clumps))
    return np.minimum(sums, events).astype(np.int64)


def judged(given: Traffic, budget: float, first: int = FIRST) -> Iterator[tuple[int, Findings]]:
    """What is found in each hour from `first` on, with its first minute."""
    amounts = np.concatenate([given.events, given.errors])
    wholes = np.concatenate([np.zeros_like(given.events), given.events])
    is_rate = np.repeat([False, True], _HALF)
    whole_of = np.repeat([0, _HALF], _HALF)
    for hour in range(first, given.steps - 59, 60):
        spans = [(max(0, hour - REACH - ago), hour + 60 - ago) for ago in AGO]
        parts = [
            [
                _padded(each[:, begins : ends + (AHEAD if place else 0)], REACH + 60 + AHEAD, at_end=place == 0)
                for place, (begins, ends) in enumerate(spans)
            ]
            for each in (amounts, wholes)
        ]
        minutes = Minutes(np.array(parts[0]), np.array(parts[1]), is_rate, whole_of, hour - REACH)
        yield hour, judge(minutes, REACH, budget, np.ones((len(amounts), 60)))


def _padded(numbers: Numbers, length: int, *, at_end: bool) -> Numbers:
    missing = length - numbers.shape[1]
    if not at_end:
        return np.pad(numbers, ((0, 0), (missing, 0)))
    return np.pad(numbers, ((0, 0), (missing - AHEAD, AHEAD)))


class _Tried(NamedTuple):
    """A fault: whether it was by day, after how many minutes it was told, how probable that was at best."""

    is_day: bool
    after: int | None
    best: float | None


def by_minutes(seeds: Iterable[int], days: int = 14) -> dict[str, object]:
    """Of faults of twenty minutes, each at some time of a day of made-up traffic by minutes, how many are told while
    they last, by day and at night, and after how many minutes; on how many usual days anything is; and what it costs
    to judge a minute, all of its hour with it."""
    budget, hours, seconds = Anomalies().budget_of("minute"), 0, 0.0
    quiet = dict.fromkeys(AT_ONCE, 0)
    found: dict[str, list[_Tried]] = {}
    for seed in seeds:
        began = time.process_time()
        for at_once in AT_ONCE:
            told = [hour + step for hour, step in _told(traffic(seed, FIRST // DAY + days, at_once=at_once), budget)]
            quiet[at_once] += len({minute // DAY for minute in told})
        seconds, hours = seconds + time.process_time() - began, hours + 24 * days * len(AT_ONCE)
        for place, (name, counts, errors, platform) in enumerate(MINUTE_FAULTS):
            begins = FIRST + int(np.random.default_rng((seed, place)).integers(DAY))
            fault = Fault(name, begins, begins + 20, platform, counts, errors)
            given = traffic(seed, FIRST // DAY + 2, faults=(fault,))
            minutes = [hour + step for hour, step in _told(given, budget, begins - begins % 60, begins + 20)]
            own = [minute for minute in minutes if fault.begins <= minute < fault.ends]
            after = min(own) - begins + 1 if own else None
            found.setdefault(name, []).append(_Tried(_is_day(begins), after, _best(given, fault)))
    usual = len(list(seeds)) * days
    per_day = {f"usual days on which anything is told, errors by {k:g}": f"{n} of {usual}" for k, n in quiet.items()}
    cost = {"ms of CPU to judge an hour": round(1000 * seconds / hours, 1)} if hours else {}
    return {**{name: _in_words(tried) for name, tried in found.items()}, **(per_day if days else {}), **cost}


def _is_day(minute: int) -> bool:
    return 6 * 60 <= minute % DAY < 22 * 60


def _best(given: Traffic, fault: Fault) -> float | None:
    """How probable it is that the best of all tests tells more errors by the end of the fault, within the budget: one
    that knows when the fault would begin and how long it would last, and need not ask at any other time (Neyman and
    Pearson). None of what is no fault of errors."""
    if fault.errors == 1:
        return None
    series = 0 if fault.platform is None else fault.platform + 1
    usual = ERRORS * given.events[series, fault.begins : fault.ends].sum()
    in_vain = Anomalies().budget_of("day") * (fault.ends - fault.begins) / DAY / (2 * _HALF)
    least = poisson.isf(in_vain, usual)  # more than so many are told
    return float(poisson.sf(least, fault.errors * usual))


def _in_words(tried: Sequence[_Tried]) -> str:
    parts = [
        f"{sum(each.after is not None for each in own)} of {len(own)} told {when}{_of_best(own)}"
        for when, own in (
            ("by day", [each for each in tried if each.is_day]),
            ("at night", [each for each in tried if not each.is_day]),
        )
    ]
    late = [each.after for each in tried if each.after is not None]
    return ", ".join(parts) + (f", in the median after {np.median(late):g} minutes" if late else "")


def _of_best(tried: Sequence[_Tried]) -> str:
    best = [each.best for each in tried if each.best is not None]
    return f" (the best of all tests: {sum(best):.1f})" if best else ""


def _told(given: Traffic, budget: float, first: int = FIRST, ends: int | None = None) -> Iterator[tuple[int, int]]:
    for hour, findings in judged(given, budget, first):
        if ends is not None and hour >= ends:
            return
        yield from ((hour, int(step)) for step in np.nonzero(findings.is_alert.any(axis=0))[0])
