"""funnels, retention, lifecycle, paths, active_users, stickiness, web_vitals: each analysis made again, whole, when
what it is made of has changed.

An analysis is one partition of its kind's table, and one commit. What it was made of is part of that commit, so an
analysis that is up to date costs a look at the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.pipeline.analysing import Lakeside, rows_of, sources_of, with_gone_periods
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.rules.analysis import Analyses, Analysis, Paths
from event_assets.rules.condition import unknown_events
from event_assets.transforms.sessions.sessionise import SessionRules

CODE = "5"
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
    known = {segment.name for segment in run.rules.segments.usable} if analysis.knows_segments else set()
    unknown = [name for name in analysis.segments_named() if name not in known]
    warnings = [
        *unknown_events([analysis], run.rules.cleaning.plan),
        *(_no_segment(analysis, name) for name in unknown),
    ]
    return replace(report, warnings=tuple(warnings))


def _no_segment(analysis: Analysis, name: str) -> str:
    return f"{analysis.name}: there is no segment {name!r}"


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
    upstream = _upstream(lake, among.usable)
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
    base, upstream = lake.table(table.name).snapshot(), _upstream(lake, [analysis])
    progress = _after(base.progress, analysis, params.rules, upstream)
    existing = base.of_dates([analysis.name])
    if progress == base.progress and not params.rebuild:
        return StepReport(table.name, base.version, sum(f.rows for f in existing), sum(f.size for f in existing))
    with lake.scratch() as checkpoint:
        lakeside = Lakeside(spark, upstream, params.rules, params.cores, checkpoint)
        rows = rows_of(analysis, lakeside).withColumn("analysis", F.lit(analysis.name))
        if _is_same(base.progress, progress, analysis):
            rows = with_gone_periods(rows, base.read(spark, existing), analysis, lakeside)
        staged = base.table.stage(rows, 1, _FEW)
    version = base.table.commit(base, progress, add=staged, remove=existing)
    count = sum(file.rows for file in staged)
    return StepReport(table.name, version, count, sum(file.size for file in staged), count)


def _is_same(before: Progress, after: Progress, analysis: Analysis) -> bool:
    """Whether what stands was made by the same definition."""

    def definitions(progress: Progress) -> set[str]:
        return {name.partition("/")[0] for name in progress.upstreams if _analysis_of(name) == analysis.name}

    return bool(definitions(before) & definitions(after))


def _upstream(lake: Lake, analyses: Iterable[Analysis]) -> dict[str, Snapshot]:
    sources = {ENRICHED_EVENTS, *(table for analysis in analyses for table in sources_of(analysis))}
    return {table.name: lake.table(table.name).snapshot() for table in sources}


def _after(progress: Progress, analysis: Analysis, rules: SessionRules, upstream: Mapping[str, Snapshot]) -> Progress:
    """The table's progress once the analysis is made: an upstream is named `analysis@definition/table`."""
    others = {name: consumed for name, consumed in progress.upstreams.items() if _analysis_of(name) != analysis.name}
    code = f"{analysis.name}@{CODE}-{analysis.digest}"
    if isinstance(analysis, Paths):
        code += f"-{rules.timeout_minutes}-{rules.max_hours}-{rules.max_days_client}"
    made = {f"{code}/{name}": upstream[name].consumed for name in sorted(table.name for table in sources_of(analysis))}
    return replace(progress, upstreams={**others, **made})
