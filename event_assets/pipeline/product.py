"""funnels, retention, lifecycle, paths, active_users, stickiness, web_vitals: each analysis made again, whole, when
what it is made of has changed.

An analysis is one partition of its kind's table, and one commit. What it was made of is part of that commit, so an
analysis that is up to date costs a look at the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.rules.analysis import (
    ActiveUsers,
    Analyses,
    Analysis,
    Funnel,
    Lifecycle,
    Paths,
    Retention,
    Stickiness,
    WebVitals,
    unknown_events,
)
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.product.active_users import active_users
from event_assets.transforms.product.funnels import funnel
from event_assets.transforms.product.lifecycle import lifecycle
from event_assets.transforms.product.paths import top_paths
from event_assets.transforms.product.retention import retention
from event_assets.transforms.product.stickiness import stickiness
from event_assets.transforms.product.web_vitals import web_vitals
from event_assets.transforms.sessions.sessionise import (
    SessionRules,
    session_events,
    sessionise_in_parts,
    sessions_of_events,
)
from event_assets.transforms.site_dates import site_day

CODE = "3"
"""Version of the code that makes these tables; raise it when the rows it gives change."""
_FEW = 10_000
"""Rows that an analysis is expected to have at the most, for how its file is written."""


@dataclass(frozen=True)
class Analysing:
    """What to analyse, by which rules sessions are cut, whether in any case, on an engine of how many cores."""

    analysis: Analysis
    rules: SessionRules
    rebuild: bool
    cores: int


def analysis_step(run: Run, analysis: Analysis) -> StepReport:
    """Brings one analysis up to date."""
    params = Analysing(analysis, run.rules.sessions, run.rebuild, run.cores)
    report = retry_on_conflict(lambda: _analyse(run.lake, run.spark, params))
    return replace(report, warnings=tuple(unknown_events([analysis], run.rules.cleaning.plan)))


def analyses_step(table: Table, run: Run) -> StepReport:
    """Brings all analyses of a kind up to date, one after the other, once the rows of those that are no more are gone,
    also where the table loses its last.

    What a file said before it became faulty stays, so that a slip of the pen empties nothing.
    """
    analyses, made = run.rules.analyses, run.lake.table(table.name)
    gone = retry_on_conflict(lambda: _remove(made, analyses))
    new_rows = sum(analysis_step(run, analysis).new_rows for analysis in analyses.of(table))
    return replace(report_of(made.snapshot()), new_rows=new_rows, more={"removed": ", ".join(gone)} if gone else {})


def _remove(table: LakeTable, among: Analyses) -> list[str]:
    base = table.snapshot()
    gone = removed(base, among)
    if gone:
        upstreams = {
            name: consumed for name, consumed in base.progress.upstreams.items() if _analysis_of(name) not in gone
        }
        table.commit(base, replace(base.progress, upstreams=upstreams), remove=base.of_dates(gone))
    return sorted(gone)


def removed(table: Snapshot, among: Analyses) -> set[str]:
    """The names of the analyses that the table knows and that are no more."""
    known = table.dates() | {_analysis_of(name) for name in table.progress.upstreams}
    return known - {analysis.name for analysis in among.of(table.table.spec)} - among.faults.keys()


def _analysis_of(upstream: str) -> str:
    return upstream.partition("@")[0]


def outdated(lake: Lake, among: Analyses, rules: SessionRules) -> list[str]:
    """The names of the analyses that are not of the lake as it is now, those that are no more among them. None of a
    lake without events."""
    if not all(lake.table(table.name).exists() for table in (ENRICHED_EVENTS, IDENTITIES)):
        return []
    upstream = _upstream(lake)
    if not upstream[ENRICHED_EVENTS.name].files:
        return []
    tables = (lake.table(table.name) for table in ANALYSIS_TABLES)
    made = {table.spec.name: table.snapshot() for table in tables if table.exists()}
    progress = {name: snapshot.progress for name, snapshot in made.items()}
    behind = []
    for analysis in among.usable:
        before = progress.get(analysis.table.name, Progress())
        if _after(before, analysis, rules, upstream) != before:
            behind.append(analysis.name)
    return behind + sorted(name for snapshot in made.values() for name in removed(snapshot, among))


def _analyse(lake: Lake, spark: SparkSession, params: Analysing) -> StepReport:
    analysis, table = params.analysis, params.analysis.table
    base, upstream = lake.table(table.name).snapshot(), _upstream(lake)
    progress = _after(base.progress, analysis, params.rules, upstream)
    existing = base.of_dates([analysis.name])
    if progress == base.progress and not params.rebuild:
        return StepReport(table.name, base.version, sum(f.rows for f in existing), sum(f.size for f in existing))
    with lake.scratch() as checkpoint:
        rows = _rows(params, spark, upstream, checkpoint).withColumn("analysis", F.lit(analysis.name))
        staged = base.table.stage(rows, 1, _FEW)
    version = base.table.commit(base, progress, add=staged, remove=existing)
    count = sum(file.rows for file in staged)
    return StepReport(table.name, version, count, sum(file.size for file in staged), count)


def _upstream(lake: Lake) -> dict[str, Snapshot]:
    return {table.name: lake.table(table.name).snapshot() for table in (ENRICHED_EVENTS, IDENTITIES)}


def _after(progress: Progress, analysis: Analysis, rules: SessionRules, upstream: Mapping[str, Snapshot]) -> Progress:
    """The table's progress once the analysis is made: an upstream is named `analysis@definition/table`."""
    others = {name: consumed for name, consumed in progress.upstreams.items() if _analysis_of(name) != analysis.name}
    code = f"{analysis.name}@{CODE}-{analysis.digest}"
    if isinstance(analysis, Paths):
        code += f"-{rules.timeout_minutes}-{rules.max_hours}-{rules.max_days_client}"
    made = {f"{code}/{name}": upstream[name].consumed for name in _sources(analysis)}
    return replace(progress, upstreams={**others, **made})


