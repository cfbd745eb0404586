"""sessions and page_views: what changed among the enriched events is sessionised again, and nothing else.

Both come from one pass. A change on one day can change sessions that began on another (past midnight; a late event that
joins two), so each table's commit covers all days that it concerns, at once. page_views is committed last: how page
views stood before tells whose sessions a moved page view touches, so it must not be lost before the sessions are
written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables import ENRICHED_EVENTS, PAGE_VIEWS, SESSIONS
from event_assets.lake.lake import Lake
from event_assets.lake.table import LakeFile, Snapshot, retry_on_conflict
from event_assets.steps.outstanding import Outstanding, outstanding
from event_assets.steps.report import StepReport
from event_assets.steps.window import Window
from event_assets.transforms.page_views import page_views
from event_assets.transforms.resessionise import Tables, in_zones, merge_touched, resessionise
from event_assets.transforms.sessionise import SessionRules, session_events, sessionise
from event_assets.transforms.sessions import sessions

CODE = "1"
"""Version of the code that makes sessions and page views; raise it when the rows it gives change."""


@dataclass(frozen=True)
class Sessionising:
    """What to sessionise: the days, by which rules, whether from scratch.

    `reach_days`: how far around a changed event other events of its client session are looked for; None: on every day.
    """

    window: Window
    rules: SessionRules
    rebuild: bool = False
    reach_days: int | None = None

    @property
    def code(self) -> str:
        return f"{CODE}-{self.rules}"


@dataclass(frozen=True)
class _Tables:
    """The three tables as they are now, and what of the enriched events is outstanding."""

    events: Snapshot
    sessions: Snapshot
    page_views: Snapshot
    todo: Outstanding


@dataclass(frozen=True)
class _Made:
    """Rows to write, and the days on which rows go or come."""

    sessions: DataFrame
    page_views: DataFrame
    session_days: list[str]
    page_view_days: list[str]


def sessions_step(lake: Lake, spark: SparkSession, what: Sessionising) -> tuple[StepReport, StepReport]:
    """Brings page_views and sessions up to date for the days of the window. Gives the report of each, in this order."""
    return retry_on_conflict(lambda: _bring_up_to_date(lake, spark, what))


def _bring_up_to_date(lake: Lake, spark: SparkSession, what: Sessionising) -> tuple[StepReport, StepReport]:
    tables = _tables(lake)
    known = tables.events.dates() - tables.todo.dates.keys()
    progress = tables.page_views.progress
    again = {day for day in what.window.among(known) if what.rebuild or progress.is_outdated(what.code, day)}
    days = sorted({*what.window.among(tables.todo.dates), *again})
    if not days:
        return _report(tables.page_views, [], []), _report(tables.sessions, [], [])
    with lake.scratch() as checkpoint:
        made = _made(spark, tables, what, days, again, checkpoint)
        return _write(tables, what, made, days, known, again)


def _tables(lake: Lake) -> _Tables:
    events = lake.table(ENRICHED_EVENTS.name).snapshot()
    views, standing = lake.table(PAGE_VIEWS.name).snapshot(), lake.table(SESSIONS.name).snapshot()
    # Sessions are committed first, so they are behind page_views only where their table was deleted.
    behind = (standing if _through(standing) < _through(views) else views).progress
    return _Tables(events, standing, views, outstanding(events, behind))


def _through(table: Snapshot) -> int:
    return table.progress.source(ENRICHED_EVENTS.name).through


def _made(
    spark: SparkSession,
    tables: _Tables,
    what: Sessionising,
    days: Sequence[str],
    again: Collection[str],
    checkpoint: Callable[[DataFrame], DataFrame],
) -> _Made:
    is_first = not tables.sessions.files and not tables.page_views.files
    if is_first and set(days) >= tables.events.dates():
        return _everything(spark, tables, what.rules, checkpoint)
    changed = _changed(spark, tables, days, again)
    return _zones(spark, tables, what, changed, checkpoint)


def _everything(
    spark: SparkSession, tables: _Tables, rules: SessionRules, checkpoint: Callable[[DataFrame], DataFrame]
) -> _Made:
    events = tables.events.read(spark)
    rows = checkpoint(sessionise(session_events(events, rules), rules))
    days = sorted(tables.events.dates())
    return _Made(sessions(rows, events, rules), page_views(rows, events, rules), days, days)


def _zones(
    spark: SparkSession,
    tables: _Tables,
    what: Sessionising,
    changed: DataFrame,
    checkpoint: Callable[[DataFrame], DataFrame],
) -> _Made:
    def days_of(snapshot: Snapshot) -> Callable[[Collection[dt.date]], DataFrame]:
        return lambda dates: snapshot.read(spark, snapshot.of_dates(map(str, dates)))

    result = resessionise(
        changed,
        Tables(
            dates=[dt.date.fromisoformat(day) for day in tables.events.dates()],
            events=days_of(tables.events),
            page_views=days_of(tables.page_views),
            checkpoint=checkpoint,
            reach_days=what.reach_days,
        ),
        what.rules,
    )
    near = [str(date) for date in result.dates]
    made = []
    for snapshot, rows in ((tables.sessions, result.sessions), (tables.page_views, result.page_views)):
        standing = snapshot.read(spark, snapshot.of_dates(near))
        come = checkpoint(rows)
        days = _distinct_days(
            come.select("event_date").unionByName(in_zones(standing, result.zones).select("event_date"))
        )
        kept = snapshot.read(spark, snapshot.of_dates(days))
        made.append((merge_touched(kept, come, result.zones), days))
    (session_rows, session_days), (view_rows, view_days) = made
    return _Made(session_rows, view_rows, session_days, view_days)


def _distinct_days(rows: DataFrame) -> list[str]:
    return sorted(str(row["event_date"]) for row in rows.distinct().collect())


def _changed(spark: SparkSession, tables: _Tables, days: Iterable[str], again: Collection[str]) -> DataFrame:
    """The enriched rows of these days that came, and those that went: of days that lost rows, all of then and of
    now."""
    arrivals, rewritten = tables.todo.appended(day for day in days if day not in again)
    frames = [_on(tables.events.read(spark, arrival.files), arrival.dates) for arrival in arrivals]
    whole = {*again, *rewritten}
    if whole:
        frames.append(tables.events.read(spark, tables.events.of_dates(whole)))
    for version in {tables.todo.dates[day] for day in rewritten if tables.todo.dates[day] >= 0}:
        before = tables.events.table.at(version)
        lost = [day for day in rewritten if tables.todo.dates[day] == version]
        frames.append(before.read(spark, before.of_dates(lost)))
    return reduce(lambda one, other: one.unionByName(other), frames)


def _on(rows: DataFrame, dates: Collection[str]) -> DataFrame:
    return rows.where(F.col("event_date").cast("string").isin(sorted(dates)))


def _write(
    tables: _Tables,
    what: Sessionising,
    made: _Made,
    days: Sequence[str],
    known: Collection[str],
    again: Collection[str],
) -> tuple[StepReport, StepReport]:
    reports = []
    for base, rows, changed in (
        (tables.sessions, made.sessions, made.session_days),
        (tables.page_views, made.page_views, made.page_view_days),
    ):
        staged = base.table.stage(
            rows, len(changed), sum(file.rows for file in base.of_dates(changed)) + _rows(tables, days)
        )
        progress = base.progress.with_source(ENRICHED_EVENTS.name, tables.todo.after(days))
        progress = progress.with_code(what.code, known, again)
        version = base.table.commit(base, progress, add=staged, remove=base.of_dates(changed))
        reports.append(_report(base.table.at(version), staged, sorted(again)))
    return reports[1], reports[0]


def _rows(tables: _Tables, days: Sequence[str]) -> int:
    """How many rows at the most come of these days' events."""
    return sum(file.rows for file in tables.events.of_dates(days))


def _report(snapshot: Snapshot, staged: Sequence[LakeFile], again: Sequence[str]) -> StepReport:
    return StepReport(
        snapshot.table.spec.name,
        snapshot.version,
        snapshot.rows,
        snapshot.bytes,
        sum(file.rows for file in staged),
        snapshot.table.touched_by(staged),
        tuple(again),
    )
