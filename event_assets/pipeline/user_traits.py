"""user_traits: what is said again of somebody, and holds, changes nothing; only of others the events are read.

Of somebody who is new all that was said came since identities last looked. All that was said before is read again of
those persons

- of whom something is said that did not hold at that moment, since before it and for longer;
- who became one with another or fell apart, or whom identities know otherwise than before in another way;
- of whom an event that said something went, as by erasure or a refusal, or became another;
- who are new, where events went since identities last looked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, TIMES, carried_ids, carrying, listed, of_ids
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import regrouped, traits_said
from event_assets.transforms.people.trait_history import that_say_more
from event_assets.transforms.people.user_traits import TRAIT_COLUMNS, is_said, user_traits, with_traits
from event_assets.transforms.people.users import ids_of

USER_TRAITS_CODE = "9"
"""Version of the code that makes this table; raise it when the rows it gives change."""


def user_traits_step(run: Run) -> StepReport:
    """Brings user_traits up to date."""
    changes = _Changes()

    def whole(work: Work) -> Result:
        return Result(user_traits(work.rows(IDENTITIES), work.rows(ENRICHED_EVENTS), _said_before(work)))

    sources = (IDENTITIES, ENRICHED_EVENTS)
    return refresh_keys(
        run, KeyedRefresh(USER_TRAITS, sources, USER_TRAITS_CODE, whole, changes.affected, changes.part)
    )


@dataclass
class _Changes:
    """Whom what changed touches."""

    _people: IdentityChanges | None = None
    _again: list[str] = field(default_factory=list)

    def affected(self, work: Work) -> list[str] | None:
        said = work.checkpoint(work.signed(ENRICHED_EVENTS, TRAIT_COLUMNS).where(is_said()))
        people = identity_changes(work)
        went = said.where(F.col(TIMES) < 0).select(*CARRIERS)
        again = people.affected_again(work, went, lambda: with_traits(work.rows(ENRICHED_EVENTS)).select(*CARRIERS))
        told = _tell_more(work, said.where(F.col(TIMES) > 0).drop(TIMES))
        if again is None or told is None:
            return None
        self._people, self._again = people, sorted({*again, *told}.difference(people.ids_of_new))
        return sorted({*self._again, *people.ids_of_new})

    def part(self, work: Work, persons: list[str]) -> Result | None:
        people = self._people
        assert people is not None
        rows: DataFrame | None = None
        if people.new:
            ids = people.ids_of_new
            came = carrying(with_traits(people.events_since(work, TRAIT_COLUMNS)), ids)
            rows = of_ids(user_traits(work.rows_of(IDENTITIES, ids), came), sorted(people.new), "person_id")
        if self._again:
            identities = work.rows(IDENTITIES)
            known = ids_of(self._again, identities)
            if known is None:
                return None
            events = carrying(with_traits(work.rows(ENRICHED_EVENTS)), known)
            before = _said_before(work, persons)
            made = of_ids(user_traits(identities, events, before), self._again, "person_id")
            rows = made if rows is None else rows.unionByName(made)
        assert rows is not None
        return Result(rows, {"read_again": len(self._again)})


def _said_before(work: Work, persons: list[str] | None = None) -> DataFrame | None:
    """What was said on days that are gone, as user_traits has it."""
    known = work.known_of(persons)
    return None if known is None else traits_said(regrouped(known, work.rows(IDENTITIES)), work.horizon)


def _tell_more(work: Work, came: DataFrame) -> list[str] | None:
    """The persons whose traits may become others by what is said; None where they are too many to be listed."""
    ids = listed(carried_ids(came))
    if not ids:
        return ids
    told = work.checkpoint(with_person(came, work.rows_of(IDENTITIES, ids)).where("person_id IS NOT NULL"))
    persons = listed(told.select("person_id").distinct())
    return persons and listed(that_say_more(told, "person_id", work.existing_of(persons)))
