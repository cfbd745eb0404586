"""Membership as its definition says it: each person asked on each day, in plain Python."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from event_assets.rules.condition import Step
from event_assets.rules.segment import (
    All,
    AnyOf,
    Condition,
    Did,
    InSegment,
    IsOutlier,
    Next,
    Not,
    Segment,
    Trait,
    User,
)
from event_assets.rules.segment import Sequence as Walk

Row = dict[str, Any]
Stay = tuple[str, str, dt.date, dt.date | None, bool]
DAY = dt.timedelta(days=1)

BUYERS = Segment(name="buyers", who=Did(did=Step(event="purchase"), last="3 days"))
OTHERS = Segment(name="others", who=Not(condition=InSegment(segment="buyers")))
EVERY_KIND = (
    BUYERS,
    OTHERS,
    Segment(
        name="walked",
        who=Walk(sequence=[Next(event="page_view"), Next(event="purchase", within="1 day")], last="4 days"),
    ),
    Segment(name="pro", who=AnyOf(any=[Trait(trait="plan", is_="pro"), User(user="source", is_="news")])),
    Segment(
        name="active", who=All(all=[User(user="sessions", at_least=2), User(user="days_since_last_seen", at_most=1)])
    ),
    Segment(name="rich", who=User(user="revenue", at_least=0.3), include_bots=True),
)
"""Segments with every kind of condition."""


@dataclass(frozen=True)
class History:
    """Rows of enriched events with `person_id`, of user_traits, and of sessions, and the last day."""

    events: Sequence[Row]
    traits: Sequence[Row]
    sessions: Sequence[Row]
    as_of: dt.date

    @cached_property
    def repeated(self) -> set[str]:
        """The events that tell of an order again, whoever sent them: the first counts, a robot's after all others."""
        again: set[str] = set()
        told: set[str] = set()
        for row in sorted(self.events, key=lambda row: (row["is_bot"], row["derived_at"], row["event_id"])):
            order = json.loads(row["properties"]).get("order_id") if row["event"] == "purchase" else None
            if order in told:
                again.add(row["event_id"])
            elif order is not None:
                told.add(order)
        return again


def stays(history: History, segments: Iterable[Segment]) -> list[Stay]:
    """The rows of `segment_memberships`, in order."""
    named = {segment.name: segment for segment in segments}
    found: list[Stay] = []
    for person in sorted({row["person_id"] for row in history.events}):
        first = min(row["derived_at"].date() for row in history.events if row["person_id"] == person)
        for name in named:
            since: dt.date | None = None
            for number in range((history.as_of - first).days + 1):
                day = first + number * DAY
                member = _Asked(history, named, person, day).is_in(name)
                if member and since is None:
                    since = day
                elif not member and since is not None:
                    found.append((name, person, since, day, False))
                    since = None
            if since is not None:
                found.append((name, person, since, None, True))
    return sorted(found, key=str)


@dataclass(frozen=True)
class _Asked:
    """A person at the end of a day."""

    history: History
    segments: dict[str, Segment]
    person: str
    day: dt.date

    def is_in(self, name: str) -> bool:
        segment = self.segments[name]
        return bool(self.rows(segment.include_bots)) and self.holds(segment.who, segment.include_bots)

    def rows(self, bots: bool, days: int | None = None) -> list[Row]:
        """The person's events until now, in order; of the last days."""
        return [
            row
            for row in sorted(self.history.events, key=lambda row: (row["derived_at"], row["event_id"]))
            if row["person_id"] == self.person and (bots or not row["is_bot"]) and self.is_in_period(row, days)
        ]

    def is_in_period(self, row: Row, days: int | None) -> bool:
        age = (self.day - row["derived_at"].date()).days
        return age >= 0 and (days is None or age < days)

    def visits(self, bots: bool) -> list[Row]:
        return [
            row
            for row in sorted(self.history.sessions, key=lambda row: (row["start_at"], row["session_id"]))
            if row["person_id"] == self.person and (bots or not row["is_bot"]) and row["start_at"].date() <= self.day
        ]

    def holds(self, condition: Condition, bots: bool) -> bool:
        match condition:
            case All():
                return all(self.holds(each, bots) for each in condition.all)
            case AnyOf():
                return any(self.holds(each, bots) for each in condition.any)
            case Not():
                return not self.holds(condition.condition, bots)
            case InSegment():
                return self.is_in(condition.segment)
            case Did():
                times = sum(self.is_step(row, condition.did) for row in self.rows(bots, condition.days))
                least, most = condition.bounds
                return least <= times and (most is None or times <= most)
            case Walk():
                return self.walks(self.rows(bots, condition.days), condition.sequence, None, [])
            case Trait():
                return any(self.knows(row, condition) for row in self.history.traits)
            case User():
                return self.user(condition, bots)
            case IsOutlier():
                return condition.outlier is False  # of whom nothing is told here

    def walks(self, rows: list[Row], steps: Sequence[Next], before: dt.datetime | None, used: list[str]) -> bool:
        """Whether the steps can be gone through from `before` on. No two steps are of one event name."""
        if not steps:
            return True
        step, *others = steps
        for row in rows:
            at = row["derived_at"]
            is_late = before is not None and (at < before or (step.window is not None and at - before > step.window))
            if is_late or not self.is_step(row, step) or row["event_id"] in used:
                continue
            if self.walks(rows, others, at, [*used, row["event_id"]]):
                return True
        return False

    def is_step(self, row: Row, step: Step | str) -> bool:
        return not isinstance(step, Step) or (is_step(row, step) and row["event_id"] not in self.history.repeated)

    def sales(self, rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["event"] == "purchase" and row["event_id"] not in self.history.repeated]

    def knows(self, row: Row, condition: Trait) -> bool:
        begins, ends = row["from_at"].date(), row["to_at"] and row["to_at"].date()
        holds = begins <= self.day and (ends is None or self.day < ends)
        if row["person_id"] != self.person or row["trait"] != condition.trait or not holds:
            return False
        value = json.loads(row["value"])
        if condition.is_ is not None:
            return is_value(value, condition.is_)
        if condition.at_least is None and condition.at_most is None:
            return True
        return isinstance(value, int | float) and _is_between(value, condition)

    def user(self, condition: User, bots: bool) -> bool:
        visits = self.visits(bots)
        rows = self.rows(bots)
        match condition.user:
            case "source" | "medium" | "campaign" | "channel_group":
                value = visits[0][condition.user] if visits else None
                return value is not None and (condition.is_ is None or is_value(value, condition.is_))
            case "events":
                number: float = len(rows)
            case "sessions":
                number = len(visits)
            case "conversions":
                number = len(self.sales(rows))
            case "revenue":
                number = sum(row["revenue_reporting"] or 0 for row in self.sales(rows))
            case "days_since_first_seen":
                number = (self.day - rows[0]["derived_at"].date()).days
            case "days_since_last_seen":
                number = (self.day - rows[-1]["derived_at"].date()).days
        return _is_between(number, condition)


def is_step(row: Row, step: Step) -> bool:
    fields = {**json.loads(row["properties"]), "device_type": row["device_type"]}
    return row["event"] == step.event and all(is_value(fields.get(n), wanted) for n, wanted in step.where.items())


def is_value(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _is_between(number: float, condition: User | Trait) -> bool:
    least, most = condition.at_least, condition.at_most
    return (least is None or least <= number) and (most is None or number <= most)
