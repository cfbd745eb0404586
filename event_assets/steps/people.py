"""visitors, identities, users and user_segments: tables about people, which have no days.

Of the first three only the rows of those are made again whom a change upstream touches; all rows the first time, after
a change of the code or the rules, and where the upstream as it was is not kept any more. user_segments are places among
all, so they are always made whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables import (
    ENRICHED_EVENTS,
    IDENTITIES,
    SESSIONS,
    USER_SEGMENTS,
    USERS,
    VISITORS,
    Table,
)
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress, Source
from event_assets.lake.table import Snapshot, retry_on_conflict
from event_assets.steps.changed import changed_rows, readable
from event_assets.steps.report import StepReport
from event_assets.transforms.identities import events_of, identities, replace_identities, sessions_of, touched_ids
from event_assets.transforms.segments import user_segments
from event_assets.transforms.sessionise import SessionRules
from event_assets.transforms.users import ids_of, replace_users, touched_persons, users
from event_assets.transforms.visitors import of_visitors, replace_visitors, touched_visitors, visitors

CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

_CARRIERS = ("anonymous_id", "user_id")


@dataclass(frozen=True)
class _Work:
    """One table that is brought up to date: as it is (`base`), and what it is made of."""

    spark: SparkSession
    base: Snapshot
    upstream: Mapping[str, Snapshot]
    checkpoint: Callable[[DataFrame], DataFrame]

    @cached_property
    def before(self) -> dict[str, Snapshot | None]:
        """The upstream tables as they are taken in; None where that is not kept."""
        sources = self.base.progress.source
        return {name: readable(now, sources(name).through) for name, now in self.upstream.items()}

    @property
    def existing(self) -> DataFrame:
        return self.base.read(self.spark)

    def rows(self, table: Table) -> DataFrame:
        return self.upstream[table.name].read(self.spark)

    def changed(self, table: Table, columns: Sequence[str]) -> DataFrame:
        """The rows that came or went since the table was made, in the columns that it depends on."""
        then = self.before[table.name]
        assert then is not None, table.name
        return changed_rows(self.spark, then, self.upstream[table.name], columns)

    def progress(self, code: str) -> Progress:
        progress = self.base.progress
        for name, snapshot in self.upstream.items():
            progress = progress.with_source(name, Source(snapshot.version))
        return progress.with_code(code, (), ())


@dataclass(frozen=True)
class _Made:
    """The rows of a whole table, and what else is worth reporting."""

    rows: DataFrame
    more: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Recipe:
    """How a table is made: `whole`, or as a `part`, from those that are `touched` by what changed."""

    table: Table
    sources: tuple[Table, ...]
    code: str
    whole: Callable[[_Work], _Made]
    touched: Callable[[_Work], list[str] | None] | None = None
    part: Callable[[_Work, list[str]], _Made | None] | None = None


def visitors_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings visitors up to date."""

    def whole(work: _Work) -> _Made:
        return _Made(visitors(work.rows(ENRICHED_EVENTS), work.rows(SESSIONS)))

    def touched(work: _Work) -> list[str] | None:
        events = work.changed(ENRICHED_EVENTS, ("anonymous_id", "user_id", "derived_at", "received_at"))
        return touched_visitors(events, work.changed(SESSIONS, ("anonymous_id", "page_views", "engaged_seconds")))

    def part(work: _Work, ids: list[str]) -> _Made:
        events, sessions = (of_visitors(work.rows(table), ids) for table in (ENRICHED_EVENTS, SESSIONS))
        return _Made(replace_visitors(work.existing, visitors(events, sessions), ids))

    recipe = _Recipe(VISITORS, (ENRICHED_EVENTS, SESSIONS), CODE, whole, touched, part)
    return _bring_up_to_date(lake, spark, recipe, rebuild)


