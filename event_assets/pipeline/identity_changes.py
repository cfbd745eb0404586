"""What of identities changed since a table about people was made: ids that were only seen again, persons who are new,
and all others, of whom a row may be another person's than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.changed_rows import files_between, signed_rows
from event_assets.pipeline.keyed_refresh import Work
from event_assets.pipeline.taken_in import reached_by, rows_only_came, seen_by
from event_assets.transforms.affected import CARRIERS, TIMES, carrying, frame_of, none_of
from event_assets.transforms.people.users import affected_persons

_COLUMNS = ("id_type", "id", "person_id", "is_shared", "first_seen_at", "last_seen_at")
_MOST = 100_000
"""More changes than this are not told apart."""
_Row = dict[str, Any]
_Rows = dict[tuple[str, str], _Row]


@dataclass(frozen=True)
class IdentityChanges:
    """`seen_again` are the identities, as they are, of ids that are the same person's as before, of persons
    `seen_earlier` with a first time that is earlier; `new` the persons of whom no id was known, by id in
    `persons_of_new`, whose events all came since version `since` of the enriched events; `others` all other identities
    that came or went, if any did (`has_others`)."""

    seen_again: DataFrame
    seen_earlier: frozenset[str]
    new: frozenset[str]
    persons_of_new: Mapping[str, str]
    since: int
    others: DataFrame
    has_others: bool

    @property
    def ids_of_new(self) -> list[str]:
        """The ids of the new persons. A table that read events before identities did may have any of them as a person
        of its own."""
        return sorted(self.persons_of_new)

    def affected_again(self, work: Work, went: DataFrame, carriers: Callable[[], DataFrame]) -> list[str] | None:
        """The persons to whom rows of before may belong that did not, or the other way round, and those of rows that
        `went` (`CARRIERS`); None where they are too many. `carriers`: all rows that belong to persons."""
        if not self.has_others and not work.lost(ENRICHED_EVENTS):
            return []
        return affected_persons(self.others, went, partial(work.rows_of, IDENTITIES), carriers)

    def events_since(self, work: Work, columns: Sequence[str]) -> DataFrame:
        """The events, in these columns, that identities had not seen: those of the new persons are among them."""
        events = work.upstream[ENRICHED_EVENTS.name]
        then = events.table.at(self.since)
        work.scanned.extend(files_between(then, events)[0])
        return signed_rows(work.spark, then, events, columns).drop(TIMES)

    def sessions_of_new(self, work: Work, came: DataFrame) -> DataFrame:
        """The sessions of the new persons, in the columns of `came`, those that came: all that there are are looked
        through where sessions had taken in some of their events before."""
        taken_in, events = work.before[SESSIONS.name], work.upstream[ENRICHED_EVENTS.name]
        assert taken_in is not None
        if self._is_seen_by(work, taken_in, events):
            came = work.rows(SESSIONS).select(*came.columns)
        return carrying(came, self.ids_of_new)

    def _is_seen_by(self, work: Work, sessions: Snapshot, events: Snapshot) -> bool:
        if not sessions.files:
            return False
        reached = reached_by(sessions, events)
        if reached is None or reached > events.version:
            return True
        if reached <= self.since:
            return False
        between = signed_rows(work.spark, events.table.at(self.since), events.table.at(reached), CARRIERS)
        return not carrying(between, self.ids_of_new).isEmpty()


def identity_changes(work: Work) -> IdentityChanges:
    """What changed. Where it is too much to be told apart, all are others."""
    changed = work.checkpoint(work.signed(IDENTITIES, _COLUMNS))
    rows = changed.limit(_MOST + 1).toArrow().to_pylist()
    if len(rows) > _MOST:
        return IdentityChanges(none_of(changed), frozenset(), frozenset(), {}, 0, changed.drop(TIMES), True)
    came, went = ({_key(row): row for row in rows if (row[TIMES] > 0) is sign} for sign in (True, False))
    again = [row for key, row in came.items() if key in went and _is_seen_again(went[key], row)]
    since = _seen_since(work)
    new = frozenset[str]() if since is None else _new_persons(work, came, went)
    of_new = [row for row in came.values() if row["person_id"] in new]
    others = {*came, *went}.difference(map(_key, again), map(_key, of_new))
    return IdentityChanges(
        _of(changed.where(F.col(TIMES) > 0), map(_key, again)).drop(TIMES),
        frozenset(row["person_id"] for row in again if row["first_seen_at"] < went[_key(row)]["first_seen_at"]),
        new,
        {row["id"]: row["person_id"] for row in of_new},
        since or 0,
        _of(changed, others).drop(TIMES),
        bool(others),
    )


def _key(row: _Row) -> tuple[str, str]:
    return row["id_type"], row["id"]


def _of(rows: DataFrame, keys: Iterable[tuple[str, str]]) -> DataFrame:
    """The rows of these ids, of either type."""
    ids = sorted({name for _, name in keys})
    return rows.join(frame_of(rows.sparkSession, ids), "id", "left_semi") if ids else none_of(rows)


def _is_seen_again(went: _Row, came: _Row) -> bool:
    same = all(went[name] == came[name] for name in ("person_id", "is_shared"))
    return same and came["first_seen_at"] <= went["first_seen_at"] and came["last_seen_at"] >= went["last_seen_at"]


def _new_persons(work: Work, came: _Rows, went: _Rows) -> frozenset[str]:
    """The persons all of whose ids are new, and none of them a shared device."""
    persons = {row["person_id"] for row in came.values()}
    persons -= {row["person_id"] for row in went.values()}
    persons -= {row["person_id"] for key, row in came.items() if key in went or row["is_shared"]}
    # Known by another id that says what it said before: the one that a person is called by did not come.
    persons &= {row["person_id"] for row in came.values() if row["id"] == row["person_id"]}
    of_new = {key: row for key, row in came.items() if row["person_id"] in persons}
    if not of_new:
        return frozenset()
    # The same text may be a device's and a user's id: of one that is new the other may be known.
    there = work.rows_of(IDENTITIES, sorted({name for _, name in of_new})).select("id_type", "id", "person_id")
    known = (row for row in there.toArrow().to_pylist() if _key(row) not in of_new)
    return frozenset(persons.difference(row["person_id"] for row in known))


def _seen_since(work: Work) -> int | None:
    """The version of the events that identities, as they are taken in, had seen; None where events, or those that
    sessions have not seen yet, went since."""
    identities, events = work.before[IDENTITIES.name], work.upstream[ENRICHED_EVENTS.name]
    assert identities is not None
    seen, sessions = [seen_by(identities, events)], work.upstream.get(SESSIONS.name)
    if sessions is not None and sessions.files:
        seen.append(seen_by(sessions, events))
    return seen[0] if rows_only_came(events, min(seen)) else None
