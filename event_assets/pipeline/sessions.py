"""sessions, session_issues and page_views: what changed among the enriched events is sessionised again, nothing else.

All come from one pass. A change on one day can change sessions that began on another (past midnight; a late event that
joins two), so each table's commit covers all days that it concerns, at once. page_views is committed last: how page
views stood before tells whose sessions a moved page view touches, so it must not be lost before the sessions are
written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.sessions import EVENT_DAYS, PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.lake.horizons import closed_before
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.event_index import EventIndex
from event_assets.pipeline.pending_changes import PendingChanges, pending_changes, was_recreated
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.pipeline.stitching import Stitching
from event_assets.pipeline.upstream_gone import UpstreamGone
from event_assets.pipeline.window import Window
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.sessions.page_views import page_views_by_part
from event_assets.transforms.sessions.resessionise import Tables, in_ranges, outside_ranges, resessionise
from event_assets.transforms.sessions.session_issues import session_issues
from event_assets.transforms.sessions.sessionise import SessionRules, session_events, sessionise_in_parts
from event_assets.transforms.sessions.sessions import sessions

CODE = "8"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


@dataclass(frozen=True)
class Sessionising:
    """What to sessionise: the days, by which rules, whether from scratch, on an engine of how many cores."""

    window: Window
    rules: SessionRules
    rebuild: bool
    cores: int

    @property
    def code(self) -> str:
        return f"{CODE}-{self.rules.version}"


@dataclass(frozen=True)
class _Tables:
    """The tables as they are now, what of the enriched events is pending, and whose sessions are."""

    events: Snapshot
    sessions: Snapshot
    issues: Snapshot
    page_views: Snapshot
    pending: PendingChanges
    conversions: Snapshot
    counted_anew: PendingChanges
    index: EventIndex
    stitching: Stitching
    closed: str
    """The first day that can be made again: what earlier days were made of went by retention."""


class _Rows(NamedTuple):
    """The rows of a table to write, and the days on which rows go or come: these days are written whole."""

    base: Snapshot
    rows: DataFrame
    days: list[str]


def sessions_step(run: Run) -> tuple[StepReport, ...]:
    """Brings page_views, sessions and session_issues up to date for the days of the window, and whose all sessions are,
    and their index.

    Gives the report of each, in this order.
    """
    params = Sessionising(run.window, run.rules.sessions, run.rebuild, run.cores)
    return retry_on_conflict(lambda: _refresh(run.lake, run.spark, params))


def _refresh(lake: Lake, spark: SparkSession, params: Sessionising) -> tuple[StepReport, ...]:
    tables = _tables(lake, spark)
    known = {day for day in tables.events.dates() if day >= tables.closed}
    progress = tables.page_views.progress
    rebuilt = {day for day in params.window.among(known) if params.rebuild or progress.is_outdated(params.code, day)}
    days = sorted({*params.window.among({*tables.pending.dates, *tables.counted_anew.dates}), *rebuilt})
    there = tables.sessions.dates() | tables.issues.dates() | tables.page_views.dates()
    if tables.pending.was_recreated and tables.closed and there - tables.events.dates():
        raise UpstreamGone(
            f"{ENRICHED_EVENTS.name} is another table than the one that sessions were made of, and its days before "
            f"{tables.closed} went by retention: sessions are not made again of what is left. To begin anew with what "
            f"there is, delete {SESSIONS.name}, {SESSION_ISSUES.name}, {PAGE_VIEWS.name} and {EVENT_DAYS.name}."
        )
    if tables.pending.was_recreated:  # sessions reach over days: those of other events cannot stand beside new ones
        days = sorted(tables.pending.dates)
    with lake.scratch() as checkpoint:
        made = _made(spark, tables, params, days, rebuilt, checkpoint) if days else _reassigned(spark, tables)
        if days or tables.stitching.days:
            tables.index.commit()
        written = [_write(tables, params, each, days, known, rebuilt) for each in made]
    entries = report_of(lake.table(EVENT_DAYS.name).snapshot())
    page_views = written[2] if days else report_of(tables.page_views)
    issues = written[1] if days else report_of(tables.issues)
    return entries, page_views, written[0], issues


def _tables(lake: Lake, spark: SparkSession) -> _Tables:
    # What is made of others is read first: then none is ahead of what it is made of, whoever writes meanwhile.
    existing, issues, views = (lake.table(table.name).snapshot() for table in (SESSIONS, SESSION_ISSUES, PAGE_VIEWS))
    entries, identities = lake.table(EVENT_DAYS.name).snapshot(), lake.table(IDENTITIES.name).snapshot()
    conversions, events = (lake.table(table.name).snapshot() for table in (CONVERSION_IDS, ENRICHED_EVENTS))
    # page_views are committed last, so another one is behind them only where its table was deleted.
    behind = min(views, existing, issues, key=lambda table: _watermark(table, events))
    pending = pending_changes(events, behind.progress, lambda: existing.dates() | issues.dates() | views.dates())
    index = EventIndex(spark, entries, events, existing, views)
    counted_anew = pending_changes(conversions, behind.progress)
    stitching = Stitching(spark, existing, identities, index)
    # Without any rows there is nothing to be kept: all is made of what there is.
    made = any(each.files for each in (existing, issues, views))
    closed = closed_before(SESSIONS, (each.whole_since for each in (events, existing))) if made else ""
    pending, counted_anew = (each.without([d for d in each.dates if d < closed]) for each in (pending, counted_anew))
    return _Tables(events, existing, issues, views, pending, conversions, counted_anew, index, stitching, closed)


def _watermark(table: Snapshot, events: Snapshot) -> int:
    """The version of these events that the table has; -1 where it has other ones, of a table that was deleted."""
    consumed = table.progress.consumed(ENRICHED_EVENTS.name)
    return -1 if was_recreated(events, consumed) else consumed.watermark


def _made(
    spark: SparkSession,
    tables: _Tables,
    params: Sessionising,
    days: Sequence[str],
    rebuilt: Collection[str],
    checkpoint: Checkpoint,
) -> list[_Rows]:
    is_first = not tables.sessions.files and not tables.page_views.files and not tables.issues.files
    if tables.pending.was_recreated or (is_first and set(days) >= tables.events.dates()):
        return _everything(spark, tables, params, checkpoint)
    changed = _changed(spark, tables, days, rebuilt)
    return _ranges(spark, tables, params, changed, checkpoint)


def _everything(spark: SparkSession, tables: _Tables, params: Sessionising, checkpoint: Checkpoint) -> list[_Rows]:
    rules, events = params.rules, tables.events.read(spark)
    found = session_events(events, rules, tables.conversions.read(spark))
    rows = checkpoint(*sessionise_in_parts(found, rules, params.cores))
    made = checkpoint(sessions(rows, events, rules))
    tables.index.add_sessions(made, sorted(tables.events.dates() | tables.sessions.dates()))
    of_tables = (
        (tables.sessions, tables.stitching.stitch(made, tables.sessions.read(spark, []))),
        (tables.issues, session_issues(rows, rules)),
        (tables.page_views, page_views_by_part(rows, events, rules, checkpoint, params.cores)),
    )
    return [_Rows(base, each, sorted(tables.events.dates() | base.dates())) for base, each in of_tables]


def _ranges(
    spark: SparkSession,
    tables: _Tables,
    params: Sessionising,
    changed: DataFrame,
    checkpoint: Checkpoint,
) -> list[_Rows]:
    def days_of(snapshot: Snapshot) -> Callable[[Collection[dt.date]], DataFrame]:
        return lambda dates: snapshot.read(spark, snapshot.of_dates(map(str, dates)))

    result = resessionise(
        changed,
        Tables(
            dates=[dt.date.fromisoformat(day) for day in tables.events.dates()],
            events=days_of(tables.events),
            page_views=days_of(tables.page_views),
            event_days=tables.index.rows,
            checkpoint=checkpoint,
            conversion_ids=tables.conversions.read(spark),
            cores=params.cores,
        ),
        params.rules,
    )
    near = [str(date) for date in result.dates]

    def replacing(base: Snapshot, rows: DataFrame) -> tuple[DataFrame, list[str]]:
        """The rows of the ranges, and the days on which they come or others go."""
        inserted, removed = checkpoint(rows), in_ranges(base.read(spark, base.of_dates(near)), result.ranges)
        return inserted, _distinct_days(inserted.select("event_date").unionByName(removed.select("event_date")))

    def existing(base: Snapshot, days: Collection[str]) -> DataFrame:
        return outside_ranges(base.read(spark, base.of_dates(days)), result.ranges)

    inserted, days = replacing(tables.sessions, result.sessions)
    tables.index.add_sessions(inserted, days)
    days = sorted({*days, *tables.stitching.days})
    made = [_Rows(tables.sessions, tables.stitching.stitch(inserted, existing(tables.sessions, days)), days)]
    for base, rows in ((tables.issues, result.session_issues), (tables.page_views, result.page_views)):
        inserted, days = replacing(base, rows)
        made.append(_Rows(base, existing(base, days).unionByName(inserted), days))
    return made


def _reassigned(spark: SparkSession, tables: _Tables) -> list[_Rows]:
    """The sessions alone, where no event is pending."""
    days = tables.stitching.days
    existing = tables.sessions.read(spark, tables.sessions.of_dates(days))
    rows = tables.stitching.stitch(existing.where("false"), existing) if days else existing
    return [_Rows(tables.sessions, rows, days)]


def _distinct_days(rows: DataFrame) -> list[str]:
    return sorted(str(row["event_date"]) for row in rows.distinct().collect())


def _changed(spark: SparkSession, tables: _Tables, days: Iterable[str], rebuilt: Collection[str]) -> DataFrame:
    """The enriched rows of these days that came, and those that went: of days that lost rows, all of then and of
    now. Where a conversion counts that did not, or the other way round, the day's that say which they are."""
    appended, replaced = tables.pending.appended_and_replaced(day for day in days if day in tables.pending.dates)
    frames = [
        _on(tables.events.read(spark, each.files), came) for each in appended if (came := {*each.dates} - {*rebuilt})
    ]
    if counted_anew := tables.counted_anew.dates.keys() & set(days):
        frames.append(_of_conversions(spark, tables, counted_anew))
    whole = {*rebuilt, *replaced}
    if whole:
        frames.append(tables.events.read(spark, tables.events.of_dates(whole)))
    for version in {tables.pending.dates[day] for day in replaced if tables.pending.dates[day] >= 0}:
        before = tables.events.table.at(version)
        lost = [day for day in replaced if tables.pending.dates[day] == version]
        frames.append(before.read(spark, before.of_dates(lost)))
    return reduce(lambda one, other: one.unionByName(other), frames)


