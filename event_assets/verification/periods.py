"""Retention, lifecycles, active people and stickiness by sets of persons a period: what their rows must be."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from event_assets.rules.analysis import ActiveUsers, Lifecycle, Retention, Stickiness
from event_assets.rules.condition import Step
from event_assets.rules.question import Period, Weekday
from event_assets.verification.history import Event, date_of
from event_assets.verification.matching import is_step, period_of, start_of
from event_assets.verification.report import Key, Values
from event_assets.verification.trends import breakdown_of, most_frequent

RETENTION_COLUMNS = ("span", "breakdown", "cohort_start", "period", "people", "cohort_people", "share")
LIFECYCLE_COLUMNS = ("span", "period_start", "status", "people")
ACTIVE_COLUMNS = ("span", "event_date", "dau", "wau", "mau", "stickiness")
STICKINESS_COLUMNS = ("periods", "people", "share")

ALWAYS = 10**9
"""More periods than there are."""

_Active = dict[int, set[str]]
"""Who was active, by number of the period."""


def active_in(events: Sequence[Event], step: Step | None, period: Period, week_starts: Weekday = "sunday") -> _Active:
    """Persons with an event that is the step, by number of the period."""
    active: _Active = defaultdict(set)
    for event in events:
        if event.person is not None and is_step(event, step):
            active[period_of(_told(event, period), period, week_starts)].add(event.person)
    return active


def _told(event: Event, period: Period) -> int:
    """When it happened: by its site's clock, but for hours."""
    return event.at if period == "hour" else event.shown


class Shown(NamedTuple):
    """Which periods are shown: from the first to the last, and as many before, where it is compared."""

    first: int
    last: int
    compares: bool

    @staticmethod
    def of(span: tuple[dt.date, dt.date] | None, period: Period, week_starts: Weekday, *, compares: bool) -> Shown:
        """Those of these days; all where there are none."""
        if span is None:
            return Shown(-ALWAYS, ALWAYS, False)
        moments = (dt.datetime.combine(day, dt.time(hour), dt.UTC) for day, hour in zip(span, (0, 23), strict=True))
        first, last = (period_of(round(each.timestamp()) * 1_000_000, period, week_starts) for each in moments)
        return Shown(first, last, compares)

    def place(self, number: int) -> tuple[str, int] | None:
        """The span of a period, and the one at which it is shown; None: not at all."""
        length = self.last - self.first + 1
        if self.first <= number <= self.last:
            return "now", number
        if self.compares and self.first <= number + length <= self.last:
            return "before", number + length
        return None


def retention_rows(
    retention: Retention, events: Sequence[Event], span: tuple[dt.date, dt.date] | None = None
) -> dict[Key, Values]:
    """The rows of a retention table by (span, value of the breakdown, beginning of the cohort in microseconds,
    period)."""
    by = (retention.period, retention.week_starts)
    shown = Shown.of(span, *by, compares=retention.compare)
    firsts = _first_targets(retention, events)
    returned = _returned(retention, events)
    cohorts: dict[tuple[str, int, int], dict[str, Event]] = {}
    for person, numbers in firsts.items():
        for number in [min(numbers)] if retention.first_time else numbers:
            if (place := shown.place(number)) is not None:
                cohorts.setdefault((*place, number), {})[person] = numbers[number]
    kept = _kept(retention, cohorts)
    now = max((period_of(_told(event, by[0]), *by) for event in events), default=0)
    rows: dict[Key, Values] = {}
    for (where, at, cohort), members in cohorts.items():
        for value, people in _parts(retention, members, kept).items():
            for cell in range(min(retention.periods, now - cohort + 1)):
                there = len(people & returned.get(cohort + cell, set())) if cell else len(people)
                rows[where, value, start_of(at, *by), cell] = (there, len(people), there / len(people))
    return rows


def _first_targets(retention: Retention, events: Sequence[Event]) -> dict[str, dict[int, Event]]:
    """Of each person and period with a target event the first of them."""
    found: dict[str, dict[int, Event]] = defaultdict(dict)
    for event in sorted(events, key=lambda event: (event.at, event.event_id)):
        if event.person is not None and is_step(event, retention.target):
            number = period_of(_told(event, retention.period), retention.period, retention.week_starts)
            found[event.person].setdefault(number, event)
    return found


