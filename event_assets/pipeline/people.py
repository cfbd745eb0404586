"""user_traits, user_history and user_segments: tables about people, which have no days.

Of the first two only the rows of those are made again whom a change upstream affects (see keyed_refresh.py).
user_segments are places among all, so they are always made whole.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS, USERS
from event_assets.contract.tables.segments import USER_SEGMENTS
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, carrying
from event_assets.transforms.identity.stitching import PERSON_COLUMNS, regrouped, with_person
from event_assets.transforms.people.user_traits import TRAIT_COLUMNS, user_traits, with_traits
from event_assets.transforms.people.users import affected_persons, ids_of
from event_assets.transforms.segments.user_segments import user_segments, week_before

CODE = "8"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


def user_traits_step(run: Run) -> StepReport:
    """Brings user_traits up to date."""

    def whole(work: Work) -> Result:
        return Result(user_traits(work.rows(IDENTITIES), work.rows(ENRICHED_EVENTS)))

    def affected(work: Work) -> list[str] | None:
        events = with_traits(work.changed(ENRICHED_EVENTS, TRAIT_COLUMNS))
        return affected_persons(
            regrouped(work.changed(IDENTITIES, PERSON_COLUMNS)),
            events.select(*CARRIERS),
            partial(work.rows_of, IDENTITIES),
            lambda: with_traits(work.rows(ENRICHED_EVENTS)).select(*CARRIERS),
        )

    def part(work: Work, persons: list[str]) -> Result | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        return Result(user_traits(people, carrying(with_traits(work.rows(ENRICHED_EVENTS)), ids)))

    how = KeyedRefresh(USER_TRAITS, (IDENTITIES, ENRICHED_EVENTS), CODE, whole, affected, part)
    return refresh_keys(run, how)


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
