"""person_features: the features of those whom a change touches, of the days that it touches.

What a day added to a feature is kept in the rows, so that of somebody who did something only the events of the days are
read on which something came or went. All days are read again of those who became one with another or fell apart, or
whom identities know otherwise than before in another way. What days added that are gone by retention stays.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.features import PERSON_FEATURES
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.pipeline.identity_changes import IdentityChanges, identity_changes
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.condition import unknown_events
from event_assets.rules.feature import Features
from event_assets.transforms.affected import (
    CARRIERS,
    carried_ids,
    carrying,
    is_one_of,
    listed,
    none_of,
    of_ids,
)
from event_assets.transforms.attribution.conversion_ids import with_repeated
from event_assets.transforms.features.person_features import (
    event_columns,
    event_parts,
    person_features,
    session_parts,
    standing_parts,
)
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import regrouped
from event_assets.transforms.people.users import affected_persons, ids_of

PERSON_FEATURES_CODE = "1"
"""Version of the code that makes this table; raise it when the rows it gives change."""
PERSON_FEATURES_SOURCES = (IDENTITIES, ENRICHED_EVENTS, SESSIONS, USER_TRAITS, CONVERSION_IDS)
_OF_EVENTS = (*CARRIERS, "event_id", "event", "event_date", "derived_at", "is_bot", "properties")
_OF_SESSIONS = (*CARRIERS, "start_at", "is_bot", "channel_group", "source", "medium", "campaign")
_DAY = "event_date"


def feature_rules(rules: Rules) -> str:
    """The version of the rules that person_features goes by."""
    return rules.features.digest


def person_features_step(run: Run) -> StepReport:
    """Brings person_features up to date."""
    features = run.rules.features
    changes = _Changes(features)
    code = f"{PERSON_FEATURES_CODE}-{features.digest}"
    how = KeyedRefresh(PERSON_FEATURES, PERSON_FEATURES_SOURCES, code, changes.whole, changes.affected, changes.part)
    report = refresh_keys(run, how)
    warnings = tuple(unknown_events(features.sets, run.rules.cleaning.plan))
    return replace(report, more={**report.more, "features": features.told()}, warnings=warnings)


@dataclass
class _Changes:
    """Whom what changed touches, and on which days."""

    features: Features
    _again: list[str] = field(default_factory=list)
    _dates: list[str] = field(default_factory=list)

    def whole(self, work: Work) -> Result:
        if not self.features.usable:
            return Result(work.spark.createDataFrame([], PERSON_FEATURES.spark_schema()))
        parts = [*self._made(work, work.rows(ENRICHED_EVENTS), work.rows(SESSIONS))]
        return Result(self._rows(work, [*parts, *self._before(work)], work.rows(USER_TRAITS)))

    def affected(self, work: Work) -> list[str] | None:
        touched = work.checkpoint(self._touched(work))
        people = identity_changes(work)
        if people.new:
            came = people.events_since(work, (*CARRIERS, _DAY))
            touched = work.checkpoint(touched.unionByName(carrying(came, people.ids_of_new)))
        again = self._affected_again(work, people)
        ids = listed(carried_ids(touched))
        if again is None or ids is None:
            return None
        known = with_person(touched, work.rows_of(IDENTITIES, ids)).select("person_id")
        described = work.changed(USER_TRAITS, USER_TRAITS.column_names).select("person_id")
        persons = listed(known.unionByName(described).where("person_id IS NOT NULL").distinct())
        self._again = again
        self._dates = sorted(str(row[_DAY]) for row in touched.select(_DAY).distinct().collect())
        return None if persons is None else sorted({*again, *persons, *people.new})

    def _touched(self, work: Work) -> DataFrame:
        """Whose days something came to or went from: events, sessions, what counts again."""
        columns = (*_OF_EVENTS, *event_columns(self.features.usable))
        events = work.signed(ENRICHED_EVENTS, tuple(name for name in dict.fromkeys(columns) if _is_column(name)))
        sessions = work.signed(SESSIONS, _OF_SESSIONS).withColumn(_DAY, F.to_date("start_at"))
        ids = work.signed(CONVERSION_IDS, (*CARRIERS, _DAY, "event_id", "is_repeated")).where("is_repeated")
        touched = (rows.select(*CARRIERS, _DAY) for rows in (events, sessions, ids))
        return reduce(DataFrame.unionByName, touched).distinct()

    def _affected_again(self, work: Work, people: IdentityChanges) -> list[str] | None:
        """Those to whom events of before may belong that did not, or the other way round."""
        if not people.has_others:
            return []
        carriers = work.rows(ENRICHED_EVENTS).select(*CARRIERS)
        return affected_persons(
            people.others,
            none_of(carriers),
            partial(work.rows_of, IDENTITIES),
            lambda: carriers.unionByName(work.rows(SESSIONS).select(*CARRIERS)),
        )

    def part(self, work: Work, persons: list[str]) -> Result | None:
        people, again = work.rows(IDENTITIES), self._again
        few = sorted(set(persons).difference(again))
        parts = [*self._before(work, again)] if again else []
        for those, dates in ((few, self._dates), (again, None)):
            ids = ids_of(those, people) if those else []
            if ids is None:
                return None
            if ids and dates is None:
                rows = (work.rows(table) for table in (ENRICHED_EVENTS, SESSIONS))
            elif ids and dates:
                rows = (work.rows_on(table, dates) for table in (ENRICHED_EVENTS, SESSIONS))
            else:
                continue
            made = self._made(work, *(carrying(each, ids) for each in rows))
            parts += [of_ids(each, those, "person_id") for each in made]
        if few:
            standing = standing_parts(work.existing_of(few))
            parts.append(standing.where(~is_one_of("day", [_number(date) for date in self._dates])))
        rows_of = self._rows(work, parts, work.rows_of(USER_TRAITS, persons))
        return Result(of_ids(rows_of, persons, "person_id"), {"read_again": len(again)})

    def _made(self, work: Work, events: DataFrame, sessions: DataFrame) -> list[DataFrame]:
        """What the days of these events and sessions added, of persons that identities know."""
        people = work.rows(IDENTITIES)
        known = people.select("person_id").distinct()
        repeated = with_repeated(events, work.rows(CONVERSION_IDS))
        features = self.features.usable
        parts = (
            event_parts(with_person(repeated, people), features),
            session_parts(with_person(sessions.select(*_OF_SESSIONS), people), features),
        )
        return [each.join(known, "person_id", "left_semi") for each in parts]

    def _rows(self, work: Work, parts: list[DataFrame], traits: DataFrame) -> DataFrame:
        together = reduce(DataFrame.unionByName, parts)
        return person_features(together, traits, self.features.usable)

    def _before(self, work: Work, persons: list[str] | None = None) -> list[DataFrame]:
        """What days added that are gone."""
        known = work.known_of(persons)
        if known is None:
            return []
        gone = known.where(F.col("from_date") < F.lit(work.horizon).cast("date"))
        return [standing_parts(regrouped(gone, work.rows(IDENTITIES)))]


def _is_column(name: str) -> bool:
    return name in ENRICHED_EVENTS.column_names


def _number(date: str) -> int:
    return (dt.date.fromisoformat(date) - dt.date(1970, 1, 1)).days
