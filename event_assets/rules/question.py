"""What every analysis has: a name, which events it is of, which days it looks at. The kinds are in trends.py, funnel.py
and analysis.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from pydantic import Discriminator, Field, Tag, model_validator

from event_assets.contract.tables.schema import Table
from event_assets.rules.condition import (
    GROUP,
    PERSON,
    SEGMENT,
    FieldName,
    RuleName,
    Step,
    Where,
    compared_with,
    is_several,
    listed,
)
from event_assets.rules.rule_files import Fault, RuleModel

Period = Literal["hour", "day", "week", "month"]
Weekday = Literal["sunday", "monday"]
Unit = Literal["person", "group"]
LastDays = Annotated[int, Field(ge=1)]
Breakdown = Annotated[
    Annotated[FieldName, Tag("one")] | Annotated[list[FieldName], Field(min_length=1, max_length=3), Tag("several")],
    Discriminator(is_several),
]
"""A field, or up to three."""


class Question(RuleModel):
    """What every analysis has: a name, words for people, which events it is of, and whom it counts: persons, or with
    `unit: group` the companies that these events are of."""

    kind: str
    name: RuleName
    description: str = ""
    include_bots: bool = False
    where: Where = Field(default_factory=dict)
    unit: Unit = "person"

    table: ClassVar[Table]
    only_persons: ClassVar[str] = ""
    """Why it cannot count companies, of a kind that cannot."""

    later: ClassVar[frozenset[str]] = frozenset({"where", "unit"})
    """Fields of after the first day: as long as a file does not say them, its digest is what it was."""

    at_the_end: ClassVar[tuple[str, ...]] = ()
    """Fields that a digest has after all others, as on the first day."""

    @model_validator(mode="after")
    def _has_such_units(self) -> Self:
        if self.unit != "person" and self.only_persons:
            raise Fault(f"{self.only_persons}; leave it out, and ask for group.… in where", "unit")
        return self

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is computed changes; words for people do not count."""
        rules = self.model_copy(update={"description": ""}).model_dump()
        rules |= {name: rules.pop(name) for name in self.at_the_end}
        for name, field_ in type(self).model_fields.items():
            if name in self.later and getattr(self, name) == field_.get_default(call_default_factory=True):
                rules.pop(name)
        return hashlib.sha256(msgspec.json.encode(rules)).hexdigest()[:12]

    def steps_named(self) -> Iterator[Step]:
        """Every step that the analysis names."""
        for said in vars(self).values():
            yield from (step for step in (said if isinstance(said, list) else [said]) if isinstance(step, Step))

    def fields(self) -> tuple[str, ...]:
        """The fields of events that it asks for, each once."""
        asked = [*self.where, *(name for step in self.steps_named() for name in step.fields())]
        return tuple(dict.fromkeys(asked))

    def segments_named(self) -> tuple[str, ...]:
        """The segments that it asks for, each once."""
        wheres = [self.where, *(each.where for step in self.steps_named() for each in step.alternatives)]
        asked = [compared_with(where[SEGMENT]) for where in wheres if SEGMENT in where]
        named = [value for said in asked for value in (said.is_, said.is_not) if value is not None]
        return tuple(dict.fromkeys(str(each) for value in named for each in listed(value)))

    @property
    def knows_people(self) -> bool:
        """Whether it asks for what is known of persons, segments aside."""
        return any(name.startswith(PERSON) and name != SEGMENT for name in self.fields())

    @property
    def is_of_groups(self) -> bool:
        """Whether it counts companies, not persons."""
        return self.unit == "group"

    @property
    def knows_groups(self) -> bool:
        """Whether it asks for what is known of companies."""
        return any(name.startswith(GROUP) for name in self.fields())

    @property
    def knows_segments(self) -> bool:
        """Whether it asks for segments."""
        return SEGMENT in self.fields()


class Ranged(Question):
    """An analysis of some days: of the last `days` up to the one that is `days_ago` before the last that has events, or
    `from` one day `to` another (the last, where none is said); else of all. Days are those of sites."""

    days: LastDays | None = None
    days_ago: Annotated[int, Field(ge=0, le=36_500)] = 0
    from_: Annotated[dt.date | None, Field(alias="from")] = None
    to: dt.date | None = None

    later = Question.later | {"days_ago", "from_", "to"}
    at_the_end: ClassVar[tuple[str, ...]] = ("days",)
    shows_whole_periods: ClassVar[bool] = False
    """Whether its days only choose among the periods that all events make."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.from_ is not None and ("days" in self.model_fields_set or self.days_ago):
            raise Fault("from says all; leave days and days_ago out", "from")
        if self.to is not None and (self.from_ is None or self.to < self.from_):
            raise Fault("it needs a day before it: from", "to")
        if self.days_ago and self.days is None:
            raise Fault("it needs days: how many there are up to that day", "days_ago")
        return self

    @property
    def is_of_some_days(self) -> bool:
        """Whether it looks at some days alone."""
        return self.days is not None or self.from_ is not None

    def span(self, last: dt.date) -> tuple[dt.date, dt.date] | None:
        """The first and the last day that it looks at, where `last` is the last one with events; None: all."""
        if self.from_ is not None:
            return self.from_, self.to or max(last, self.from_)
        if self.days is None:
            return None
        end = last - dt.timedelta(days=self.days_ago)
        return end - dt.timedelta(days=self.days - 1), end


class Compared(Ranged):
    """An analysis of some days that may be held against what was before them: `compare`."""

    compare: bool = False

    later = Ranged.later | {"compare"}

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.compare and self.days is None and self.to is None:
            raise Fault("what is before needs a length: say days, or from and to", "compare")
        return self


class BrokenDown(Question):
    """An analysis that may be by the values of a field, or of up to three: the most frequent ones."""

    breakdown: Breakdown | None = None
    breakdown_values: Annotated[int, Field(ge=1, le=1000)] = 10

    @model_validator(mode="after")
    def _is_by_values(self) -> Self:
        if SEGMENT in listed(self.breakdown):
            raise Fault(f"a person is in several segments; ask for {SEGMENT} in where", "breakdown")
        return self

    @property
    def breakdowns(self) -> list[str]:
        """The fields that it is broken down by."""
        return listed(self.breakdown)

    def fields(self) -> tuple[str, ...]:
        return (*super().fields(), *self.breakdowns)
