"""visitors, user_traits, users, user_history and user_segments: tables about people, which have no days.

Of the first four only the rows of those are made again whom a change upstream affects (see keyed_refresh.py).
user_segments are places among all, so they are always made whole.
"""

from __future__ import annotations

import datetime as dt
from functools import partial, reduce

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_HISTORY, USER_TRAITS, USERS, VISITORS
from event_assets.contract.tables.segments import USER_SEGMENTS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, carrying, listed, of_ids
from event_assets.transforms.identity.stitching import PERSON_COLUMNS, regrouped, with_person
from event_assets.transforms.people.user_history import HISTORY_COLUMNS, user_history, with_answers
from event_assets.transforms.people.user_traits import TRAIT_COLUMNS, user_traits, with_traits
from event_assets.transforms.people.users import CONSENT, affected_persons, ids_of, users
from event_assets.transforms.people.visitors import affected_visitors, visitors
from event_assets.transforms.segments.user_segments import user_segments, week_before

CODE = "8"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

_OF_VISITS = (*CARRIERS, "derived_at", "received_at", "is_bot")
"""The columns of events that visitors are made of."""
_OF_EVENTS = ("event_id", "event", "derived_at", "received_at", "revenue_reporting", "is_bot", *CONSENT)
_OF_SESSIONS = ("session_id", "start_at", "page_views", "source", "medium", "campaign", "channel_group")
"""Beside the ids, the columns that users are made of."""


def visitors_step(run: Run) -> StepReport:
    """Brings visitors up to date."""

    def whole(work: Work) -> Result:
        return Result(visitors(work.rows(ENRICHED_EVENTS), work.rows(SESSIONS)))

    def affected(work: Work) -> list[str] | None:
        events = work.changed(ENRICHED_EVENTS, _OF_VISITS)
        return affected_visitors(events, work.changed(SESSIONS, ("anonymous_id", "page_views", "engaged_seconds")))

    def part(work: Work, ids: list[str]) -> Result:
        events = of_ids(work.rows(ENRICHED_EVENTS).select(*_OF_VISITS), ids, "anonymous_id")
        sessions = of_ids(work.rows(SESSIONS), ids, "anonymous_id")
        return Result(visitors(work.checkpoint(events), sessions))

    how = KeyedRefresh(VISITORS, (ENRICHED_EVENTS, SESSIONS), CODE, whole, affected, part)
    return refresh_keys(run, how)


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


def users_step(run: Run) -> StepReport:
    """Brings users up to date."""
    rules = run.rules.sessions
    sources = (IDENTITIES, ENRICHED_EVENTS, SESSIONS, USER_TRAITS, CONVERSION_IDS)

    def whole(work: Work) -> Result:
        people, events, sessions, traits, conversions = (work.rows(table) for table in sources)
        return Result(users(people, events, sessions, traits, rules, conversions))

    def affected(work: Work) -> list[str] | None:
        events = work.changed(ENRICHED_EVENTS, (*CARRIERS, *_OF_EVENTS))
        sessions = work.changed(SESSIONS, (*CARRIERS, *_OF_SESSIONS))
        counted_anew = work.changed(CONVERSION_IDS, CONVERSION_IDS.column_names).where("is_repeated")
        carriers = (rows.select(*CARRIERS) for rows in (events, sessions, counted_anew))
        persons = affected_persons(
            work.changed(IDENTITIES, IDENTITIES.column_names),
            reduce(DataFrame.unionByName, carriers),
            partial(work.rows_of, IDENTITIES),
            lambda: work.rows(ENRICHED_EVENTS).select(*CARRIERS).unionByName(work.rows(SESSIONS).select(*CARRIERS)),
        )
        return _and_described(work, persons)

    def part(work: Work, persons: list[str]) -> Result | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        # Put down once: all that is summed up goes through the events of before again, and finds the few in them.
        events = work.checkpoint(carrying(work.rows(ENRICHED_EVENTS).select(*CARRIERS, *_OF_EVENTS), ids))
        sessions = carrying(work.rows(SESSIONS), ids)
        traits = work.rows_of(USER_TRAITS, persons)
        return Result(users(people, events, sessions, traits, rules, work.rows(CONVERSION_IDS)))

    return refresh_keys(run, KeyedRefresh(USERS, sources, f"{CODE}-{rules.version}", whole, affected, part))


def user_history_step(run: Run) -> StepReport:
    """Brings user_history up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS, USER_TRAITS)

    def whole(work: Work) -> Result:
        people, events, traits = (work.rows(table) for table in sources)
        return Result(user_history(people, events, traits))

    def affected(work: Work) -> list[str] | None:
        answers = with_answers(work.changed(ENRICHED_EVENTS, HISTORY_COLUMNS))
        persons = affected_persons(
            work.changed(IDENTITIES, (*PERSON_COLUMNS, "first_seen_at")),
            answers.select(*CARRIERS),
            partial(work.rows_of, IDENTITIES),
            lambda: with_answers(work.rows(ENRICHED_EVENTS)).select(*CARRIERS),
        )
        return _and_described(work, persons)

    def part(work: Work, persons: list[str]) -> Result | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        answers = carrying(with_answers(work.rows(ENRICHED_EVENTS)), ids)
        traits = work.rows_of(USER_TRAITS, persons)
        return Result(user_history(of_ids(people, persons, "person_id"), answers, traits))

    return refresh_keys(run, KeyedRefresh(USER_HISTORY, sources, CODE, whole, affected, part))


def _and_described(work: Work, persons: list[str] | None) -> list[str] | None:
    """These persons, and those of whom something else is known now; None where they are too many to be listed."""
    described = listed(work.changed(USER_TRAITS, USER_TRAITS.column_names).select("person_id").distinct())
    return None if persons is None or described is None else sorted({*persons, *described})


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
