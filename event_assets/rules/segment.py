"""Segments: who belongs to a group of people, by what they did and what is known of them. One YAML file each, owned by
the users.

A segment is a tree of conditions. What a day's answer is, and how membership is worked out, is in
transforms/segments/segment_memberships.py.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from event_assets.rules.analysis import LONGEST_WINDOW, FieldName, Scalar, Step, duration

Count = Annotated[int, Meta(ge=0, le=2**53)]
Anything = Literal["anything"]
UserNumber = Literal["events", "sessions", "conversions", "revenue", "days_since_first_seen", "days_since_last_seen"]
UserText = Literal["source", "medium", "campaign", "channel_group"]
UserField = Literal[UserNumber, UserText]
SegmentName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

_DAY = dt.timedelta(days=1)


class SegmentError(ValueError):
    """A segment's file cannot be used. The message names the file, the segment, the place, the rule and the way out."""


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every condition has."""

    def faults(self) -> Iterator[str]:
        """What no type can tell: fields that contradict each other."""
        yield from ()


class Did(Leaf, frozen=True):
    """Has so many events that count, once at least where nothing is said; in the last days, else ever."""

    did: Step | Anything
    at_least: Count | None = None
    at_most: Count | None = None
    exactly: Count | None = None
    last: str | None = None

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The fewest and the most events; None: any number."""
        if self.exactly is not None:
            return self.exactly, self.exactly
        if self.at_most is not None:
            return self.at_least or 0, self.at_most
        return 1 if self.at_least is None else self.at_least, None

    @property
    def days(self) -> int | None:
        """The days that count, the one that is asked about included; None: all."""
        return _days(self.last)

    def faults(self) -> Iterator[str]:
        yield from _span_faults(self.last)
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            yield "exactly says all; leave at_least and at_most out"
        yield from _bound_faults(self.at_least, self.at_most)
        if self.bounds == (0, None):
            yield "at_least 0 holds for everybody; say 1 or more, or at_most"


class DidNot(Leaf, frozen=True):
    """Has no such event; in the last days, else ever. It is read as `Did` exactly 0 times."""

    did_not: Step | Anything
    last: str | None = None


class Next(Step, frozen=True, forbid_unknown_fields=True):
    """A step of a sequence; `within`: not later than this after the step before it."""

    within: str | None = None

    @property
    def window(self) -> dt.timedelta | None:
        """The longest time since the step before it."""
        return duration(self.within) if self.within is not None else None


class Sequence(Leaf, frozen=True):
    """Has these events one after the other, with whatever between them; all in the last days, else ever."""

    sequence: Annotated[list[Next], Meta(min_length=2, max_length=20)]
    last: str | None = None

    @property
    def days(self) -> int | None:
        """The days that count, the one that is asked about included; None: all."""
        return _days(self.last)

    def faults(self) -> Iterator[str]:
        yield from _span_faults(self.last)
        if self.sequence[0].within is not None:
            yield "sequence[0].within has no step before it; leave it out, or put it on the step after"
        for place, step in enumerate(self.sequence):
            if step.within is not None and step.window is None:
                yield (
                    f"sequence[{place}].within is {step.within!r}; it must be a number of seconds, minutes, hours, "
                    "days or weeks, such as 7 days"
                )


class Trait(Leaf, frozen=True):
    """A trait, as known on the day: is one of these, is a number between these, or is known at all."""

    trait: FieldName
    is_: Scalar | list[Scalar] | None = msgspec.field(default=None, name="is")
    at_least: int | float | None = None
    at_most: int | float | None = None

    def faults(self) -> Iterator[str]:
        if self.is_ is not None and (self.at_least is not None or self.at_most is not None):
            yield "is says all; leave at_least and at_most out"
        yield from _bound_faults(self.at_least, self.at_most)


class User(Leaf, frozen=True):
    """What the events of a person tell by the day: numbers between bounds, texts that are one of these."""

    user: UserField
    is_: str | list[str] | None = msgspec.field(default=None, name="is")
    at_least: int | float | None = None
    at_most: int | float | None = None

    def faults(self) -> Iterator[str]:
        is_bounded = self.at_least is not None or self.at_most is not None
        if self.user in TEXTS and is_bounded:
            yield f"{self.user} is a text; say is, or neither is, at_least nor at_most where any will do"
        if self.user not in TEXTS and (self.is_ is not None or not is_bounded):
            yield f"{self.user} is a number; say at_least, at_most, or both"
        if self.user not in (*TEXTS, "revenue"):
            for bound in (self.at_least, self.at_most):
                if bound is not None and math.isfinite(bound) and (bound < 0 or bound != int(bound)):
                    yield f"{self.user} is a whole number; {bound} is none, or negative"
        yield from _bound_faults(self.at_least, self.at_most)


