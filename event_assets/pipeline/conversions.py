"""conversions: what came is put beside the rows as they stand.

A row says all that it is made of but whose its ids are, so that rows of somebody who is known now by another id become
theirs as they stand. The events of before are read again of those persons

- who became one with another or fell apart, on whose device others came to be, or who met whom that happened to;
- of whom a conversion went, as by erasure or a refusal, became another, or counts that did not, or does not any more,
  for what others tell of the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import CONVERSIONS
from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, TIMES, carried_ids, carrying, listed, of_ids
from event_assets.transforms.attribution.conversions import conversions, is_conversion
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import facts, regrouped_by_ids
from event_assets.transforms.people.users import affected_persons, ids_of
from event_assets.transforms.sessions.sessionise import SessionRules

CONVERSIONS_CODE = "4"
"""Version of the code that makes this table; raise it when the rows it gives change."""

_OF_EVENTS = (
    *(*CARRIERS, "event_id", "event", "event_date", "derived_at", "revenue_reporting", "is_bot", "site_date"),
)


def conversions_step(run: Run) -> StepReport:
    """Brings conversions up to date."""
    rules = run.rules.sessions
    changes = _Changes(rules)

    def whole(work: Work) -> Result:
        events = work.rows(ENRICHED_EVENTS).where(is_conversion(rules))
        return Result(conversions(events, work.rows(IDENTITIES), rules, work.rows(CONVERSION_IDS)))

    sources, code = (IDENTITIES, ENRICHED_EVENTS, CONVERSION_IDS), f"{CONVERSIONS_CODE}-{rules.conversion_events}"
    return refresh_keys(run, KeyedRefresh(CONVERSIONS, sources, code, whole, changes.affected, changes.part, _kept))


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return facts(made, regrouped_by_ids(standing, work.rows(IDENTITIES)), "at", work.horizon)


@dataclass
class _Changes:
    """Whom what changed touches."""

    rules: SessionRules
    _came: DataFrame | None = None
    _again: list[str] = field(default_factory=list)
    _renamed: dict[str, str] = field(default_factory=dict)

    def affected(self, work: Work) -> list[str] | None:
        signed = work.signed(ENRICHED_EVENTS, _OF_EVENTS).where(is_conversion(self.rules))
        events = work.checkpoint(signed)
        people = identity_changes(work)
        came = events.where(F.col(TIMES) > 0).drop(TIMES)
        again = self._affected_again(work, people, events, came)
        ids = listed(carried_ids(came))
        if again is None or ids is None:
            return None
        touched = list[str]()
        if ids:
            told = with_person(came.select(*CARRIERS).distinct(), work.rows_of(IDENTITIES, ids)).select("person_id")
            touched = listed(told.where("person_id IS NOT NULL").distinct()) or []
        of_new = {*people.new, *people.ids_of_new}
        if of_new.intersection(again):
            again = sorted(of_new.union(again))
        self._came, self._again = came, again
        self._renamed = {name: person for name, person in people.persons_of_new.items() if name != person}
        return sorted({*again, *touched, *of_new})

    def _affected_again(
        self, work: Work, people: IdentityChanges, events: DataFrame, came: DataFrame
    ) -> list[str] | None:
        went = events.where(F.col(TIMES) < 0).select(*CARRIERS)
        is_counted_anew = not work.is_same(CONVERSION_IDS)
        if is_counted_anew:
            changed = work.changed(CONVERSION_IDS, ("event_id", *CARRIERS, "is_repeated")).where("is_repeated")
            went = went.unionByName(changed.join(came, "event_id", "left_anti").select(*CARRIERS))
        if not people.has_others and not work.lost(ENRICHED_EVENTS) and not is_counted_anew:
            return []
        return affected_persons(
            people.others,
            went,
            partial(work.rows_of, IDENTITIES),
            lambda: work.rows(ENRICHED_EVENTS).where(is_conversion(self.rules)).select(*CARRIERS),
        )

    def part(self, work: Work, persons: list[str]) -> Result | None:
        assert self._came is not None
        others, repeats = sorted(set(persons).difference(self._again)), work.rows(CONVERSION_IDS)
        made = conversions(self._came, self._known(work), self.rules, repeats)
        rows = of_ids(made, others, "person_id").unionByName(self._standing(work, others)) if others else None
        if self._again:
            identities = work.rows(IDENTITIES)
            ids = ids_of(self._again, identities)
            if ids is None:
                return None
            events = carrying(work.rows(ENRICHED_EVENTS).where(is_conversion(self.rules)), ids)
            found = of_ids(conversions(events, identities, self.rules, repeats), self._again, "person_id")
            rows = rows.unionByName(found) if rows else found
        assert rows is not None
        return Result(rows, {"read_again": len(self._again)})

    def _known(self, work: Work) -> DataFrame:
        assert self._came is not None
        return work.rows_of(IDENTITIES, listed(carried_ids(self._came)) or [])

    def _standing(self, work: Work, persons: list[str]) -> DataFrame:
        """Their rows as they stand: of an id that was a person of its own, as another it is known by now."""
        rows = work.existing_of(persons)
        if not self._renamed:
            return rows
        names = work.spark.createDataFrame([*self._renamed.items()], "person_id STRING, _person STRING")
        person = F.coalesce("_person", "person_id")
        return rows.join(names, "person_id", "left").withColumn("person_id", person).select(*CONVERSIONS.column_names)
