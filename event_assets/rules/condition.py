"""Conditions on events: which ones a step, a series, a whole analysis or a segment counts.

What a field is, and what holds of it, is worked out in `transforms/product/matching.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from event_assets.contract.plan import TrackingPlan
from event_assets.rules.pattern import pattern_of
from event_assets.rules.rule_files import Fault, RuleModel

T = TypeVar("T")
Scalar = str | int | float | bool
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
EventName = Annotated[str, Field(min_length=1, max_length=128)]
FieldName = Annotated[str, Field(pattern=r"^([^.'?\[\]\\]|\\\.)+(\.([^.'?\[\]\\]|\\\.)+)*$", max_length=128)]
r"""A column of the events, else a property (`a.b`: one inside another, `a\.b`: one with a dot in its name);
`properties.x` is always a property, `person.x` what is known of the person now, `group.x` of their company."""
Anything = Literal["anything"]
PERSON, GROUP = "person.", "group."
SEGMENT = f"{PERSON}segment"
"""The segments that a person is in now: a field of several values."""


_OF_SETS = {"is_", "is_not", "is_set"}


def is_several(given: object) -> str:
    """The tag of a value that may be a list."""
    return "several" if isinstance(given, list) else "one"


def _is_finite(bound: float) -> float:
    if not math.isfinite(bound):
        raise ValueError("it must be a number to compare with; leave it out")
    return bound


def _is_pattern(text: str) -> str:
    pattern_of(text)
    return text


Bound = Annotated[int | float, AfterValidator(_is_finite)]
Value = Annotated[Annotated[Scalar, Tag("one")] | Annotated[list[Scalar], Tag("several")], Discriminator(is_several)]
"""A value, or a list of which one is meant."""
Texts = Annotated[Annotated[str, Tag("one")] | Annotated[list[str], Tag("several")], Discriminator(is_several)]
"""A text, or a list of which one is meant."""
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_is_pattern)]


def listed(value: T | list[T] | None) -> list[T]:
    """The values of one that may be a list, or nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


class Comparison(RuleModel):
    """What a field is held against; all that is said holds.

    As PostHog has it: texts are found (`contains`) whatever their case, patterns anywhere in the text and by case, and
    what is denied (`…_not`) holds of a field that is not set, too. https://posthog.com/docs/data/property-filters
    """

    is_: Annotated[Value | None, Field(alias="is")] = None
    is_not: Value | None = None
    contains: Texts | None = None
    contains_not: Texts | None = None
    matches: Pattern | None = None
    matches_not: Pattern | None = None
    above: Bound | None = None
    at_least: Bound | None = None
    below: Bound | None = None
    at_most: Bound | None = None
    is_set: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Comparison:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            names = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            raise Fault(f"it holds of everything; say one of {names}")
        least, most = self.at_least, self.at_most
        least = self.above if least is None else least
        most = self.below if most is None else most
        if least is not None and most is not None and least > most:
            raise Fault(f"from {least} up to {most} there is nothing")
        return self

    @model_serializer(mode="wrap")
    def _said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}


Asked = Annotated[
    Annotated[Scalar, Tag("one")] | Annotated[list[Scalar], Tag("several")] | Annotated[Comparison, Tag("compared")],
    Discriminator(lambda given: "compared" if isinstance(given, dict | Comparison) else is_several(given)),
]
"""A value, a list of which one is meant, or what a field is held against."""


def compared_with(asked: Any) -> Comparison:
    """What is asked of a field, as a comparison."""
    return asked if isinstance(asked, Comparison) else Comparison(is_=asked)


def _fits(where: dict[str, Any]) -> dict[str, Any]:
    """In the order of the fields' names."""
    for name, asked in where.items():
        said = compared_with(asked)
        if name == SEGMENT:
            if any(getattr(said, each) is not None for each in type(said).model_fields.keys() - _OF_SETS):
                raise Fault("a person is in several segments: say is, is_not or is_set", name)
            named = [each for value in (said.is_, said.is_not) if value is not None for each in listed(value)]
            if not all(isinstance(each, str) for each in named):
                raise Fault("a segment has a name: a text", name)
    return dict(sorted(where.items()))


Where = Annotated[dict[FieldName, Asked], AfterValidator(_fits)]
"""By field what is asked of it; all of them hold."""


class Alternative(RuleModel):
    """Events that count: of this name, of any where it is null, of whose fields this holds."""

    event: EventName | None
    where: Where = Field(default_factory=dict)


class Step(RuleModel):
    """Events that count: of this name (`null`: of any), of whose fields this holds; or those of any of several such."""

    event: EventName | None = None
    where: Where = Field(default_factory=dict)
    name: Annotated[str, Field(max_length=128)] = ""
    any: Annotated[list[Alternative], Field(min_length=2, max_length=20)] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.any is None and "event" not in self.model_fields_set:
            raise Fault("it is required; null is any event, and any: [...] several", "event")
        if self.any is not None and (self.event is not None or self.where):
            raise Fault("any says all; leave event and where out, or put them into its parts", "any")
        return self

    @model_serializer(mode="wrap")
    def _said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = write(self)
        return {name: value for name, value in said.items() if name != "any" or value is not None}

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The events that count, any of which will do."""
        return tuple(self.any) if self.any else (Alternative(event=self.event, where=self.where),)

    @property
    def title(self) -> str:
        """What people call the step."""
        return self.name or " or ".join(dict.fromkeys(each.event or "any event" for each in self.alternatives))

    def fields(self) -> Iterator[str]:
        """The fields that it asks for."""
        for each in self.alternatives:
            yield from each.where


def _step_of_words(given: Any) -> Any:
    return {"event": None} if given == "anything" else given


AnyStep = Annotated[Step, BeforeValidator(_step_of_words, json_schema_input_type=Step | Anything)]
"""A step; the word `anything` is any event."""


class NamesEvents(Protocol):
    """What names events: an analysis, a segment."""

    @property
    def name(self) -> str: ...

    def steps_named(self) -> Iterator[Step]: ...


def unknown_events(rules: Iterable[NamesEvents], plan: TrackingPlan) -> list[str]:
    """A sentence for each event that a rule names and the tracking plan does not have."""
    if not plan.events:
        return []
    return [
        f"{rule.name}: the tracking plan has no event {name!r}"
        for rule in rules
        for name in dict.fromkeys(each.event for step in rule.steps_named() for each in step.alternatives)
        if name is not None and name not in plan.events
    ]