class InSegment(Leaf, frozen=True):
    """Is in another segment on the day."""

    segment: SegmentName


class All(msgspec.Struct, frozen=True):
    """Every one of these holds."""

    all: tuple[Condition, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one of these holds."""

    any: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True):
    """This does not hold."""

    condition: Condition = msgspec.field(name="not")


Condition = Did | Sequence | Trait | User | InSegment | All | AnyOf | Not

TEXTS: tuple[UserText, ...] = get_args(UserText)
"""The fields of `User` that are texts: of the person's first session, from the day on which it began."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of people. Robots' events do not count, unless they are asked for."""

    name: SegmentName
    who: Condition
    description: str = ""
    include_bots: bool = False

    def conditions(self) -> Iterator[Condition]:
        """All conditions of the tree."""
        waiting: list[Condition] = [self.who]
        while waiting:
            condition = waiting.pop(0)
            yield condition
            waiting += _inside(condition)

    def steps_named(self) -> Iterator[Step]:
        """Every step that the segment names."""
        for condition in self.conditions():
            if isinstance(condition, Did) and isinstance(condition.did, Step):
                yield condition.did
            elif isinstance(condition, Sequence):
                yield from condition.sequence

    def segments_named(self) -> tuple[str, ...]:
        """The other segments that it is made of, each once."""
        named = (condition.segment for condition in self.conditions() if isinstance(condition, InSegment))
        return tuple(dict.fromkeys(named))


def in_order(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments, each after those that it is made of. Raises `SegmentError` where that cannot be."""
    made, unusable = ordered({segment.name: segment for segment in segments})
    for name, reason in unusable.items():
        raise SegmentError(f"segment {name}: {reason}")
    return made


def ordered(segments: Mapping[str, Segment]) -> tuple[tuple[Segment, ...], dict[str, str]]:
    """The segments in an order in which each can be made, and for those that cannot be the reason."""
    made: dict[str, Segment] = {}
    waiting = dict(sorted(segments.items()))
    while ready := [name for name, segment in waiting.items() if made.keys() >= {*segment.segments_named()}]:
        made |= {name: waiting.pop(name) for name in ready}
    return tuple(made.values()), {name: _hindrance(name, waiting, segments) for name in waiting}


def _hindrance(name: str, waiting: Mapping[str, Segment], segments: Mapping[str, Segment]) -> str:
    """Why a segment cannot be made: it is part of a circle, or what it names is not there or cannot be made."""
    way = [name]
    seen = {name: 0}
    while True:
        others = waiting[way[-1]].segments_named()
        missing = [other for other in others if other not in segments]
        if missing and len(way) == 1:
            known = ", ".join(sorted(segments.keys() - {name})) or "none"
            return (
                f"there is no segment {missing[0]!r}, or its file cannot be used; mend the name or that file. "
                f"There are: {known}"
            )
        if missing:
            return f"the segment {way[1]!r} that it is made of cannot be used; mend that one"
        step = next(other for other in others if other in waiting)
        if step in seen:
            circle = [*way[seen[step] :], step]
            if name in circle:
                return f"it is made of itself: {' → '.join(circle)}; take one of these conditions out"
            return f"the segment {way[1]!r} that it is made of cannot be used; mend that one"
        seen[step] = len(way)
        way.append(step)


def _inside(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case All():
            return condition.all
        case AnyOf():
            return condition.any
        case Not():
            return (condition.condition,)
    return ()


def _days(last: str | None) -> int | None:
    found = duration(last) if last is not None else None
    return found // _DAY if found is not None else None


def _span_faults(last: str | None) -> Iterator[str]:
    found = duration(last) if last is not None else _DAY
    if found is None or found % _DAY:
        yield (
            f"last is {last!r}; membership is by the day, so it must be a number of days or weeks, such as 30 days, "
            f"and at most {LONGEST_WINDOW.days} days"
        )


def _bound_faults(at_least: float | None, at_most: float | None) -> Iterator[str]:
    for name, bound in (("at_least", at_least), ("at_most", at_most)):
        if bound is not None and not math.isfinite(bound):
            yield f"{name} {bound} is no number to compare with; leave it out"
    if at_least is not None and at_most is not None and at_least > at_most:
        yield f"at_least {at_least} is above at_most {at_most}"
