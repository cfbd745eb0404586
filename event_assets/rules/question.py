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
LastDays = Annotated[int, Field(ge=1)]
Breakdown = Annotated[
    Annotated[FieldName, Tag("one")] | Annotated[list[FieldName], Field(min_length=1, max_length=3), Tag("several")],
    Discriminator(is_several),
]
"""A field, or up to three."""


class Question(RuleModel):
    """What every analysis has: a name, words for people, which events it is of."""

    kind: str
    name: RuleName
    description: str = ""
    include_bots: bool = False
    where: Where = Field(default_factory=dict)

    table: ClassVar[Table]
    later: ClassVar[frozenset[str]] = frozenset({"where"})
    """Fields of after the first day: as long as a file does not say them, its digest is what it was."""

    at_the_end: ClassVar[tuple[str, ...]] = ()
    """Fields that a digest has after all others, as on the first day."""

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

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.from_ is not None and ("days" in self.model_fields_set or self.days_ago):
            raise Fault("from says all; leave days and days_ago out", "from")
        if self.to is not None and (self.from_ is None or self.to < self.from_):
            raise Fault("it needs a day before it: from", "to")
        if self.days_ago and self.days is None:
            raise Fault("it needs days: how many there are up to that day", "days_ago")
        return self

    def span(self, last: dt.date) -> tuple[dt.date, dt.date] | None:
        """The first and the last day that it looks at, where `last` is the last one with events; None: all."""
        if self.from_ is not None:
            return self.from_, self.to or max(last, self.from_)
        if self.days is None:
            return None
        end = last - dt.timedelta(days=self.days_ago)
        return end - dt.timedelta(days=self.days - 1), end
