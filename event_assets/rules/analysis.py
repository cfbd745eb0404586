"""Analyses of the product: what a funnel, a retention table, … is of. One YAML file each, owned by the users.

What they compute is in `transforms/product/`:
funnels.py, retention.py, lifecycle.py, paths.py, active_users.py, stickiness.py and
vitals.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar, get_args

import msgspec
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, TypeAdapter, model_validator

from event_assets.contract.plan import TrackingPlan
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
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest, shown

T = TypeVar("T")
Period = Literal["hour", "day", "week", "month"]
Weekday = Literal["sunday", "monday"]
Scalar = str | int | float | bool
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
EventName = Annotated[str, Field(min_length=1, max_length=128)]
FieldName = Annotated[str, Field(pattern=r"^([^.'?\[\]\\]|\\\.)+(\.([^.'?\[\]\\]|\\\.)+)*$", max_length=128)]
r"""A column of the events, else a property (`a.b`: one inside another, `a\.b`: one with a dot in its name);
`properties.x` is always a property."""
LastDays = Annotated[int, Field(ge=1)]

_WINDOW = re.compile(r"([1-9][0-9]{0,8}) (second|minute|hour|day|week)s?")
LONGEST_WINDOW = dt.timedelta(days=36_500)


def duration(words: str) -> dt.timedelta | None:
    """So many seconds, minutes, hours, days or weeks; None of other words, and of more than `LONGEST_WINDOW`."""
    found = _WINDOW.fullmatch(words)
    if found is None:
        return None
    try:
        length = dt.timedelta(**{f"{found[2]}s": int(found[1])})
    except OverflowError:
        return None
    return length if length <= LONGEST_WINDOW else None


def _is_duration(words: str) -> str:
    if duration(words) is None:
        raise ValueError(
            "it must be a number of seconds, minutes, hours, days or weeks, such as 14 days, and at most "
            f"{LONGEST_WINDOW.days} days"
        )
    return words


def _sorted(where: dict[str, T]) -> dict[str, T]:
    return dict(sorted(where.items()))


def is_several(given: object) -> str:
    """The tag of a value that may be a list."""
    return "several" if isinstance(given, list) else "one"


Duration = Annotated[str, AfterValidator(_is_duration), Field(json_schema_extra={"pattern": _WINDOW.pattern})]
Value = Annotated[Annotated[Scalar, Tag("one")] | Annotated[list[Scalar], Tag("several")], Discriminator(is_several)]
"""A value, or a list of which one is meant."""


class Step(RuleModel):
    """Events that count: of this name, whose fields have these values (one of them, where a list is given)."""

    event: EventName
    where: Annotated[dict[FieldName, Value], AfterValidator(_sorted)] = Field(default_factory=dict)
    name: Annotated[str, Field(max_length=128)] = ""

    @property
    def title(self) -> str:
        """What people call the step."""
        return self.name or self.event


class _Analysis(RuleModel):
    """What every analysis has: a name, words for people, whether robots count, and how many days back it looks."""

    kind: str
    name: RuleName
    description: str = ""
    include_bots: bool = False

    table: ClassVar[Table]

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is computed changes; words for people do not count."""
        rules = self.model_copy(update={"description": ""}).model_dump()
        if not rules.get("days_ago"):  # of before there was one
            rules.pop("days_ago", None)
        return hashlib.sha256(msgspec.json.encode(rules)).hexdigest()[:12]

    def steps_named(self) -> Iterator[Step]:
        """Every step that the analysis names."""
        for said in vars(self).values():
            yield from (step for step in (said if isinstance(said, list) else [said]) if isinstance(step, Step))


class Funnel(_Analysis):
    """How many people go from step to step, and how long they take: of all days, or of the last `days` up to the day
    that is `days_ago` before the last one."""

    kind: Literal["funnel"] = "funnel"
    steps: Annotated[list[Step], Field(min_length=2, max_length=20)]
    window: Duration = "14 days"
    order: Literal["ordered", "strict"] = "ordered"
    breakdown: FieldName | None = None
    breakdown_values: Annotated[int, Field(ge=1, le=1000)] = 10
    days: LastDays | None = None
    days_ago: Annotated[int, Field(ge=0, le=36_500)] = 0

    table = FUNNELS

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


class Retention(_Analysis):
    """How many of those who did something come back, period after period."""

    kind: Literal["retention"] = "retention"
    target: Step | None = None
    returning: Step | None = None
    period: Period = "week"
    periods: Annotated[int, Field(ge=1, le=366)] = 12
    first_time: bool = False
    week_starts: Weekday = "sunday"

    table = RETENTION


class Lifecycle(_Analysis):
    """Who is new, returning, resurrecting or dormant, period by period."""

    kind: Literal["lifecycle"] = "lifecycle"
    event: Step | None = None
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


class ActiveUsers(_Analysis):
    """Active people of each day, of 7 and of 30 days, and what share of these a day has (stickiness)."""

    kind: Literal["active_users"] = "active_users"
    event: Step | None = None

    table = ACTIVE_USERS


class Stickiness(_Analysis):
    """In how many of the last hours, days, weeks or months people come."""

    kind: Literal["stickiness"] = "stickiness"
    event: Step | None = None
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
        for name in dict.fromkeys(step.event for step in rule.steps_named())
        if name not in plan.events
    ]
