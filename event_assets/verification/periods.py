"""Retention, lifecycles, active people and stickiness by sets of persons a period: what their rows must be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from event_assets.rules.analysis import ActiveUsers, Lifecycle, Retention, Stickiness
from event_assets.rules.condition import Step
from event_assets.rules.question import Period, Weekday
from event_assets.verification.history import Event, date_of
from event_assets.verification.matching import is_step, period_of, start_of
from event_assets.verification.report import Key, Values

RETENTION_COLUMNS = ("cohort_start", "period", "people", "cohort_people", "share")
LIFECYCLE_COLUMNS = ("period_start", "status", "people")
ACTIVE_COLUMNS = ("event_date", "dau", "wau", "mau", "stickiness")
STICKINESS_COLUMNS = ("periods", "people", "share")

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


def retention_rows(retention: Retention, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a retention table by (beginning of the cohort in microseconds, period)."""
    by = (retention.period, retention.week_starts)
    targets = active_in(events, retention.target, *by)
    returned = _returned(retention, events)
    if not targets:
        return {}
    rows: dict[Key, Values] = {}
    now = max(period_of(_told(event, by[0]), *by) for event in events)
    seen: set[str] = set()
    for cohort in range(min(targets), now + 1):
        people = targets.get(cohort, set()) - (seen if retention.first_time else set())
        if not people:
            continue
        seen |= people
        for cell in range(min(retention.periods, now - cohort + 1)):
            there = len(people & returned.get(cohort + cell, set())) if cell else len(people)
            rows[start_of(cohort, *by), cell] = (there, len(people), there / len(people))
    return rows


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


def lifecycle_rows(lifecycle: Lifecycle, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of a lifecycle by (beginning of the period in microseconds, status)."""
    by = (lifecycle.period, lifecycle.week_starts)
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
        if any(counts.values()):
            rows |= {(start_of(number, *by), status): (people,) for status, people in counts.items()}
        before |= now
    return rows


def active_rows(active_users: ActiveUsers, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of active people by (date,)."""
    active = active_in(events, active_users.event, "day")
    if not active:
        return {}
    rows: dict[Key, Values] = {}
    for day in range(min(active), max(period_of(event.shown, "day") for event in events) + 1):
        dau, wau, mau = (
            len(set().union(*(active.get(day - back, set()) for back in range(days)))) for days in (1, 7, 30)
        )
        if mau:
            rows[(date_of(start_of(day, "day")),)] = (dau, wau, mau, dau / mau)
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
