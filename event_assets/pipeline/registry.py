"""The graph: every step of the lake once, in the order of the data.

Assets, their order and lineage, the days that are behind, the `model` command and the docs follow from this list. A new
table is its columns (in the contract), its transform, and one entry here. What a step does is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from event_assets.contract.tables import groups
from event_assets.contract.tables.attribution import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
)
from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    CONVERSION_IDS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_IDS,
    EVENT_LEDGER,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
)
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.contract.tables.metrics import DAILY_METRICS, PERIOD_PEOPLE
from event_assets.contract.tables.people import (
    CONSENT_RECEIPTS,
    OUTLIER_VISITORS,
    USER_HISTORY,
    USER_TRAITS,
    USERS,
    VISITORS,
)
from event_assets.contract.tables.product import PATHS, WEB_VITALS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, USER_SEGMENTS
from event_assets.contract.tables.sessions import EVENT_DAYS, PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.pipeline import attribution, clean, counting, enrich, metrics, people, product, segments, sessions
from event_assets.pipeline.anomalies import ANOMALIES, ANOMALIES_CODE
from event_assets.pipeline.attribution import attribution_step, channel_performance_step, conversion_paths_step
from event_assets.pipeline.clean import clean_step, quarantine_step
from event_assets.pipeline.company import COMPANY, COMPANY_CODE, company_rules
from event_assets.pipeline.consent_receipts import CONSENT_RECEIPTS_CODE, consent_receipts_step
from event_assets.pipeline.conversions import CONVERSIONS_CODE, conversions_step
from event_assets.pipeline.counting import conversion_ids_step
from event_assets.pipeline.dimensions import DIMENSIONS, DIMENSIONS_CODE
from event_assets.pipeline.domains import Group, Pace
from event_assets.pipeline.enrich import enrich_step, index_step
from event_assets.pipeline.groups import GROUPS_CODE, group_members_step, groups_step
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.land import LAND_CODE
from event_assets.pipeline.learning import LEARNING
from event_assets.pipeline.ledger import LEDGER_CODE, ledger_step
from event_assets.pipeline.metrics import metrics_step, period_people_step
from event_assets.pipeline.minute_anomalies import MINUTES
from event_assets.pipeline.outlier_visitors import OUTLIERS_CODE, outlier_rules, outliers_step
from event_assets.pipeline.people import segments_step
from event_assets.pipeline.product import analyses_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Rules, Run
from event_assets.pipeline.segments import memberships_step
from event_assets.pipeline.sessions import sessions_step
from event_assets.pipeline.streaming import land_step
from event_assets.pipeline.telling import telling_step
from event_assets.pipeline.touches import TOUCHES_CODE, touches_step
from event_assets.pipeline.user_history import USER_HISTORY_CODE, user_history_step
from event_assets.pipeline.user_traits import USER_TRAITS_CODE, user_traits_step
from event_assets.pipeline.users import USERS_CODE, users_step
from event_assets.pipeline.visitors import VISITORS_CODE, visitors_step


@dataclass(frozen=True)
class RefreshStep:
    """What makes some tables of the lake out of others.

    `tables` are the ones that it commits. It `follows` tables day by day: a day that changes there is behind here until
    it is refreshed. It `reads` others as they are. `code` is the version of what it does, `rules` that of the rules
    that it goes by. `rebuilds` says what a rebuild can be narrowed to; `pace` how soon it follows new events.
    """

    tables: tuple[Table, ...]
    refresh: Callable[[Run], StepReport | tuple[StepReport, ...]]
    group: Group
    code: str = "1"
    rules: Callable[[Rules], str] | None = None
    follows: tuple[Table, ...] = ()
    reads: tuple[Table, ...] = ()
    rebuilds: Literal["days", "hours", "nothing"] = "days"
    on_spark: bool = True
    pace: Pace = "minutes"

    @property
    def name(self) -> str:
        """The name of its last table, which the others lead to."""
        return self.tables[-1].name

    def version(self, rules: Rules) -> str:
        """The version of its code and of the rules that it goes by: what other versions made is made again."""
        return f"{self.code}-{self.rules(rules)}" if self.rules else self.code

    @property
    def upstream(self) -> tuple[Table, ...]:
        """The tables that it is made of."""
        return (*self.follows, *self.reads)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Which of its tables follows which day by day."""
        return tuple((upstream.name, table.name) for upstream in self.follows for table in self.tables)

    @property
    def is_by_day(self) -> bool:
        """Whether its tables are laid out by days, of arrival or of the events."""
        return any(table.is_by_day for table in self.tables)

    def run(self, run: Run) -> tuple[StepReport, ...]:
        """Refreshes its tables. Gives a report of each."""
        with telling_step(self.name) as tell:
            made = self.refresh(run)
            reports = (made,) if isinstance(made, StepReport) else made
            tell(reports)
        return reports


