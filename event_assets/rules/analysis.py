"""Analyses of the product: what a trend, a funnel, a retention table, … is of. One YAML file each, owned by the users.

What they compute is in `transforms/product/`; which events count, in condition.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, TypeAdapter

from event_assets.contract.tables.product import (
    ACTIVE_USERS,
    LIFECYCLE,
    PATHS,
    RETENTION,
    STICKINESS,
    WEB_VITALS,
)
from event_assets.contract.tables.schema import Table
from event_assets.rules.condition import (
    AnyStep,
    EventName,
    FieldName,
    Step,
)
from event_assets.rules.funnel import Funnel, FunnelTrend, TimeToConvert
from event_assets.rules.question import BrokenDown, Compared, LastDays, Period, Ranged, Weekday
from event_assets.rules.rule_files import Fault, RuleFile, nearest, shown
from event_assets.rules.trends import Trends


class Retention(BrokenDown, Compared):
    """How many of those who did something come back, period after period: in just that one, or `rolling`, in it or any
    later; with at least so many returning events in it. https://posthog.com/docs/product-analytics/retention

    A breakdown is by the value of the first target event in the cohort's period; days say which cohorts are shown.
    """

    kind: Literal["retention"] = "retention"
    target: AnyStep | None = None
    returning: AnyStep | None = None
    period: Period = "week"
    periods: Annotated[int, Field(ge=1, le=366)] = 12
    first_time: bool = False
    week_starts: Weekday = "sunday"
    rolling: bool = False
    minimum_occurrences: Annotated[int, Field(ge=1, le=10_000)] = 1

    table = RETENTION
    later = Compared.later | {"days", "rolling", "minimum_occurrences", "breakdown", "breakdown_values"}
    shows_whole_periods = True


class Lifecycle(Compared):
    """Who is new, returning, resurrecting or dormant, period by period; days say which periods are shown."""

    kind: Literal["lifecycle"] = "lifecycle"
    event: AnyStep | None = None
    period: Period = "week"
    week_starts: Weekday = "sunday"

    table = LIFECYCLE
    later = Compared.later | {"days"}
    shows_whole_periods = True


class Paths(Ranged):
    """Which way people go through a session: from where to where, how often."""

    kind: Literal["paths"] = "paths"
    by: FieldName = "page_path"
    events: list[EventName] = Field(default_factory=list)
    length: Annotated[int, Field(ge=2, le=50)] = 5
    start: str | None = None
    end: str | None = None
    collapse_repeats: bool = True
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 1000

    table = PATHS
    only_persons = "paths are ways through sessions, each of which is a person's"

    def steps_named(self) -> Iterator[Step]:
        yield from (Step(event=event) for event in self.events)

    def fields(self) -> tuple[str, ...]:
        return (*super().fields(), self.by)


class ActiveUsers(Compared):
    """Active people of each day, of 7 and of 30 days, and what share of these a day has (stickiness); days say which
    are shown."""

    kind: Literal["active_users"] = "active_users"
    event: AnyStep | None = None

    table = ACTIVE_USERS
    later = Compared.later | {"days"}
    shows_whole_periods = True


class Stickiness(Ranged):
    """In how many of the last hours, days, weeks or months people come."""

    kind: Literal["stickiness"] = "stickiness"
    event: AnyStep | None = None
    period: Period = "day"
    week_starts: Weekday = "sunday"
    days: LastDays | None = 30

    table = STICKINESS


class WebVitals(Ranged):
    """How fast pages are: the 75th percentile of the web vitals."""

    kind: Literal["web_vitals"] = "web_vitals"
    least_views: Annotated[int, Field(ge=1)] = 1

    table = WEB_VITALS
    only_persons = "web vitals are measured on page views, whoever has them"
    at_the_end = ("days", "least_views")


Analysis = (
    Trends | Funnel | FunnelTrend | TimeToConvert | Retention | Lifecycle | Paths | ActiveUsers | Stickiness | WebVitals
)
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
