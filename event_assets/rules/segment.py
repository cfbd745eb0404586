"""Segments: who belongs to a group of people, by what they did and what is known of them. One YAML file each, owned by
the users.

A segment is a tree of conditions. In what order segments are made is in segment_order.py; what a day's answer is, and
how membership is worked out, in transforms/segments/segment_memberships.py.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, Union, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from event_assets.rules.condition import (
    GROUP,
    PERSON,
    Anything,
    Bound,
    Comparison,
    FieldName,
    Pattern,
    RuleName,
    Step,
    Texts,
    Value,
)
from event_assets.rules.duration import LONGEST_WINDOW, Duration, duration
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest, shown

UserNumber = Literal["events", "sessions", "conversions", "revenue", "days_since_first_seen", "days_since_last_seen"]
UserText = Literal["source", "medium", "campaign", "channel_group"]
UserField = Literal[UserNumber, UserText]
TEXTS: tuple[UserText, ...] = get_args(UserText)
"""The fields of `User` that are texts: of the person's first session, from the day on which it began."""

_DAY = dt.timedelta(days=1)
_MOST_CONDITIONS, _DEEPEST = 200, 20


def _is_whole_days(words: str) -> str:
    found = duration(words)
    if found is None or found % _DAY:
        raise ValueError(
            "membership is by the day, so it must be a number of days or weeks, such as 30 days, and at most "
            f"{LONGEST_WINDOW.days} days"
        )
    return words


Days = Annotated[
    str, AfterValidator(_is_whole_days), Field(json_schema_extra={"pattern": "^[1-9][0-9]* (day|week)s?$"})
]
Count = Annotated[int, Field(ge=0, le=2**53)]
Events = Annotated[
    Annotated[Step, Tag("step")] | Annotated[Anything, Tag("text")],
    Discriminator(lambda given: "text" if isinstance(given, str) else "step"),
]


class Leaf(RuleModel):
    """What every condition has. What a file does not say of it is not said when it is written, either."""

    @property
    def days(self) -> int | None:
        """The days that count, the one that is asked about included; None: all."""
        last = duration(getattr(self, "last", None) or "")
        return last // _DAY if last else None

    def faults(self) -> Iterator[str]:
        """What no type can tell: fields that contradict each other."""
        at_least, at_most = getattr(self, "at_least", None), getattr(self, "at_most", None)
        if at_least is not None and at_most is not None and at_least > at_most:
            yield f"at_least {at_least} is above at_most {at_most}"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for words in self.faults():
            raise Fault(words)
        return self

    @model_serializer(mode="wrap")
    def _said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}


class Did(Leaf):
    """Has so many events that count, once at least where nothing is said; in the last days, else ever."""

    did: Events
    at_least: Count | None = None
    at_most: Count | None = None
    exactly: Count | None = None
    last: Days | None = None

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The fewest and the most events; None: any number."""
        if self.exactly is not None:
            return self.exactly, self.exactly
        if self.at_most is not None:
            return self.at_least or 0, self.at_most
        return 1 if self.at_least is None else self.at_least, None

    def faults(self) -> Iterator[str]:
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            yield "exactly says all; leave at_least and at_most out"
        yield from super().faults()
        if self.bounds == (0, None):
            yield "at_least 0 holds for everybody; say 1 or more, or at_most"


class DidNot(Leaf):
    """Has no such event; in the last days, else ever. It is read as `Did` exactly 0 times."""

    did_not: Events
    last: Days | None = None

    def as_did(self) -> Did:
        """The same in other words."""
        return Did(did=self.did_not, exactly=0, last=self.last)


class Next(Step):
    """A step of a sequence; `within`: not later than this after the step before it."""

    within: Duration | None = None

    @property
    def window(self) -> dt.timedelta | None:
        """The longest time since the step before it."""
        return duration(self.within) if self.within is not None else None


class Sequence(Leaf):
    """Has these events one after the other, with whatever between them; all in the last days, else ever."""

    sequence: Annotated[list[Next], Field(min_length=2, max_length=20)]
    last: Days | None = None

    def faults(self) -> Iterator[str]:
        if self.sequence[0].within is not None:
            yield "sequence[0].within has no step before it; leave it out, or put it on the step after"


class Trait(Leaf):
    """A trait, as known on the day: is one of these, a number between these, a text that says this, or known at all."""

    trait: FieldName
    is_: Annotated[Value | None, Field(alias="is")] = None
    at_least: Bound | None = None
    at_most: Bound | None = None
    above: Bound | None = None
    below: Bound | None = None
    contains: Texts | None = None
    matches: Pattern | None = None

    @property
    def comparison(self) -> Comparison | None:
        """What the trait is held against; None: it is known."""
        said = {name: value for name in self._asked() if (value := getattr(self, name)) is not None}
        return Comparison(**said) if said else None

    def _asked(self) -> set[str]:
        return type(self).model_fields.keys() - {"trait"}

    def faults(self) -> Iterator[str]:
        others = sorted(name for name in self._asked() - {"is_"} if getattr(self, name) is not None)
        if self.is_ is not None and others:
            yield f"is says all; leave {' and '.join(others)} out"
        yield from super().faults()


class User(Leaf):
    """What the events of a person tell by the day: numbers between bounds, texts that are one of these."""

    user: UserField
    is_: Annotated[Texts | None, Field(alias="is")] = None
    at_least: Bound | None = None
    at_most: Bound | None = None

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
        yield from super().faults()


class IsOutlier(Leaf):
    """One of the person's devices behaves like a robot and does not say so (see outlier_visitors), or none does."""

    outlier: bool


