"""Analyses of the product: what a trend, a funnel, a retention table, … is of. One YAML file each, owned by the users.

What they compute is in `transforms/product/`; which events count, in condition.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import msgspec
from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from event_assets.contract.tables.product import (
    ACTIVE_USERS,
    FUNNELS,
    LIFECYCLE,
    PATHS,
    RETENTION,
    STICKINESS,
    WEB_VITALS,
)
from event_assets.contract.tables.schema import Table
from event_assets.rules.condition import (
    GROUP,
    PERSON,
    SEGMENT,
    AnyStep,
    EventName,
    FieldName,
    RuleName,
    Step,
    Where,
    compared_with,
    listed,
)
from event_assets.rules.duration import Duration, duration
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest, shown

Period = Literal["hour", "day", "week", "month"]
Weekday = Literal["sunday", "monday"]
LastDays = Annotated[int, Field(ge=1)]


class _Analysis(RuleModel):
    """What every analysis has: a name, words for people, which events it is of."""

    kind: str
    name: RuleName
    description: str = ""
    include_bots: bool = False
    where: Where = Field(default_factory=dict)

    table: ClassVar[Table]
    later: ClassVar[frozenset[str]] = frozenset({"where"})
    """Fields of after the first day: as long as a file does not say them, its digest is what it was."""

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is computed changes; words for people do not count."""
        rules = self.model_copy(update={"description": ""}).model_dump()
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


class Funnel(_Analysis):
    """How many people go from step to step, and how long they take: of all days, or of the last `days` up to the day
    that is `days_ago` before the last one."""

    kind: Literal["funnel"] = "funnel"
    steps: Annotated[list[AnyStep], Field(min_length=2, max_length=20)]
    window: Duration = "14 days"
    order: Literal["ordered", "strict"] = "ordered"
    breakdown: FieldName | None = None
    breakdown_values: Annotated[int, Field(ge=1, le=1000)] = 10
    days: LastDays | None = None
    days_ago: Annotated[int, Field(ge=0, le=36_500)] = 0

    table = FUNNELS
    later = _Analysis.later | {"days_ago"}

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Funnel:
        if self.days_ago and self.days is None:
            raise ValueError("days_ago needs days: how many there are up to that day")
        return self

    @property
    def within(self) -> dt.timedelta:
        """The longest time from the first step to the last."""
        found = duration(self.window)
        assert found is not None, self.window
        return found

    def fields(self) -> tuple[str, ...]:
        return (*super().fields(), *([self.breakdown] if self.breakdown else []))


class Retention(_Analysis):
    """How many of those who did something come back, period after period."""

    kind: Literal["retention"] = "retention"
    target: AnyStep | None = None
    returning: AnyStep | None = None
    period: Period = "week"
    periods: Annotated[int, Field(ge=1, le=366)] = 12
    first_time: bool = False
    week_starts: Weekday = "sunday"

    table = RETENTION


class Lifecycle(_Analysis):
    """Who is new, returning, resurrecting or dormant, period by period."""

    kind: Literal["lifecycle"] = "lifecycle"
    event: AnyStep | None = None
    period: Period = "week"
    week_starts: Weekday = "sunday"

    table = LIFECYCLE


class Paths(_Analysis):
    """Which way people go through a session: from where to where, how often."""

    kind: Literal["paths"] = "paths"
    by: FieldName = "page_path"
    events: list[EventName] = Field(default_factory=list)
    length: Annotated[int, Field(ge=2, le=50)] = 5
    start: str | None = None
    end: str | None = None
    collapse_repeats: bool = True
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    days: LastDays | None = None

    table = PATHS

    def steps_named(self) -> Iterator[Step]:
        yield from (Step(event=event) for event in self.events)

    def fields(self) -> tuple[str, ...]:
        return (*super().fields(), self.by)


class ActiveUsers(_Analysis):
    """Active people of each day, of 7 and of 30 days, and what share of these a day has (stickiness)."""

    kind: Literal["active_users"] = "active_users"
    event: AnyStep | None = None

    table = ACTIVE_USERS


class Stickiness(_Analysis):
    """In how many of the last hours, days, weeks or months people come."""

    kind: Literal["stickiness"] = "stickiness"
    event: AnyStep | None = None
    period: Period = "day"
    week_starts: Weekday = "sunday"
    days: LastDays | None = 30

    table = STICKINESS


class WebVitals(_Analysis):
    """How fast pages are: the 75th percentile of the web vitals."""

    kind: Literal["web_vitals"] = "web_vitals"
    days: LastDays | None = None
    least_views: Annotated[int, Field(ge=1)] = 1

    table = WEB_VITALS


Analysis = Funnel | Retention | Lifecycle | Paths | ActiveUsers | Stickiness | WebVitals
KINDS: Mapping[str, type[Analysis]] = {kind.model_fields["kind"].default: kind for kind in get_args(Analysis)}


def _has_kind(given: Any) -> Any:
    kind = given.get("kind") if isinstance(given, dict) else getattr(given, "kind", None)
    if kind not in list(KINDS):
        raise Fault(f"it is {shown(kind)}{nearest(kind, KINDS)}; it must be one of {', '.join(KINDS)}", "kind")
    return given


AnyAnalysis = Annotated[Analysis, Field(discriminator="kind"), BeforeValidator(_has_kind)]
ANALYSIS_FILE: RuleFile[Analysis] = RuleFile(
    "analysis", TypeAdapter(AnyAnalysis), "the fields name and kind", "event_assets.components.AnalysisComponent"
)


@dataclass(frozen=True)
class Analyses:
    """The analyses of a folder in the order of their names, and for each file that cannot be used the reason."""

    usable: tuple[Analysis, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(directory: Path) -> Analyses:
        """Reads a folder. One file's fault does not touch the others. Raises `RuleError` where there is none."""
        found, faults = ANALYSIS_FILE.read_folder(directory, "EVENT_ASSETS_ANALYTICS_DIR names the analyses")
        return Analyses(tuple(analysis for _, (_, analysis) in sorted(found.items())), faults)

    def of(self, table: Table) -> tuple[Analysis, ...]:
        """Those whose rows are in this table."""
        return tuple(analysis for analysis in self.usable if analysis.table is table)
