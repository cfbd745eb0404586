"""Funnels by trying every start: what the rows of a funnel, its trend and its histogram must be."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

from event_assets.rules.funnel import Funnel, FunnelTrend, TimeToConvert, Walk, exclusions_of
from event_assets.verification.history import Event
from event_assets.verification.matching import is_step, period_of, start_of
from event_assets.verification.report import Key, Values
from event_assets.verification.trends import breakdown_of, most_frequent, nothing

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
TREND_COLUMNS = ("period_start", "people", "converted", "conversion")
TIME_COLUMNS = ("bin", "from_seconds", "to_seconds", "people")
_ALL, _OTHER = "(all)", "(other)"
_SECOND, _MOST_BINS, _EMPTY_WIDTH = 1_000_000, 60, 60
_Own = list[tuple[Event, list[bool]]]


class _Try(NamedTuple):
    """When each step that was reached happened, in microseconds, and the event that each was."""

    times: tuple[int, ...]
    events: tuple[Event, ...]


def funnel_rows(funnel: Funnel, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a funnel by (breakdown, step)."""
    tries = [best for own in _by_person(funnel, events).values() if (best := _best(funnel, own)) is not None]
    groups = {_ALL: tries, **(_by_value(funnel, tries) if funnel.breakdowns else {})}
    count = len(funnel.steps)
    titles = [step.title for step in funnel.steps]
    if funnel.order == "unordered":
        titles = [f"{k + 1} of {count} steps" for k in range(count)]
    return {
        (value, place + 1): (title, *_measures(of_value, place))
        for value, of_value in groups.items()
        for place, title in enumerate(titles)
        if of_value
    }


