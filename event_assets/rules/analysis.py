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
from typing import Annotated, Any, ClassVar, Literal, Protocol

import msgspec
from msgspec import Meta

from event_assets.contract.event import Id
from event_assets.contract.plan import PlanError, TrackingPlan, read_yaml
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
from event_assets.rules.rule_files import explained, read_rules

Period = Literal["hour", "day", "week", "month"]
Weekday = Literal["sunday", "monday"]
Scalar = str | int | float | bool
FieldName = Annotated[str, Meta(pattern=r"^([^.'?\[\]\\]|\\\.)+(\.([^.'?\[\]\\]|\\\.)+)*$", max_length=128)]
r"""A column of the events, else a property (`a.b`: one inside another, `a\.b`: one with a dot in its name);
`properties.x` is always a property."""

_WINDOW = re.compile(r"([1-9][0-9]{0,8}) (second|minute|hour|day|week)s?")
LONGEST_WINDOW = dt.timedelta(days=36_500)


class AnalysisError(ValueError):
    """An analysis file cannot be used. The message names the file, the place and the rule."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events that count: of this name, whose fields have these values (one of them, where a list is given)."""

    event: Id
    where: dict[FieldName, Scalar | list[Scalar]] = {}
    name: Annotated[str, Meta(max_length=128)] = ""

    @property
    def title(self) -> str:
        """What people call the step."""
        return self.name or self.event


class _Analysis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every analysis has: a name, words for people, whether robots count, and how many days back it looks."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    description: str = ""
    include_bots: bool = False

    table: ClassVar[Table]

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is computed changes; words for people do not count."""
        rules = msgspec.structs.replace(self, description="")
        return hashlib.sha256(msgspec.json.encode(rules, order="deterministic")).hexdigest()[:12]

    def steps_named(self) -> Iterator[Step]:
        """Every step that the analysis names."""
        yield from ()

    def faults(self) -> Iterator[str]:
        """What no type can tell: fields that contradict each other."""
        yield from ()


class Funnel(_Analysis, frozen=True, kw_only=True, tag="funnel"):
    """How many people go from step to step, and how long they take."""

    steps: Annotated[list[Step], Meta(min_length=2, max_length=20)]
    window: str = "14 days"
    order: Literal["ordered", "strict"] = "ordered"
    breakdown: FieldName | None = None
    breakdown_values: Annotated[int, Meta(ge=1, le=1000)] = 10
    days: Annotated[int, Meta(ge=1)] | None = None

    table = FUNNELS

    @property
    def within(self) -> dt.timedelta:
        """The longest time from the first step to the last."""
        found = duration(self.window)
        assert found is not None, self.window
        return found

    def steps_named(self) -> Iterator[Step]:
        yield from self.steps

    def faults(self) -> Iterator[str]:
        if duration(self.window) is None:
            yield (
                f"window is {self.window!r}; it must be a number of seconds, minutes, hours, days or weeks, "
                f"such as 14 days, and at most {LONGEST_WINDOW.days} days"
            )


class Retention(_Analysis, frozen=True, kw_only=True, tag="retention"):
    """How many of those who did something come back, period after period."""

    target: Step | None = None
    returning: Step | None = None
    period: Period = "week"
    periods: Annotated[int, Meta(ge=1, le=366)] = 12
    first_time: bool = False
    week_starts: Weekday = "sunday"

    table = RETENTION

    def steps_named(self) -> Iterator[Step]:
        yield from filter(None, (self.target, self.returning))


class Lifecycle(_Analysis, frozen=True, kw_only=True, tag="lifecycle"):
    """Who is new, returning, resurrecting or dormant, period by period."""

    event: Step | None = None
    period: Period = "week"
    week_starts: Weekday = "sunday"

    table = LIFECYCLE

    def steps_named(self) -> Iterator[Step]:
        yield from filter(None, (self.event,))


class Paths(_Analysis, frozen=True, kw_only=True, tag="paths"):
    """Which way people go through a session: from where to where, how often."""

    by: FieldName = "page_path"
    events: list[Id] = []
    length: Annotated[int, Meta(ge=2, le=50)] = 5
    start: str | None = None
    end: str | None = None
    collapse_repeats: bool = True
    most: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    days: Annotated[int, Meta(ge=1)] | None = None

    table = PATHS

    def steps_named(self) -> Iterator[Step]:
        yield from (Step(event) for event in self.events)


class ActiveUsers(_Analysis, frozen=True, kw_only=True, tag="active_users"):
    """Active people of each day, of 7 and of 30 days, and what share of these a day has (stickiness)."""

    event: Step | None = None

    table = ACTIVE_USERS

    def steps_named(self) -> Iterator[Step]:
        yield from filter(None, (self.event,))


class Stickiness(_Analysis, frozen=True, kw_only=True, tag="stickiness"):
    """In how many of the last hours, days, weeks or months people come."""

    event: Step | None = None
    period: Period = "day"
    week_starts: Weekday = "sunday"
    days: Annotated[int, Meta(ge=1)] | None = 30

    table = STICKINESS

    def steps_named(self) -> Iterator[Step]:
        yield from filter(None, (self.event,))


class WebVitals(_Analysis, frozen=True, kw_only=True, tag="web_vitals"):
    """How fast pages are: the 75th percentile of the web vitals."""

    days: Annotated[int, Meta(ge=1)] | None = None
    least_views: Annotated[int, Meta(ge=1)] = 1

    table = WEB_VITALS


Analysis = Funnel | Retention | Lifecycle | Paths | ActiveUsers | Stickiness | WebVitals
KINDS: tuple[type[_Analysis], ...] = (Funnel, Retention, Lifecycle, Paths, ActiveUsers, Stickiness, WebVitals)


@dataclass(frozen=True)
class Analyses:
    """The analyses of a folder in the order of their names, and for each file that cannot be used the reason."""

    usable: tuple[Analysis, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(directory: Path) -> Analyses:
        """Reads a folder. One file's fault does not touch the others. Raises `AnalysisError` where there is none."""
        found, faults = read_rules(directory, "EVENT_ASSETS_ANALYTICS_DIR names the analyses", _load, AnalysisError)
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


def _load(path: Path) -> Analysis:
    try:
        document = read_yaml(path)
    except PlanError as error:
        raise AnalysisError(str(error)) from None
    _check_kind(path, document)
    try:
        analysis = msgspec.convert(document, Analysis)
    except msgspec.ValidationError as error:
        raise AnalysisError(f"{path}: {_explained(str(error), document['kind'])}") from None
    for fault in analysis.faults():
        raise AnalysisError(f"{path}: {fault}")
    result: Analysis = analysis
    return result


def _check_kind(path: Path, document: Any) -> None:
    kinds = [str(kind.__struct_config__.tag) for kind in KINDS]
    if not isinstance(document, dict):
        raise AnalysisError(f"{path}: it must be an object with the fields name and kind")
    kind = document.get("kind")
    if kind not in kinds:
        raise AnalysisError(f"{path}: kind is {kind!r}; it must be one of {', '.join(kinds)}")


def _explained(words: str, name: str) -> str:
    kind = next(kind for kind in KINDS if kind.__struct_config__.tag == name)
    return explained(words, kind, f"a {name}", ("kind",))
