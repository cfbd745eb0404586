"""user_segments: places among all people, so they are always made whole."""

from __future__ import annotations

import datetime as dt

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import USER_SEGMENTS
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.segments.user_segments import user_segments, week_before

CODE = "8"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


def segments_step(run: Run) -> StepReport:
    """Brings user_segments up to date, as of the last day that the lake has events of."""

    def whole(work: Work) -> Result:
        as_of = last_date(work.upstream[ENRICHED_EVENTS.name])
        active = with_person(_of_week_before(work, as_of), work.rows(IDENTITIES))
        return Result(user_segments(work.rows(USERS), active, as_of))

    sources = (USERS, ENRICHED_EVENTS, IDENTITIES)
    return refresh_keys(run, KeyedRefresh(USER_SEGMENTS, sources, CODE, whole))


def last_date(enriched: Snapshot) -> dt.date:
    """The last day that there are events of; without any, a day that is before all."""
    dates = enriched.dates()
    return dt.date.fromisoformat(max(dates)) if dates else dt.date(1970, 1, 1)


def _of_week_before(work: Work, as_of: dt.date) -> DataFrame:
    first, last = map(str, week_before(as_of))
    enriched = work.upstream[ENRICHED_EVENTS.name]
    files = enriched.of_dates(date for date in enriched.dates() if first <= date <= last)
    return enriched.read(work.spark, files).select(*CARRIERS, "event_date")
