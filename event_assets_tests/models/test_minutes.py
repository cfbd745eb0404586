"""What fails within minutes is found within minutes, and usual hours are not called unusual."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.planted_minutes import AT_ONCE, FIRST, Fault, Traffic, judged, traffic
from event_assets.models.minutes import AGO, AHEAD, REACH, WINDOWS, Minutes, judge
from event_assets.rules.anomalies import Anomalies

BUDGET = Anomalies().budget_of("minute")
DAYS = FIRST // 1440 + 1
NOON = FIRST + 12 * 60 + 7
PLATFORM_ERRORS = 6
"""The series of the errors of iOS."""


def alerts(faults: tuple[Fault, ...] = (), seed: int = 1, first: int = FIRST) -> dict[int, np.ndarray]:
    """By minute which series are told."""
    found = judged(traffic(seed, DAYS, faults=faults), BUDGET, first)
    return {
        hour + step: told.is_alert[:, step]
        for hour, told in found
        for step in range(60)
        if told.is_alert[:, step].any()
    }


def test_on_a_usual_day_nothing_is_told() -> None:
    assert alerts() == {}


@pytest.mark.parametrize(
    ("fault", "series", "within"),
    [
        (Fault("nothing comes", NOON, NOON + 20, None, counts=0.0), 0, 3),
        (Fault("a platform stops", NOON, NOON + 20, 0, counts=0.0), 1, 4),
        (Fault("a flood", NOON, NOON + 20, 1, counts=5.0), 2, 4),
        (Fault("errors of a platform", NOON, NOON + 20, 0, errors=10.0), 5, 4),
    ],
    ids=lambda value: value.name.replace(" ", "-") if isinstance(value, Fault) else "",
)
def test_a_fault_is_told_within_minutes_in_its_own_series_and_not_for_long_after_it(
    fault: Fault, series: int, within: int
) -> None:
    told = alerts((fault,), first=NOON - NOON % 60)
    own = [minute for minute, which in told.items() if which[series]]
    assert own and fault.begins <= min(told) and min(own) < fault.begins + within
    assert max(own) < fault.ends + WINDOWS[1]


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_five_times_the_errors_of_a_platform_that_has_few_are_told_while_they_last(seed: int) -> None:
    """On iOS come eighteen events a minute, of which one in fifty is an error: a minute alone says nothing."""
    fault = Fault("errors of a platform", NOON, NOON + 20, 1, errors=5.0)
    told = alerts((fault,), seed, first=NOON - NOON % 60)
    own = [minute for minute, which in told.items() if which[PLATFORM_ERRORS]]
    assert own and fault.begins + 2 <= min(own) < fault.ends and max(own) < fault.ends + WINDOWS[1]


def test_errors_of_one_person_that_come_at_once_are_no_burst() -> None:
    """Twelve errors in a minute of a series that has one in three; the same in each of five minutes are told."""
    given = traffic(5, DAYS)
    for minutes, is_told in (([NOON], False), (range(NOON, NOON + 5), True)):
        errors = given.errors.copy()
        errors[2, list(minutes)] += 12
        found = judged(Traffic(given.events, errors), BUDGET, NOON - NOON % 60)
        told = {hour + step for hour, each in found for step in np.nonzero(each.is_alert[PLATFORM_ERRORS])[0]}
        assert bool(told & set(range(NOON, NOON + 10))) is is_told


def test_what_never_was_and_then_goes_on_is_told_though_nothing_is_known_of_how_it_comes() -> None:
    """A share of none on all days before, and of one in three from one minute on."""
    wholes = np.full((3, 1, REACH + 60 + AHEAD), 40.0)
    amounts = np.zeros_like(wholes)
    amounts[0, 0, REACH + 20 : REACH + 30] = 13
    minutes = Minutes(amounts, wholes, np.array([True]), np.array([0]), 20_000)
    (told,) = judge(minutes, REACH, BUDGET, np.ones((1, 60))).is_alert
    assert told[21:30].all() and not told[:20].any() and not told[32:].any()


@pytest.mark.slow
def test_usual_days_stay_within_the_budget_whether_errors_come_alone_or_at_once() -> None:
    """Of three weeks each in which nothing is planted at most three days are told: with a budget of three in a hundred
    days, more would come about once in three hundred times."""
    for at_once in AT_ONCE:
        given = traffic(41, FIRST // 1440 + 21, at_once=at_once)
        told = {(hour + step) // 1440 for hour, each in judged(given, BUDGET) for step in _steps(each.is_alert)}
        assert len(told) <= 3


def _steps(is_alert: np.ndarray) -> list[int]:
    return [int(step) for step in np.nonzero(is_alert.any(axis=0))[0]]


def test_a_morning_that_comes_as_it_does_each_day_is_usual_and_one_that_stays_away_is_not() -> None:
    steps = REACH + 60 + AHEAD
    ramp = np.clip(30 + 1.5 * (np.arange(steps) - REACH), 30, 120)
    flat = np.full(steps, 30.0)

    def told(now: np.ndarray, ago: np.ndarray) -> bool:
        given = np.stack([now, ago, ago])[:, None]
        minutes = Minutes(given, np.zeros_like(given), np.array([False]), np.array([0]), 20_000)
        return bool(judge(minutes, REACH, BUDGET, np.ones((1, 60))).is_alert.any())

    assert told(ramp, flat) and not told(ramp, ramp) and not told(flat, flat)
    assert len(AGO) == 3


def test_without_a_day_to_hold_it_against_nothing_is_judged() -> None:
    given = np.full((3, 1, REACH + 60 + AHEAD), 30.0)
    given[0, 0, REACH:] = 0
    minutes = Minutes(given, np.zeros_like(given), np.array([False]), np.array([0]), -700)
    found = judge(minutes, REACH, BUDGET, np.ones((1, 60)))
    assert not found.is_judged.any() and not found.is_alert.any() and np.isnan(found.expected).all()


def test_what_is_as_far_off_hour_after_hour_is_how_it_is() -> None:
    rng = np.random.default_rng(3)
    now = rng.poisson(40, REACH + 60 + AHEAD).astype(float)
    now[np.arange(len(now)) % 60 == (REACH + 10) % 60] = 400
    once = rng.poisson(40, REACH + 60 + AHEAD).astype(float)
    once[REACH + 10] = 400
    quiet = rng.poisson(40, (2, REACH + 60 + AHEAD)).astype(float)

    def told(first: np.ndarray) -> bool:
        given = np.stack([first, *quiet])[:, None]
        minutes = Minutes(given, np.zeros_like(given), np.array([False]), np.array([0]), 20_000)
        return bool(judge(minutes, REACH, BUDGET, np.ones((1, 60))).is_alert.any())

    assert told(once) and not told(now)
