"""Tables of what people answer: only answers that say something else than what held are looked for among the events of
before.

Of somebody who is seen again what they agreed to is told by the rows as they stand, and of somebody who is new by the
events that came since identities last looked. All answers of before are read again of those persons

- of whom an answer came that changes what held then: another may be known for later that changed nothing so far;
- who became one with another or fell apart, or whom identities know otherwise than before in another way;
- of whom an answer went, as by erasure or a refusal, or became another;
- who are new, where events went since identities last looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import Work
from event_assets.transforms.affected import CARRIERS, TIMES, carried_ids, carrying, listed, of_ids
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import regrouped
from event_assets.transforms.people.user_history import is_answer
from event_assets.transforms.people.users import ids_of


@dataclass
class Answers:
    """The answers of those whom what changed touches. `columns` are those of enriched events that the table is made of,
    `told_by` gives the answers of which some rows of the table would be those, `that_say_more` those of answers by
    which rows become others; `began` is the column that says since when a row holds.

    `people` is what of identities changed, and `again` are the persons whose answers of before are read, once they were
    `found`.
    """

    columns: tuple[str, ...]
    told_by: Callable[[DataFrame], DataFrame]
    that_say_more: Callable[[DataFrame, DataFrame], DataFrame]
    began: str
    again: list[str] = field(default_factory=list)
    _people: IdentityChanges | None = None

    @property
    def people(self) -> IdentityChanges:
        assert self._people is not None
        return self._people

    def found(self, work: Work) -> bool:
        """Looks for whom what changed touches; False where they are too many to be listed."""
        answers = work.checkpoint(work.signed(ENRICHED_EVENTS, self.columns).where(is_answer()))
        self._people = identity_changes(work)
        went = answers.where(F.col(TIMES) < 0).select(*CARRIERS)
        again = self._people.affected_again(work, went, lambda: self._all(work).select(*CARRIERS))
        told = self._telling_more(work, answers.where(F.col(TIMES) > 0).drop(TIMES))
        if again is None or told is None:
            return False
        self.again = sorted({*again, *told}.difference(self.people.ids_of_new))
        return True

    def of(self, work: Work, persons: list[str]) -> DataFrame | None:
        """What these persons, who were found, answered; None where their ids are too many to be listed."""
        new = self.people.new
        known = sorted(set(persons).difference(self.again, self.people.ids_of_new))
        answers = [self.told_by(work.existing_of(known))] if known else []
        if new:
            came = carrying(self.people.events_since(work, self.columns), self.people.ids_of_new)
            answers.append(self._whose(came.where(is_answer()), work, sorted(new)))
        if self.again:
            ids = ids_of(self.again, work.rows(IDENTITIES))
            if ids is None:
                return None
            answers.append(self._whose(carrying(self._all(work), ids), work, self.again))
            before = self.before(work, persons)
            answers += [] if before is None else [of_ids(before, self.again, "person_id")]
        return reduce(DataFrame.unionByName, answers)

    def before(self, work: Work, persons: list[str] | None = None) -> DataFrame | None:
        """The answers of days that are gone, as the table has them."""
        known = work.known_of(persons)
        if known is None:
            return None
        gone = known.where(F.col(self.began) < F.lit(work.horizon).cast("timestamp"))
        return self.told_by(regrouped(gone, work.rows(IDENTITIES)))

    def _all(self, work: Work) -> DataFrame:
        return work.rows(ENRICHED_EVENTS).where(is_answer()).select(*self.columns)

    def _whose(self, answers: DataFrame, work: Work, persons: list[str]) -> DataFrame:
        """The answers of these persons, with whose they are."""
        said = [name for name in self.columns if name not in CARRIERS]
        known = of_ids(with_person(answers, work.rows(IDENTITIES)), persons, "person_id")
        return known.select("person_id", *said)

    def _telling_more(self, work: Work, came: DataFrame) -> list[str] | None:
        """The persons whose rows become others by answers that came; None where they are too many to be listed."""
        ids = listed(carried_ids(came))
        if not ids:
            return ids
        told = work.checkpoint(with_person(came, work.rows_of(IDENTITIES, ids)).where("person_id IS NOT NULL"))
        persons = listed(told.select("person_id").distinct())
        if not persons:
            return persons
        return listed(self.that_say_more(told, work.existing_of(persons)).select("person_id").distinct())