def _of_conversions(spark: SparkSession, tables: _Tables, days: Collection[str]) -> DataFrame:
    """The enriched rows of these days that say which conversion they are."""
    ids = _on(tables.conversions.read(spark), days).select("event_id")
    return tables.events.read(spark, tables.events.of_dates(days)).join(ids, "event_id", "left_semi")


def _on(rows: DataFrame, dates: Collection[str]) -> DataFrame:
    return rows.where(F.col("event_date").cast("string").isin(sorted(dates)))


def _write(
    tables: _Tables,
    params: Sessionising,
    made: _Rows,
    days: Sequence[str],
    known: Collection[str],
    rebuilt: Collection[str],
) -> StepReport:
    """Commits what was made of these `days`, unless there is nothing to say."""
    base = made.base
    progress = base.progress
    if days:
        progress = progress.with_consumed(ENRICHED_EVENTS.name, tables.pending.after(days))
        progress = progress.with_consumed(CONVERSION_IDS.name, tables.counted_anew.after(days))
        progress = progress.with_code(params.code, known, rebuilt)
    if base is tables.sessions:
        progress = tables.stitching.done(progress)
    if progress == base.progress and not made.days:
        return report_of(base)
    removed = base.of_dates(made.days)
    expected = sum(file.rows for file in removed) + _rows(tables, days)
    staged = base.table.stage(made.rows, len(made.days), expected) if made.days else []
    version = base.table.commit(base, progress, add=staged, remove=removed)
    return report_of(base.table.at(version), staged, rebuilt=sorted(rebuilt))


def _rows(tables: _Tables, days: Sequence[str]) -> int:
    """How many rows at the most come of these days' events."""
    return sum(file.rows for file in tables.events.of_dates(days))
