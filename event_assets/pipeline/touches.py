"""touches: a person's are made again of those that stand, and of the sessions that changed.

Only the last source of a touch follows from the person's others; all else from its session and the session's first
view. So of the sessions only those are read that came, with the views of their days, and of the touches those of the
persons to whom one came or from whom one went. All sessions and views are read where the first view of a session is
another and the session is the same, which is so where page_views were read behind or ahead of the sessions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import TOUCHES
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import TIMES, frame_of, listed, of_ids
from event_assets.transforms.attribution.touches import touches
from event_assets.transforms.kept import facts

TOUCHES_CODE = "3"
"""Version of the code that makes this table; raise it when the rows it gives change."""

_OF_SESSIONS = (
    *("person_id", "session_id", "start_at", "page_views", "entry_url", "platform", "is_bot"),
    *("source", "medium", "campaign", "channel_group"),
)


def touches_step(run: Run) -> StepReport:
    """Brings touches up to date."""
    days = run.rules.attribution.source_days
    changes = _Changes(days)

    def whole(work: Work) -> Result:
        return Result(touches(work.rows(SESSIONS), work.rows(PAGE_VIEWS), days))

    code = f"{TOUCHES_CODE}-{days}"
    return refresh_keys(
        run, KeyedRefresh(TOUCHES, (SESSIONS, PAGE_VIEWS), code, whole, changes.affected, changes.part, _kept)
    )


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return facts(made, standing, "at", work.horizon)


@dataclass
class _Changes:
    """The sessions whose touches may be others than they were."""

    days: int
    _came: DataFrame | None = None
    _ids: list[str] = field(default_factory=list)
    _viewed_anew: list[str] = field(default_factory=list)

    def affected(self, work: Work) -> list[str] | None:
        """The persons whose sessions they were or are."""
        changed = work.checkpoint(work.signed(SESSIONS, _OF_SESSIONS))
        views = work.changed(PAGE_VIEWS, ("session_id", "start_at", "index_in_session")).where("index_in_session = 1")
        ids, viewed = listed(changed.select("session_id").distinct()), listed(views.select("session_id").distinct())
        if ids is None or viewed is None:
            return None
        self._viewed_anew = sorted({*viewed}.difference(ids))
        self._ids = [*ids, *self._viewed_anew]
        self._came = changed.where(F.col(TIMES) > 0).drop(TIMES)
        persons = changed.select("person_id")
        if self._viewed_anew:
            persons = persons.unionByName(self._sessions_viewed_anew(work).select("person_id"))
        return listed(persons.where(F.col("person_id").isNotNull()).distinct())

    def part(self, work: Work, persons: list[str]) -> Result:
        assert self._came is not None
        standing = work.existing_of(persons)
        changed = frame_of(work.spark, self._ids).select(F.col("id").alias("session_id"))
        others = standing.join(changed, "session_id", "left_anti")
        if self._viewed_anew:
            sessions = self._came.unionByName(self._sessions_viewed_anew(work))
            return Result(touches(sessions, work.rows(PAGE_VIEWS), self.days, others))
        views = work.rows_on(PAGE_VIEWS, _days(work.rows_that_came(SESSIONS), self._came))
        return Result(touches(self._came, views, self.days, others))

    def _sessions_viewed_anew(self, work: Work) -> DataFrame:
        return of_ids(work.rows(SESSIONS).select(*_OF_SESSIONS), self._viewed_anew, "session_id")


def _days(rows: DataFrame, came: DataFrame) -> set[str]:
    """The days that these of the sessions lie on, on one of which their first view began."""
    lasted = rows.join(came.select("session_id"), "session_id", "left_semi")
    days = lasted.select(F.to_date("start_at").alias("first"), F.to_date("end_at").alias("last")).distinct().collect()
    return {str(day) for row in days for day in _days_from(row["first"], row["last"])}


def _days_from(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