def identities_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings identities up to date."""

    def whole(work: _Work) -> _Made:
        found = identities(work.rows(ENRICHED_EVENTS), work.checkpoint)
        return _Made(found.rows, {"rounds": found.rounds})

    def touched(work: _Work) -> list[str] | None:
        changed = work.changed(ENRICHED_EVENTS, (*_CARRIERS, "event", "derived_at", "properties"))
        return touched_ids(changed, work.rows(ENRICHED_EVENTS), work.existing)

    def part(work: _Work, ids: list[str]) -> _Made:
        found = identities(events_of(work.rows(ENRICHED_EVENTS), ids), work.checkpoint)
        return _Made(replace_identities(work.existing, found.rows, ids), {"rounds": found.rounds})

    return _bring_up_to_date(lake, spark, _Recipe(IDENTITIES, (ENRICHED_EVENTS,), CODE, whole, touched, part), rebuild)


def users_step(lake: Lake, spark: SparkSession, rules: SessionRules, *, rebuild: bool = False) -> StepReport:
    """Brings users up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS, SESSIONS)

    def whole(work: _Work) -> _Made:
        people, events, sessions = (work.rows(table) for table in sources)
        return _Made(users(people, events, sessions, rules))

    def touched(work: _Work) -> list[str] | None:
        events = work.changed(ENRICHED_EVENTS, (*_CARRIERS, "event", "properties"))
        sessions = work.changed(
            SESSIONS, (*_CARRIERS, "session_id", "start_at", "page_views", "source", "medium", "channel_group")
        )
        return touched_persons(
            work.changed(IDENTITIES, IDENTITIES.column_names),
            events.select(*_CARRIERS).unionByName(sessions.select(*_CARRIERS)),
            work.rows(IDENTITIES),
            work.rows(ENRICHED_EVENTS).select(*_CARRIERS).unionByName(work.rows(SESSIONS).select(*_CARRIERS)),
        )

    def part(work: _Work, persons: list[str]) -> _Made | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        events, sessions = (sessions_of(work.rows(table), ids) for table in (ENRICHED_EVENTS, SESSIONS))
        return _Made(replace_users(work.existing, users(people, events, sessions, rules), persons))

    return _bring_up_to_date(lake, spark, _Recipe(USERS, sources, f"{CODE}-{rules}", whole, touched, part), rebuild)


def segments_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings user_segments up to date, as of the last day that the lake has events of."""
    dates = lake.table(ENRICHED_EVENTS.name).snapshot().dates()
    as_of = dt.date.fromisoformat(max(dates)) if dates else dt.date.min

    def whole(work: _Work) -> _Made:
        return _Made(user_segments(work.rows(USERS), as_of))

    return _bring_up_to_date(lake, spark, _Recipe(USER_SEGMENTS, (USERS,), f"{CODE}-{as_of}", whole), rebuild)


def _bring_up_to_date(lake: Lake, spark: SparkSession, recipe: _Recipe, rebuild: bool) -> StepReport:
    return retry_on_conflict(lambda: _make(lake, spark, recipe, rebuild))


def _make(lake: Lake, spark: SparkSession, recipe: _Recipe, rebuild: bool) -> StepReport:
    base = lake.table(recipe.table.name).snapshot()
    upstream = {source.name: lake.table(source.name).snapshot() for source in recipe.sources}
    with lake.scratch() as checkpoint:
        work = _Work(spark, base, upstream, checkpoint)
        progress = work.progress(recipe.code)
        if progress == base.progress and not rebuild:
            return StepReport(base.table.spec.name, base.version, base.rows, base.bytes)
        if rebuild or not _knows_changes(work, recipe):
            return _write(base, progress, recipe.whole(work))
        return _write(base, progress, _part(work, recipe))


def _knows_changes(work: _Work, recipe: _Recipe) -> bool:
    return recipe.touched is not None and recipe.code == work.base.progress.code and None not in work.before.values()


def _part(work: _Work, recipe: _Recipe) -> _Made | None:
    """The table with the rows of the touched made again, or all where they are many; None where nobody is touched."""
    assert recipe.touched is not None and recipe.part is not None
    touched = recipe.touched(work)
    if touched == []:
        return None
    made = recipe.part(work, touched) if touched else None
    if made is None or touched is None:
        return recipe.whole(work)
    return _Made(made.rows, {"touched": len(touched), **made.more})


def _write(base: Snapshot, progress: Progress, made: _Made | None) -> StepReport:
    """Commits the rows; without any, that the table is up to date as it is."""
    if made is None:
        version = base.table.commit(base, progress)
        return StepReport(base.table.spec.name, version, base.rows, base.bytes)
    staged = base.table.stage(made.rows, 1, base.rows + 1)
    version = base.table.commit(base, progress, add=staged, remove=base.files)
    after = base.table.at(version)
    return StepReport(base.table.spec.name, version, after.rows, after.bytes, after.rows, more=made.more)
