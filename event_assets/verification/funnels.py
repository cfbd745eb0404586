"""Funnels by trying every start: what the rows of a funnel must be."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

from event_assets.rules.analysis import Funnel
from event_assets.verification.history import Event
from event_assets.verification.matching import NONE, is_step
from event_assets.verification.report import Key, Values

COLUMNS = (
    "breakdown",
    "step",
    "step_name",
    "people",
    "conversion",
    "step_conversion",
    "mean_seconds",
    "median_seconds",
)
KEY_COLUMNS = 2
_ALL, _OTHER = "(all)", "(other)"
_SECOND = 1e6


class _Try(NamedTuple):
    """When each step that was reached happened, in microseconds, and the value of the breakdown."""

    times: tuple[int, ...]
    value: str


def funnel_rows(funnel: Funnel, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a funnel by (breakdown, step)."""
    tries = [best for own in _by_person(funnel, events).values() if (best := _best(funnel, own)) is not None]
    groups = {_ALL: tries, **(_by_value(funnel, tries) if funnel.breakdown is not None else {})}
    return {
        (value, place + 1): (step.title, *_measures(of_value, place))
        for value, of_value in groups.items()
        for place, step in enumerate(funnel.steps)
        if of_value
    }


def _by_person(funnel: Funnel, events: Sequence[Event]) -> dict[str, list[tuple[Event, list[bool]]]]:
    """The events that matter with the steps that each is; of the same instant in the order of the steps.

    At the instant of a step, events that are none part nothing: they do not matter to strict funnels either.
    """
    people: dict[str, list[tuple[Event, list[bool]]]] = defaultdict(list)
    for event in events:
        steps = [is_step(event, step) for step in funnel.steps]
        if event.person is not None and (funnel.order == "strict" or any(steps)):
            people[event.person].append((event, steps))
    last = len(funnel.steps)
    for own in people.values():
        with_step = {event.at for event, steps in own if any(steps)}
        own[:] = [each for each in own if any(each[1]) or each[0].at not in with_step]
        own.sort(key=lambda each: (each[0].at, each[1].index(True) if any(each[1]) else last, each[0].event_id))
    return people


def _best(funnel: Funnel, own: list[tuple[Event, list[bool]]]) -> _Try | None:
    """The furthest try, the earliest on ties."""
    places = [[place for place, (_, steps) in enumerate(own) if steps[step]] for step in range(len(funnel.steps))]
    window = funnel.within // dt.timedelta(microseconds=1)
    best: _Try | None = None
    for start in places[0]:
        first = own[start][0]
        times = [first.at]
        for place in _walk(funnel, places, start):
            if own[place][0].at - first.at > window:
                break
            times.append(own[place][0].at)
        if best is None or len(times) > len(best.times):
            value = first.text(funnel.breakdown) if funnel.breakdown is not None else None
            best = _Try(tuple(times), NONE if value is None else value)
    return best


def _walk(funnel: Funnel, places: list[list[int]], start: int) -> Iterator[int]:
    """From each step to the next event that is the following one; strict: to the very next event, if it is."""
    here = start
    for of_step in places[1:]:
        after = bisect_right(of_step, here)
        if after == len(of_step) or (funnel.order == "strict" and of_step[after] != here + 1):
            return
        here = of_step[after]
        yield here


def _by_value(funnel: Funnel, tries: list[_Try]) -> dict[str, list[_Try]]:
    people = Counter(each.value for each in tries)
    frequent = {value for value, _ in sorted(people.items(), key=lambda item: (-item[1], item[0]))}
    kept = set(sorted(frequent, key=lambda value: (-people[value], value))[: funnel.breakdown_values]) - {_ALL}
    groups: dict[str, list[_Try]] = defaultdict(list)
    for each in tries:
        groups[each.value if each.value in kept else _OTHER].append(each)
    return groups


def _measures(tries: list[_Try], place: int) -> Values:
    here = [each for each in tries if len(each.times) > place]
    before = [each for each in tries if len(each.times) > max(place - 1, 0)]
    took = [(each.times[place] - each.times[place - 1]) / _SECOND for each in here if place]
    shares = [len(here) / len(whole) if whole else None for whole in (tries, before)]
    return (len(here), *shares, mean(took) if took else None, median(took) if took else None)
