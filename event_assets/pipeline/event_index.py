"""event_days: the narrow index by which the days of a client session, a page view and somebody's sessions are found.

It is brought up to date with the sessions, and committed before them: it may name a day too many, never one too few.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import cached_property

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.pending_changes import pending_changes
from event_assets.transforms.sessions.event_days import (
    days_of_events,
    days_of_page_views,
    days_of_sessions,
    new_entries,
)

CODE = "2"
"""Version of the code that makes the index; raise it when the rows it gives change."""


class EventIndex:
    """The index as it is, and what comes to it. Nothing is read before it is asked for."""

    def __init__(
        self, spark: SparkSession, base: Snapshot, events: Snapshot, sessions: Snapshot, page_views: Snapshot
    ) -> None:
        self._spark = spark
        self._base = base
        self._events = events
        self._made = (sessions, page_views)
        self._pending = pending_changes(events, base.progress)
        self._was_recreated = base.progress.code != CODE or not self._pending.changes.known
        self._of_sessions: list[LakeFile] = []

    @property
    def rows(self) -> DataFrame:
        """All entries, those of every enriched event among them."""
        return self._base.read(self._spark, [*self._kept, *self._of_events, *self._of_sessions])

    def add_sessions(self, sessions: DataFrame, days: Collection[str]) -> None:
        """Takes in the session rows that are to be written, on some or all of these days."""
        self._of_sessions = self._stage(days_of_sessions(sessions), [*self._kept, *self._of_events], days)

    def commit(self) -> None:
        """Writes what came. Raises `CommitConflict` where another writer came first."""
        staged = [*self._of_events, *self._of_sessions]
        progress = self._base.progress.with_consumed(ENRICHED_EVENTS.name, self._pending.after(self._pending.dates))
        progress = progress.with_code(CODE, (), ())
        if staged or progress != self._base.progress:
            self._base.table.commit(
                self._base, progress, add=staged, remove=self._base.files if self._was_recreated else []
            )

    @property
    def _kept(self) -> list[LakeFile]:
        return [] if self._was_recreated else self._base.files

    @cached_property
    def _of_events(self) -> list[LakeFile]:
        """The entries of the events that came. The index is made anew, of all that stands, the first time, after a
        change of its code, and where it is not known what came."""
        if self._was_recreated:
            sessions, page_views = (table.read(self._spark) for table in self._made)
            made = days_of_sessions(sessions).unionByName(days_of_page_views(page_views))
            return self._stage(days_of_events(self._events.read(self._spark)).unionByName(made).distinct(), [], [])
        appended, rebuilt = self._pending.appended_and_replaced(self._pending.dates)
        files = [file for each in appended for file in each.files] + self._events.of_dates(rebuilt)
        days = {file.partition["event_date"] for file in files}
        entries = days_of_events(self._events.read(self._spark, _unique(files)))
        return self._stage(entries, self._kept, days) if files else []

    def _stage(self, entries: DataFrame, existing: list[LakeFile], days: Collection[str]) -> list[LakeFile]:
        """Writes the entries that do not stand in these files; those of days between the first and the last of `days`
        alone are looked at."""
        new = entries
        if existing and days:
            first, last = min(days), max(days)
            near = [file for file in existing if file.may_hold("event_date", first, last)]
            stand = self._base.read(self._spark, near).where(F.col("event_date").between(_date(first), _date(last)))
            new = new_entries(entries, stand)
        return self._base.table.stage(new, 1, self._events.rows if self._was_recreated else 1)


def _date(day: str) -> Column:
    return F.lit(dt.date.fromisoformat(day))


def _unique(files: list[LakeFile]) -> list[LakeFile]:
    return list({file.path: file for file in files}.values())