def _sources(analysis: Analysis) -> tuple[str, ...]:
    of_people = not isinstance(analysis, Paths | WebVitals)
    return (ENRICHED_EVENTS.name, IDENTITIES.name) if of_people else (ENRICHED_EVENTS.name,)


def _rows(
    params: Analysing, spark: SparkSession, upstream: Mapping[str, Snapshot], checkpoint: Checkpoint
) -> DataFrame:
    analysis = params.analysis
    events = _events(analysis, spark, upstream[ENRICHED_EVENTS.name])
    if isinstance(analysis, Paths):
        found = session_events(events, params.rules)
        sessions = checkpoint(*sessionise_in_parts(found, params.rules, params.cores, rows=sessions_of_events))
        return _paths(analysis, events, sessions.where(~F.col("after_cut")))
    if isinstance(analysis, WebVitals):
        return web_vitals(events, least_views=analysis.least_views)
    people = upstream[IDENTITIES.name].read(spark)
    return _of_people(analysis, with_person(_by_days_of_sites(analysis, events), people))


def _by_days_of_sites(analysis: Analysis, events: DataFrame) -> DataFrame:
    """The events of an analysis of days, weeks or months, each at the beginning of its site's day: all that counts of a
    moment there is the period that it lies in. Hours are UTC's."""
    is_of_days = isinstance(analysis, ActiveUsers) or (
        isinstance(analysis, Retention | Lifecycle | Stickiness) and analysis.period != "hour"
    )
    return events.withColumn("derived_at", site_day().cast("timestamp")) if is_of_days else events


def _of_people(analysis: Funnel | Retention | Lifecycle | ActiveUsers | Stickiness, events: DataFrame) -> DataFrame:
    match analysis:
        case Funnel():
            return funnel(
                events,
                analysis.steps,
                within=analysis.within,
                order=analysis.order,
                breakdown=analysis.breakdown,
                breakdown_values=analysis.breakdown_values,
            )
        case Retention():
            return retention(
                events,
                analysis.target,
                analysis.returning,
                period=analysis.period,
                periods=analysis.periods,
                first_time=analysis.first_time,
                week_starts=analysis.week_starts,
            )
        case Lifecycle():
            return lifecycle(events, analysis.event, period=analysis.period, week_starts=analysis.week_starts)
        case ActiveUsers():
            return active_users(events, analysis.event)
        case Stickiness():
            return stickiness(events, analysis.event, period=analysis.period, week_starts=analysis.week_starts)


def _paths(analysis: Paths, events: DataFrame, sessions: DataFrame) -> DataFrame:
    nodes = events.where(F.col("event").isin(analysis.events)) if analysis.events else events
    return top_paths(
        nodes.drop("session_id").join(sessions.select("event_id", "session_id"), "event_id"),
        analysis.by,
        length=analysis.length,
        start=analysis.start,
        end=analysis.end,
        collapse_repeats=analysis.collapse_repeats,
        most=analysis.most,
    )


def _events(analysis: Analysis, spark: SparkSession, enriched: Snapshot) -> DataFrame:
    """The events that the analysis looks at: of its last days, counted from the last day that has any, or from one so
    many days before that."""
    files = None
    days = analysis.days if isinstance(analysis, Funnel | Paths | Stickiness | WebVitals) else None
    if days is not None and enriched.files:
        ago = analysis.days_ago if isinstance(analysis, Funnel) else 0
        last = dt.date.fromisoformat(max(enriched.dates())) - dt.timedelta(days=ago)
        first = last - dt.timedelta(days=days - 1)
        files = enriched.of_dates(date for date in enriched.dates() if str(first) <= date <= str(last))
    events = enriched.read(spark, files)
    return events if analysis.include_bots else events.where(~F.col("is_bot"))