class InSegment(Leaf):
    """Is in another segment on the day."""

    segment: RuleName


class All(Leaf):
    """Every one of these holds."""

    all: Conditions


class AnyOf(Leaf):
    """At least one of these holds."""

    any: Conditions


class Not(Leaf):
    """This does not hold."""

    condition: Annotated[AnyCondition, Field(alias="not")]


Condition = Did | Sequence | Trait | User | IsOutlier | InSegment | All | AnyOf | Not
_CLASSES: tuple[type[Leaf], ...] = (All, AnyOf, Not, Did, DidNot, Sequence, Trait, User, IsOutlier, InSegment)


def _kinds(given: Any) -> list[str]:
    """The kinds of condition that a document has a field of; of a condition that is read already its class."""
    if isinstance(given, dict):
        return [kind.__name__ for name, kind in _KINDS.items() if name in given]
    return [type(given).__name__] if isinstance(given, RuleModel) else []


def _has_one_kind(given: Any) -> Any:
    if len(_kinds(given)) != 1:
        names = [str(name) for name in given] if isinstance(given, dict) else []
        known = " and ".join(name for name in names if name in _KINDS)
        near = next(filter(None, (nearest(name, _KINDS) for name in names)), "")
        said = f"an object with {', '.join(names) or 'nothing'}" if isinstance(given, dict) else shown(given)
        has = f"it has {known}" if known else f"it is {said}{near}"
        raise Fault(f"{has}; a condition has one of {', '.join(_KINDS)}")
    return given


if TYPE_CHECKING:
    AnyCondition = Condition
else:  # what is read as another class is beyond a type checker
    AnyCondition = Annotated[
        Union[tuple(Annotated[kind, Tag(kind.__name__)] for kind in _CLASSES)],  # noqa: UP007
        Discriminator(lambda given: _kinds(given)[0]),
        AfterValidator(lambda read: read.as_did() if isinstance(read, DidNot) else read),
        BeforeValidator(_has_one_kind),
    ]
Conditions = Annotated[list[AnyCondition], Field(min_length=1)]
for _kind in (All, AnyOf, Not):
    _kind.model_rebuild()
_KINDS = {next(field.alias or name for name, field in kind.model_fields.items()): kind for kind in _CLASSES}
"""The kinds of conditions by the field that tells which one it is: the first."""


def _is_bounded(who: Any) -> Any:
    """The same tree, as it was written, where it has an end."""
    waiting, count = [(who, 1)], 0
    while waiting:
        (document, depth), count = waiting.pop(), count + 1
        if depth > _DEEPEST or count > _MOST_CONDITIONS:
            raise Fault(
                f"a segment has at most {_MOST_CONDITIONS} conditions, {_DEEPEST} inside each other; make a part of "
                "them a segment of its own"
            )
        inside = [document.get(kind) for kind in ("all", "any", "not")] if isinstance(document, dict) else []
        for each in inside:
            waiting += [(one, depth + 1) for one in (each if isinstance(each, list) else [each]) if one is not None]
    return who


class Segment(RuleModel):
    """A named group of people. Robots' events do not count, unless they are asked for."""

    name: RuleName
    who: Annotated[AnyCondition, BeforeValidator(_is_bounded)]
    description: str = ""
    include_bots: bool = False
    webhooks: list[RuleName] = Field(default_factory=list)
    """Receivers that are told who enters and who leaves, as the settings name them."""

    @model_validator(mode="after")
    def _asks_for_its_own(self) -> Segment:
        for name in (name for step in self.steps_named() for name in step.fields()):
            if name.startswith((PERSON, GROUP)):
                raise Fault(f"events have no {name} in a segment; say trait, user or segment beside the event", "who")
        return self

    def conditions(self) -> Iterator[Condition]:
        """All conditions of the tree."""
        waiting: list[Condition] = [self.who]
        while waiting:
            condition = waiting.pop(0)
            yield condition
            match condition:
                case All(all=inside) | AnyOf(any=inside):
                    waiting += inside
                case Not():
                    waiting.append(condition.condition)

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


SEGMENT_FILE: RuleFile[Segment] = RuleFile(
    "segment", TypeAdapter(Segment), "the fields name and who", "event_assets.components.SegmentComponent"
)