_OF_PEOPLE = (ENRICHED_EVENTS, IDENTITIES)


def _cleaning(rules: Rules) -> str:
    return rules.cleaning.version


STEPS: tuple[RefreshStep, ...] = (
    RefreshStep((RAW_EVENTS,), land_step, "ingest", LAND_CODE, rebuilds="nothing", on_spark=False, pace="seconds"),
    RefreshStep(
        (CLEAN_EVENTS,),
        clean_step,
        "events",
        clean.CODE,
        rules=_cleaning,
        follows=(RAW_EVENTS,),
        rebuilds="hours",
        pace="seconds",
    ),
    RefreshStep(
        (QUARANTINED_EVENTS,),
        quarantine_step,
        "events",
        clean.CODE,
        rules=_cleaning,
        follows=(RAW_EVENTS,),
        reads=(CLEAN_EVENTS,),
        rebuilds="hours",
        pace="minute",
    ),
    RefreshStep(
        (EVENT_IDS, DUPLICATE_EVENTS),
        index_step,
        "events",
        enrich.CODE,
        reads=(CLEAN_EVENTS,),
        rebuilds="nothing",
        pace="seconds",
    ),
    RefreshStep(
        (ENRICHED_EVENTS,),
        enrich_step,
        "events",
        enrich.CODE,
        rules=lambda rules: rules.enriching.version,
        follows=(CLEAN_EVENTS, DUPLICATE_EVENTS),
        pace="seconds",
    ),
    RefreshStep(
        (EVENT_LEDGER,),
        ledger_step,
        "events",
        LEDGER_CODE,
        reads=(RAW_EVENTS, CLEAN_EVENTS, QUARANTINED_EVENTS, DUPLICATE_EVENTS, ENRICHED_EVENTS),
        rebuilds="nothing",
        pace="minute",
    ),
    RefreshStep(
        (CONVERSION_IDS,),
        conversion_ids_step,
        "events",
        counting.CODE,
        rules=lambda rules: f"{rules.sessions.conversion_events}-{rules.sessions.conversion_ids}",
        reads=(ENRICHED_EVENTS,),
        rebuilds="nothing",
        pace="minute",
    ),
    RefreshStep((IDENTITIES,), identities_step, "identity", people.CODE, reads=(ENRICHED_EVENTS,), pace="minute"),
    RefreshStep(
        (EVENT_DAYS, PAGE_VIEWS, SESSIONS, SESSION_ISSUES),
        sessions_step,
        "sessions",
        sessions.CODE,
        rules=metrics.session_rules,
        follows=(ENRICHED_EVENTS, CONVERSION_IDS),
        reads=(IDENTITIES,),
        pace="minute",
    ),
    RefreshStep((VISITORS,), visitors_step, "people", VISITORS_CODE, reads=(ENRICHED_EVENTS, SESSIONS)),
    RefreshStep((USER_TRAITS,), user_traits_step, "people", USER_TRAITS_CODE, reads=_OF_PEOPLE),
    RefreshStep(
        (USERS,),
        users_step,
        "people",
        USERS_CODE,
        rules=metrics.session_rules,
        reads=(*_OF_PEOPLE, SESSIONS, USER_TRAITS, CONVERSION_IDS),
    ),
    RefreshStep((groups.GROUP_MEMBERS,), group_members_step, "people", GROUPS_CODE, reads=_OF_PEOPLE),
    RefreshStep((groups.GROUPS,), groups_step, "people", GROUPS_CODE, reads=(ENRICHED_EVENTS, groups.GROUP_MEMBERS)),
    RefreshStep((USER_HISTORY,), user_history_step, "people", USER_HISTORY_CODE, reads=(*_OF_PEOPLE, USER_TRAITS)),
    RefreshStep((CONSENT_RECEIPTS,), consent_receipts_step, "people", CONSENT_RECEIPTS_CODE, reads=_OF_PEOPLE),
    RefreshStep(
        (OUTLIER_VISITORS,), outliers_step, "people", OUTLIERS_CODE, outlier_rules, reads=_OF_PEOPLE, pace="pauses"
    ),
    *(
        RefreshStep((table,), refresh, "company", COMPANY_CODE, rules=company_rules, reads=reads)
        for table, reads, refresh in COMPANY
    ),
    RefreshStep(
        (TOUCHES,),
        touches_step,
        "attribution",
        TOUCHES_CODE,
        rules=lambda rules: str(rules.attribution.source_days),
        reads=(SESSIONS, PAGE_VIEWS),
    ),
    RefreshStep(
        (CONVERSIONS,),
        conversions_step,
        "attribution",
        CONVERSIONS_CODE,
        rules=lambda rules: str(rules.sessions.conversion_events),
        reads=(*_OF_PEOPLE, CONVERSION_IDS),
    ),
    RefreshStep(
        (CONVERSION_PATHS,),
        conversion_paths_step,
        "attribution",
        attribution.CODE,
        rules=lambda rules: str(rules.attribution.lookback_days),
        reads=(TOUCHES, CONVERSIONS),
    ),
    RefreshStep(
        (ATTRIBUTION,),
        attribution_step,
        "attribution",
        attribution.CODE,
        rules=lambda rules: rules.attribution.version,
        reads=(CONVERSION_PATHS,),
    ),
    RefreshStep(
        (CHANNEL_PERFORMANCE,),
        channel_performance_step,
        "attribution",
        attribution.CODE,
        rules=attribution.performance_rules,
        reads=(CONVERSION_PATHS,),
    ),
    RefreshStep((USER_SEGMENTS,), segments_step, "segments", people.CODE, reads=(*_OF_PEOPLE, USERS)),
    RefreshStep(
        (SEGMENT_MEMBERSHIPS,),
        memberships_step,
        "segments",
        segments.CODE,
        rules=segments.membership_rules,
        reads=(*_OF_PEOPLE, SESSIONS, USER_TRAITS, CONVERSION_IDS, OUTLIER_VISITORS),
        pace="pauses",
    ),
    *(
        RefreshStep(
            (table,),
            partial(analyses_step, table),
            "product",
            product.CODE,
            reads=(ENRICHED_EVENTS,) if table in (PATHS, WEB_VITALS) else _OF_PEOPLE,
            pace="pauses",
        )
        for table in ANALYSIS_TABLES
    ),
    RefreshStep(
        (DAILY_METRICS,),
        metrics_step,
        "metrics",
        metrics.CODE,
        rules=metrics.session_rules,
        follows=(ENRICHED_EVENTS, CONVERSION_IDS, SESSIONS, PAGE_VIEWS),
    ),
    *(
        RefreshStep((table,), refresh, "metrics", code, rules=rules, follows=follows)
        for table, code, follows, rules, refresh in metrics.MARTS
    ),
    RefreshStep(
        (PERIOD_PEOPLE,),
        period_people_step,
        "metrics",
        metrics.PEOPLE_CODE,
        reads=(SESSIONS, ENRICHED_EVENTS, PAGE_VIEWS, IDENTITIES),
        pace="pauses",
    ),
    *(
        RefreshStep((table,), refresh, "metrics", DIMENSIONS_CODE, reads=(upstream,))
        for table, upstream, refresh in DIMENSIONS
    ),
    *(
        RefreshStep((table,), refresh, group, code, rules=rules, reads=reads, on_spark=False, pace="minute")
        for table, group, code, rules, reads, refresh in MINUTES
    ),
    *(RefreshStep((t,), do, "models", code, rules=by, reads=of, pace=pace) for t, code, by, of, do, pace in LEARNING),
    *(
        RefreshStep((table,), refresh, "models", ANOMALIES_CODE, rules=rules, reads=reads, pace="pauses")
        for table, reads, rules, refresh in ANOMALIES
    ),
)
"""The steps, each after all that it reads."""


def step_of(table: Table) -> RefreshStep:
    """The step that makes a table."""
    return next(step for step in STEPS if table in step.tables)


def refresh_all(run: Run, steps: Iterable[RefreshStep] = STEPS) -> list[StepReport]:
    """Every step once, in the order of the data. Gives their reports."""
    return [report for step in steps for report in step.run(run)]


def steps_of(*paces: Pace) -> tuple[RefreshStep, ...]:
    """The steps of these paces, each after all that it reads."""
    return tuple(step for step in STEPS if step.pace in paces)


def followed(by: str) -> Iterator[tuple[str, str]]:
    """Which table follows which day by day, upstream first, among those laid out by this column's days."""
    for step in STEPS:
        for upstream in step.follows:
            yield from ((upstream.name, table.name) for table in step.tables if by in table.partition_by)