def _kept(retention: Retention, cohorts: dict[tuple[str, int, int], dict[str, Event]]) -> set[str]:
    if not retention.breakdowns:
        return set()
    here = [event for (span, _, _), members in cohorts.items() if span == "now" for event in members.values()]
    return most_frequent([breakdown_of(event, retention.breakdowns) for event in here], retention.breakdown_values)


def _parts(retention: Retention, members: dict[str, Event], kept: set[str]) -> dict[str, set[str]]:
    """The people of a cohort, all and by value."""
    parts: dict[str, set[str]] = defaultdict(set, {"(all)": set(members)})
    if retention.breakdowns:
        for person, event in members.items():
            value = breakdown_of(event, retention.breakdowns)
            parts[value if value in kept else "(other)"].add(person)
    return parts


def _returned(retention: Retention, events: Sequence[Event]) -> _Active:
    """Who came back, by number of the period; rolling: in it or later."""
    by = (retention.period, retention.week_starts)
    times: dict[int, Counter[str]] = defaultdict(Counter)
    for event in events:
        if event.person is not None and is_step(event, retention.returning or retention.target):
            times[period_of(_told(event, retention.period), *by)][event.person] += 1
    least = retention.minimum_occurrences
    returned = {n: {person for person, count in of.items() if count >= least} for n, of in times.items()}
    if not retention.rolling or not returned:
        return returned
    later: set[str] = set()
    for number in reversed(range(min(returned), max(returned) + 1)):
        later = later | returned.get(number, set())
        returned[number] = later
    first = returned[min(returned)]
    earliest = min((period_of(_told(event, by[0]), *by) for event in events), default=0)
    return returned | dict.fromkeys(range(earliest, min(returned)), first)


def lifecycle_rows(
    lifecycle: Lifecycle, events: Sequence[Event], span: tuple[dt.date, dt.date] | None = None
) -> dict[Key, Values]:
    """The rows of a lifecycle by (span, beginning of the period in microseconds, status)."""
    by = (lifecycle.period, lifecycle.week_starts)
    shown = Shown.of(span, *by, compares=lifecycle.compare)
    active = active_in(events, lifecycle.event, *by)
    if not active:
        return {}
    rows: dict[Key, Values] = {}
    before: set[str] = set()
    for number in range(min(active), max(period_of(_told(event, by[0]), *by) for event in events) + 1):
        now, last = active.get(number, set()), active.get(number - 1, set())
        counts = {
            "new": len(now - before),
            "returning": len(now & last),
            "resurrecting": len((now & before) - last),
            "dormant": -len(last - now),
        }
        if any(counts.values()) and (place := shown.place(number)) is not None:
            start = start_of(place[1], *by)
            rows |= {(place[0], start, status): (people,) for status, people in counts.items()}
        before |= now
    return rows


def active_rows(
    active_users: ActiveUsers, events: Sequence[Event], span: tuple[dt.date, dt.date] | None = None
) -> dict[Key, Values]:
    """The rows of active people by (span, date)."""
    active = active_in(events, active_users.event, "day")
    shown = Shown.of(span, "day", "sunday", compares=active_users.compare)
    if not active:
        return {}
    rows: dict[Key, Values] = {}
    for day in range(min(active), max(period_of(event.shown, "day") for event in events) + 1):
        dau, wau, mau = (
            len(set().union(*(active.get(day - back, set()) for back in range(days)))) for days in (1, 7, 30)
        )
        if mau and (place := shown.place(day)) is not None:
            rows[place[0], date_of(start_of(place[1], "day"))] = (dau, wau, mau, dau / mau)
    return rows


def stickiness_rows(stickiness: Stickiness, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of stickiness by (periods,)."""
    by = (stickiness.period, stickiness.week_starts)
    active = active_in(events, stickiness.event, *by)
    periods_of = Counter(person for people in active.values() for person in people)
    if not periods_of:
        return {}
    people = Counter(periods_of.values())
    return {(periods,): (people[periods], people[periods] / len(periods_of)) for periods in range(1, max(people) + 1)}
