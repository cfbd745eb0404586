"""users: what came is added to the rows as they stand.

Of a person whose ids are the same as before the sums are added up, and the first session and the last answers kept; of
one who is new all that there is came since identities last looked. All events and sessions of before are read again of
those persons

- who became one with another or fell apart, on whose device others came to be, or who met whom that happened to;
- of whom an event went, as by erasure or a refusal, or became another;
- whose row does not follow from what came (`IS_NOT_KNOWN`, see transforms/people/users_after.py);
- who are new, where events or sessions that others have seen went again since identities last looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS, USERS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, TIMES, carried_ids, carrying, frame_of, listed, none_of, of_ids
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.attribution.conversions import is_conversion
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import users_kept
from event_assets.transforms.people.users import CONSENT, FIRST, ids_of, users
from event_assets.transforms.people.users_after import IS_NOT_KNOWN, users_after
from event_assets.transforms.sessions.sessionise import SessionRules

USERS_CODE = "11"
"""Version of the code that makes this table; raise it when the rows it gives change."""

_OF_EVENTS = (
    *(*CARRIERS, "event_id", "event", "event_date", "derived_at", "received_at", "revenue_reporting", "is_bot"),
    *CONSENT,
)
_OF_SESSIONS = (*CARRIERS, "session_id", "start_at", "page_views", *FIRST)
"""The columns that users are made of."""


def users_step(run: Run) -> StepReport:
    """Brings users up to date."""
    rules = run.rules.sessions
    sources = (IDENTITIES, ENRICHED_EVENTS, SESSIONS, USER_TRAITS, CONVERSION_IDS)

    def whole(work: Work) -> Result:
        people, events, sessions, traits, conversions = (work.rows(table) for table in sources)
        return Result(users(people, events, sessions, traits, rules, conversions))

    changes, code = _Changes(rules), f"{USERS_CODE}-{rules.version}"
    return refresh_keys(run, KeyedRefresh(USERS, sources, code, whole, changes.affected, changes.part, _kept))


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return users_kept(made, standing, work.rows(IDENTITIES), work.horizon)


@dataclass(frozen=True)
class _Came:
    """What came and went: events that came, events of before that count anew, sessions; each with `person_id`, as
    identities know it now."""

    events: DataFrame
    counted: DataFrame
    sessions: DataFrame


@dataclass
class _Changes:
    """Whom what changed touches."""

    rules: SessionRules
    _people: IdentityChanges | None = None
    _came: _Came | None = None
    _again: list[str] = field(default_factory=list)

    def affected(self, work: Work) -> list[str] | None:
        events = work.checkpoint(work.signed(ENRICHED_EVENTS, _OF_EVENTS))
        people = identity_changes(work)
        went = events.where(F.col(TIMES) < 0).select(*CARRIERS)
        again = people.affected_again(work, went, lambda: _carriers(work))
        came = self._with_persons(work, events.where(F.col(TIMES) > 0))
        if again is None or came is None:
            return None
        described = work.changed(USER_TRAITS, USER_TRAITS.column_names)
        persons = (rows.select("person_id") for rows in (came.events, came.counted, came.sessions, described))
        seen = reduce(DataFrame.unionByName, persons, people.seen_again.select("person_id"))
        touched = listed(seen.where("person_id IS NOT NULL").distinct())
        self._people, self._came, self._again = people, came, again
        return None if touched is None else sorted({*again, *touched, *people.new})

    def _with_persons(self, work: Work, events: DataFrame) -> _Came | None:
        """What came, by persons; None where those are of too many ids."""
        sessions = work.checkpoint(work.signed(SESSIONS, _OF_SESSIONS))
        counted = self._counted_anew(work, events)
        carriers = (rows.select(*CARRIERS) for rows in (events, counted, sessions))
        ids = listed(carried_ids(reduce(DataFrame.unionByName, carriers)))
        if ids is None:
            return None
        known = work.checkpoint(work.rows_of(IDENTITIES, ids))
        converted = with_conversions(events, self.rules, work.rows(CONVERSION_IDS))
        return _Came(*(work.checkpoint(with_person(rows, known)) for rows in (converted, counted, sessions)))

    def _counted_anew(self, work: Work, events: DataFrame) -> DataFrame:
        """The conversions that did not come, and count now, or do not any more."""
        if work.is_same(CONVERSION_IDS):
            return none_of(events)
        columns = ("event_id", "event_date", "is_repeated")
        changed = work.signed(CONVERSION_IDS, columns).where("is_repeated").join(events, "event_id", "left_anti")
        repeated = work.checkpoint(changed.select("event_id", "event_date", (-F.col(TIMES)).alias(TIMES)))
        dates = {str(row["event_date"]) for row in repeated.select("event_date").distinct().collect()}
        rows = work.rows_on(ENRICHED_EVENTS, dates).where(is_conversion(self.rules)).select(*_OF_EVENTS)
        return rows.join(repeated.select("event_id", TIMES), "event_id")

    def part(self, work: Work, persons: list[str]) -> Result | None:
        came, people = self._came, self._people
        assert came is not None and people is not None
        known = work.checkpoint(
            users_after(
                self._standing(work, persons),
                people.seen_again,
                came.events,
                came.counted,
                came.sessions,
                work.rows_of(USER_TRAITS, persons),
            )
        )
        again = sorted({*self._again, *(listed(known.where(IS_NOT_KNOWN).select("person_id")) or ())})
        rows = known.where(~F.col(IS_NOT_KNOWN)).drop(IS_NOT_KNOWN)
        if new := people.new.difference(again):
            rows = rows.unionByName(of_ids(self._new(work, people, came), sorted(new), "person_id"))
        if again:
            made = self._made_again(work, again)
            if made is None:
                return None
            rows = rows.unionByName(of_ids(made, again, "person_id"))
        return Result(rows, {"read_again": len(again)})

    def _standing(self, work: Work, persons: Iterable[str]) -> DataFrame:
        """The rows of those who are not made again."""
        standing = work.existing_of([*persons])
        return standing.join(_persons(work, self._again), "person_id", "left_anti") if self._again else standing

    def _new(self, work: Work, people: IdentityChanges, came: _Came) -> DataFrame:
        """The rows of those who are new, and others."""
        ids = people.ids_of_new
        events = work.checkpoint(carrying(people.events_since(work, _OF_EVENTS), ids))
        sessions = people.sessions_of_new(work, came.sessions.where(F.col(TIMES) > 0).select(*_OF_SESSIONS))
        traits = work.rows_of(USER_TRAITS, sorted(people.new))
        identities, conversions = work.rows_of(IDENTITIES, ids), work.rows(CONVERSION_IDS)
        return users(identities, events, sessions, traits, self.rules, conversions)

    def _made_again(self, work: Work, persons: list[str]) -> DataFrame | None:
        people = work.rows(IDENTITIES)
        ids = ids_of(persons, people)
        if ids is None:
            return None
        # Put down once: all that is summed up goes through the events of before again, and finds the few in them.
        events = work.checkpoint(carrying(work.rows(ENRICHED_EVENTS).select(*_OF_EVENTS), ids))
        sessions = carrying(work.rows(SESSIONS).select(*_OF_SESSIONS), ids)
        traits = work.rows_of(USER_TRAITS, persons)
        return users(people, events, sessions, traits, self.rules, work.rows(CONVERSION_IDS))


def _carriers(work: Work) -> DataFrame:
    """Whose all events and sessions are, by ids."""
    return work.rows(ENRICHED_EVENTS).select(*CARRIERS).unionByName(work.rows(SESSIONS).select(*CARRIERS))


def _persons(work: Work, ids: list[str]) -> DataFrame:
    return frame_of(work.spark, ids).select(F.col("id").alias("person_id"))
