"""visitors: what came is added to the rows as they stand.

Counts and sums are added up, of times the first and the last are kept, and the device's user is the last by the time
that stands beside it: all of this is exact while events only come, whatever their order, and sessions may come and go.
The events and sessions of before are read again

- of a device of which an event went, as by erasure or a refusal, or became another;
- of a device that has no row yet, where sessions may be known of events that were not, or are not any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.people import VISITORS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.pipeline.taken_in import are_made_of
from event_assets.transforms.affected import TIMES, frame_of, listed, of_ids
from event_assets.transforms.kept import visitors_kept
from event_assets.transforms.people.visitors import visitors, visitors_after

VISITORS_CODE = "9"
"""Version of the code that makes this table; raise it when the rows it gives change."""

_OF_EVENTS = ("anonymous_id", "user_id", "derived_at", "received_at", "is_bot")
_OF_SESSIONS = ("anonymous_id", "page_views", "engaged_seconds")


def visitors_step(run: Run) -> StepReport:
    """Brings visitors up to date."""

    def whole(work: Work) -> Result:
        return Result(visitors(work.rows(ENRICHED_EVENTS), work.rows(SESSIONS)))

    changes = _Changes()
    how = KeyedRefresh(
        VISITORS, (ENRICHED_EVENTS, SESSIONS), VISITORS_CODE, whole, changes.affected, changes.part, _kept
    )
    return refresh_keys(run, how)


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return visitors_kept(made, standing, work.horizon)


@dataclass
class _Changes:
    """What came and went."""

    _events: DataFrame | None = None
    _sessions: DataFrame | None = None

    def affected(self, work: Work) -> list[str] | None:
        is_device = F.col("anonymous_id").isNotNull()
        self._events = work.checkpoint(work.signed(ENRICHED_EVENTS, _OF_EVENTS).where(is_device))
        self._sessions = work.checkpoint(work.signed(SESSIONS, _OF_SESSIONS).where(is_device))
        return listed(_devices(self._events).unionByName(_devices(self._sessions)).distinct())

    def part(self, work: Work, ids: list[str]) -> Result:
        assert self._events is not None and self._sessions is not None
        standing, again = work.existing_of(ids), set[str]()
        if work.lost(ENRICHED_EVENTS):
            again.update(listed(_devices(self._events.where(F.col(TIMES) < 0)).distinct()) or ())
        if not are_made_of(work, SESSIONS, ENRICHED_EVENTS):
            again.update(set(ids).difference(listed(_devices(standing)) or ()))
        rows = visitors_after(standing, self._events, self._sessions)
        if not again:
            return Result(rows)
        others = rows.join(_devices(frame_of(work.spark, sorted(again)), "id"), "anonymous_id", "left_anti")
        events, sessions = (
            of_ids(work.rows(table).select(*columns), sorted(again), "anonymous_id")
            for table, columns in ((ENRICHED_EVENTS, _OF_EVENTS), (SESSIONS, _OF_SESSIONS))
        )
        return Result(others.unionByName(visitors(work.checkpoint(events), sessions)), {"read_again": len(again)})


def _devices(rows: DataFrame, column: str = "anonymous_id") -> DataFrame:
    return rows.select(F.col(column).alias("anonymous_id"))
