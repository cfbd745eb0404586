"""user_history: only answers that say something else than what held are looked for among the events of before.

Of somebody of whom another trait is known, or who was seen earlier, what they agreed to is told by the rows as they
stand, and of somebody who is new by the events that came since identities last looked. All answers of before are read
again of those persons

- of whom an answer came that changes what held then: another may be known for later that changed nothing so far;
- who became one with another or fell apart, or whom identities know otherwise than before in another way;
- of whom an answer went, as by erasure or a refusal, or became another;
- who are new, where events went since identities last looked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_HISTORY, USER_TRAITS
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, TIMES, carried_ids, carrying, listed, of_ids
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import regrouped
from event_assets.transforms.people.user_history import (
    ANSWER_COLUMNS,
    HISTORY_COLUMNS,
    answers_of,
    history_of,
    is_answer,
    that_say_more,
    user_history,
    with_answers,
)
from event_assets.transforms.people.users import ids_of

USER_HISTORY_CODE = "9"
"""Version of the code that makes this table; raise it when the rows it gives change."""


def user_history_step(run: Run) -> StepReport:
    """Brings user_history up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS, USER_TRAITS)

    def whole(work: Work) -> Result:
        people, events, traits = (work.rows(table) for table in sources)
        return Result(user_history(people, events, traits, _answered_before(work)))

    changes = _Changes()
    how = KeyedRefresh(USER_HISTORY, sources, USER_HISTORY_CODE, whole, changes.affected, changes.part)
    return refresh_keys(run, how)


@dataclass
class _Changes:
    """Whom what changed touches."""

    _people: IdentityChanges | None = None
    _again: list[str] = field(default_factory=list)

    def affected(self, work: Work) -> list[str] | None:
        answers = work.checkpoint(work.signed(ENRICHED_EVENTS, HISTORY_COLUMNS).where(is_answer()))
        people = identity_changes(work)
        went = answers.where(F.col(TIMES) < 0).select(*CARRIERS)
        again = people.affected_again(work, went, lambda: with_answers(work.rows(ENRICHED_EVENTS)).select(*CARRIERS))
        told = _tell_more(work, answers.where(F.col(TIMES) > 0).drop(TIMES))
        described = listed(work.changed(USER_TRAITS, USER_TRAITS.column_names).select("person_id").distinct())
        if again is None or told is None or described is None:
            return None
        self._people, self._again = people, sorted({*again, *told}.difference(people.new))
        return sorted({*self._again, *described, *people.seen_earlier, *people.new})

    def part(self, work: Work, persons: list[str]) -> Result | None:
        assert self._people is not None
        people, new = work.rows(IDENTITIES), self._people.new
        known = sorted(set(persons).difference(self._again, new))
        answers = [answers_of(work.existing_of(known))] if known else []
        if new:
            came = carrying(self._people.events_since(work, HISTORY_COLUMNS), self._people.ids_of_new)
            answers.append(_of(with_answers(came), people, sorted(new)))
        if self._again:
            ids = ids_of(self._again, people)
            if ids is None:
                return None
            answers.append(_of(carrying(with_answers(work.rows(ENRICHED_EVENTS)), ids), people, self._again))
            before = _answered_before(work, persons)
            answers += [] if before is None else [of_ids(before, self._again, "person_id")]
        told, traits = reduce(DataFrame.unionByName, answers), work.rows_of(USER_TRAITS, persons)
        rows = history_of(of_ids(people, persons, "person_id"), told, traits)
        return Result(rows, {"read_again": len(self._again)})


def _of(answers: DataFrame, people: DataFrame, persons: list[str]) -> DataFrame:
    """The answers of these persons, with whose they are."""
    return of_ids(with_person(answers, people), persons, "person_id").select(*ANSWER_COLUMNS)


def _answered_before(work: Work, persons: list[str] | None = None) -> DataFrame | None:
    """The answers of days that are gone, as user_history has them."""
    known = work.known_of(persons)
    if known is None:
        return None
    before = known.where(F.col("valid_from") < F.lit(work.horizon).cast("timestamp"))
    return answers_of(regrouped(before, work.rows(IDENTITIES)))


def _tell_more(work: Work, came: DataFrame) -> list[str] | None:
    """The persons whose history becomes another by answers that came; None where they are too many to be listed."""
    ids = listed(carried_ids(came))
    if not ids:
        return ids
    told = work.checkpoint(with_person(came, work.rows_of(IDENTITIES, ids)).where("person_id IS NOT NULL"))
    persons = listed(told.select("person_id").distinct())
    if not persons:
        return persons
    return listed(that_say_more(told, work.existing_of(persons)).select("person_id").distinct())