def funnel_trend_rows(trend: FunnelTrend, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a funnel's trend by (beginning of the period in microseconds,)."""
    by = (trend.interval, trend.week_starts)
    periods: dict[int, list[_Try]] = defaultdict(list)
    for own in _by_person(trend, events).values():
        tries: dict[int, list[_Try]] = defaultdict(list)
        for each in _tries(trend, own):
            first = each.events[0]
            tries[period_of(first.at if trend.interval == "hour" else first.shown, *by)].append(each)
        for number, those in tries.items():
            periods[number].append(_furthest(those))
    rows: dict[Key, Values] = {}
    for number, those in periods.items():
        converted = sum(len(each.times) == len(trend.steps) for each in those)
        rows[(start_of(number, *by),)] = (len(those), converted, converted / len(those))
    return rows


def time_rows(times: TimeToConvert, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a histogram by (bin,)."""
    tries = [best for own in _by_person(times, events).values() if (best := _best(times, own)) is not None]
    ends, begins = times.last_step - 1, times.from_step - 1
    taken = [each.times[ends] - each.times[begins] for each in tries if len(each.times) > ends]
    if not taken:
        return {}
    first, last = min(taken) // _SECOND, -(-max(taken) // _SECOND)
    cubes = next((bins for bins in range(1, _MOST_BINS) if bins**3 >= len(taken)), _MOST_BINS)
    bins = times.bins or cubes
    width = math.ceil((last - first) / bins) or _EMPTY_WIDTH
    places = [int((each / _SECOND - first) // width) for each in taken]
    return {
        (place,): (float(first + place * width), float(first + (place + 1) * width), places.count(place))
        for place in range(bins + 1)
    }


def _by_person(walk: Walk, events: Sequence[Event]) -> dict[str, _Own]:
    """The events that matter with the steps that each is; of the same instant in the order of the steps.

    At the instant of a step, events that are none part nothing: they do not matter to strict funnels either.
    """
    people: dict[str, _Own] = defaultdict(list)
    for event in events:
        steps = [is_step(event, step) for step in walk.steps]
        matters = walk.order == "strict" or any(steps) or any(is_step(event, each) for each in walk.exclusions)
        if event.person is not None and matters:
            people[event.person].append((event, steps))
    last = len(walk.steps)
    for own in people.values():
        with_step = {event.at for event, steps in own if any(steps)}
        if walk.order == "strict":
            own[:] = [each for each in own if any(each[1]) or each[0].at not in with_step]
        own.sort(key=lambda each: (each[0].at, each[1].index(True) if any(each[1]) else last, each[0].event_id))
    return people


def _best(walk: Walk, own: _Own) -> _Try | None:
    """The furthest try, the earliest on ties."""
    tries = list(_tries(walk, own))
    return _furthest(tries) if tries else None


def _furthest(tries: Sequence[_Try]) -> _Try:
    return max(tries, key=lambda each: len(each.times))


def _tries(walk: Walk, own: _Own) -> Iterator[_Try]:
    """Every try that counts, in the order in which they begin."""
    if walk.order == "unordered":
        yield from _unordered(walk, own)
        return
    places = [[place for place, (_, steps) in enumerate(own) if steps[step]] for step in range(len(walk.steps))]
    window = walk.within // dt.timedelta(microseconds=1)
    for start in places[0]:
        found = [start]
        for place in _walk(walk, places, start):
            if own[place][0].at - own[start][0].at > window:
                break
            found.append(place)
        if not _is_excluded(walk, own, found, window):
            yield _Try(tuple(own[place][0].at for place in found), tuple(own[place][0] for place in found))


def _is_excluded(walk: Walk, own: _Own, found: Sequence[int], window: int) -> bool:
    """Whether an excluded event lies between its steps; where the later one was not reached, in the window."""
    began = own[found[0]][0].at
    for exclusion, after, before in exclusions_of(walk):
        if after >= len(found):
            continue
        for event, _ in own[found[after] + 1 :]:
            if is_step(event, exclusion):
                if event.at < own[found[before]][0].at if before < len(found) else event.at - began <= window:
                    return True
                break
    return False


def _unordered(walk: Walk, own: _Own) -> Iterator[_Try]:
    """From each instant: the next event of every step, itself included, in the order of the times."""
    window = walk.within // dt.timedelta(microseconds=1)
    for start in sorted({event.at for event, _ in own}):
        times = []
        for step in range(len(walk.steps)):
            later = [event.at for event, steps in own if steps[step] and event.at >= start]
            if later and min(later) - start <= window:
                times.append(min(later))
        times.sort()
        firsts = [min((event for event, _ in own if event.at == at), key=lambda event: event.event_id) for at in times]
        yield _Try(tuple(times), tuple(firsts))


def _walk(walk: Walk, places: list[list[int]], start: int) -> Iterator[int]:
    """From each step to the next event that is the following one; strict: to the very next event, if it is."""
    here = start
    for of_step in places[1:]:
        after = bisect_right(of_step, here)
        if after == len(of_step) or (walk.order == "strict" and of_step[after] != here + 1):
            return
        here = of_step[after]
        yield here


def _value(funnel: Funnel, tried: _Try) -> str:
    none = nothing(len(funnel.breakdowns))
    values = [breakdown_of(event, funnel.breakdowns) for event in tried.events]
    if isinstance(funnel.breakdown_of, int):
        return values[funnel.breakdown_of - 1] if funnel.breakdown_of <= len(values) else none
    set_ones = [value for value in values if value != none]
    return none if not set_ones else set_ones[0 if funnel.breakdown_of == "first_touch" else -1]


def _by_value(funnel: Funnel, tries: list[_Try]) -> dict[str, list[_Try]]:
    values = [_value(funnel, each) for each in tries]
    kept = most_frequent(values, funnel.breakdown_values)
    groups: dict[str, list[_Try]] = defaultdict(list)
    for value, each in zip(values, tries, strict=True):
        groups[value if value in kept else _OTHER].append(each)
    return groups


def _measures(tries: list[_Try], place: int) -> Values:
    here = [each for each in tries if len(each.times) > place]
    before = [each for each in tries if len(each.times) > max(place - 1, 0)]
    took = [(each.times[place] - each.times[place - 1]) / _SECOND for each in here if place]
    shares = [len(here) / len(whole) if whole else None for whole in (tries, before)]
    return (len(here), *shares, mean(took) if took else None, median(took) if took else None)
