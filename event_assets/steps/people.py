"""visitors, identities, users and user_segments: tables about people, which have no days.

Of the first three only the rows of those are made again whom a change upstream touches (see recipe.py). user_segments
are places among all, so they are always made whole.
"""

from __future__ import annotations

import datetime as dt

from pyspark.sql import SparkSession

from event_assets.contract.tables import (
    ENRICHED_EVENTS,
    IDENTITIES,
    SESSIONS,
    USER_SEGMENTS,
    USERS,
    VISITORS,
)
from event_assets.lake.lake import Lake
from event_assets.steps.recipe import Made, Recipe, Work, bring_up_to_date
from event_assets.steps.report import StepReport
from event_assets.transforms.identities import events_of, identities, replace_identities, sessions_of, touched_ids
from event_assets.transforms.segments import user_segments
from event_assets.transforms.sessionise import SessionRules
from event_assets.transforms.users import ids_of, replace_users, touched_persons, users
from event_assets.transforms.visitors import of_visitors, replace_visitors, touched_visitors, visitors

CODE = "2"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

_CARRIERS = ("anonymous_id", "user_id")


def visitors_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings visitors up to date."""

    def whole(work: Work) -> Made:
        return Made(visitors(work.rows(ENRICHED_EVENTS), work.rows(SESSIONS)))

    def touched(work: Work) -> list[str] | None:
        events = work.changed(ENRICHED_EVENTS, ("anonymous_id", "user_id", "derived_at", "received_at"))
        return touched_visitors(events, work.changed(SESSIONS, ("anonymous_id", "page_views", "engaged_seconds")))

    def part(work: Work, ids: list[str]) -> Made:
        events, sessions = (of_visitors(work.rows(table), ids) for table in (ENRICHED_EVENTS, SESSIONS))
        return Made(replace_visitors(work.existing, visitors(events, sessions), ids))

    recipe = Recipe(VISITORS, (ENRICHED_EVENTS, SESSIONS), CODE, whole, touched, part)
    return bring_up_to_date(lake, spark, recipe, rebuild)


def identities_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings identities up to date."""

    def whole(work: Work) -> Made:
        found = identities(work.rows(ENRICHED_EVENTS), work.checkpoint)
        return Made(found.rows, {"rounds": found.rounds})

    def touched(work: Work) -> list[str] | None:
        changed = work.changed(ENRICHED_EVENTS, (*_CARRIERS, "event", "derived_at", "received_at", "properties"))
        return touched_ids(changed, work.rows(ENRICHED_EVENTS), work.existing)

    def part(work: Work, ids: list[str]) -> Made:
        found = identities(events_of(work.rows(ENRICHED_EVENTS), ids), work.checkpoint)
        return Made(replace_identities(work.existing, found.rows, ids), {"rounds": found.rounds})

    return bring_up_to_date(lake, spark, Recipe(IDENTITIES, (ENRICHED_EVENTS,), CODE, whole, touched, part), rebuild)


def users_step(lake: Lake, spark: SparkSession, rules: SessionRules, *, rebuild: bool = False) -> StepReport:
    """Brings users up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS, SESSIONS)

    def whole(work: Work) -> Made:
        people, events, sessions = (work.rows(table) for table in sources)
        return Made(users(people, events, sessions, rules))

    def touched(work: Work) -> list[str] | None:
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

    def part(work: Work, persons: list[str]) -> Made | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        events, sessions = (sessions_of(work.rows(table), ids) for table in (ENRICHED_EVENTS, SESSIONS))
        return Made(replace_users(work.existing, users(people, events, sessions, rules), persons))

    return bring_up_to_date(lake, spark, Recipe(USERS, sources, f"{CODE}-{rules}", whole, touched, part), rebuild)


def segments_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings user_segments up to date, as of the last day that the lake has events of."""
    dates = lake.table(ENRICHED_EVENTS.name).snapshot().dates()
    as_of = dt.date.fromisoformat(max(dates)) if dates else dt.date.min

    def whole(work: Work) -> Made:
        return Made(user_segments(work.rows(USERS), as_of))

    return bring_up_to_date(lake, spark, Recipe(USER_SEGMENTS, (USERS,), f"{CODE}-{as_of}", whole), rebuild)
