"""Of whom a request is: every id by which the lake knows the person, by `identities` and by whom events name together.

It errs towards keeping. A user id that is another account of the same person is never taken without being asked for,
and a device on which others were seen loses the events of the person alone. What is done with the ids is not known
here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules

Choice = Literal["keep", "erase"]
_MET = pa.schema([("anonymous_id", pa.string()), ("user_id", pa.string())])


class LinkedUsers(ValueError):
    """The person has other user ids than those that were named, and it was not said what becomes of them."""


@dataclass(frozen=True)
class Named:
    """By what a request names people: ids as apps send them, and e-mail addresses. `device_events` says what becomes of
    events without a user on devices that others use too, `linked_users` what of other user ids of the same person."""

    users: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    device_events: Choice = "keep"
    linked_users: Choice | None = None


@dataclass(frozen=True)
class Closure:
    """Ids as the clean tables have them: `users` whose events go, `devices` whose events without a user go. On `shared`
    devices others were seen, `kept_users` are linked and stay; `names` are further texts that name the person: ids as
    they were given, e-mail addresses, and what is written before cleaning in the place of either."""

    users: frozenset[str]
    devices: frozenset[str]
    shared: frozenset[str] = frozenset()
    kept_users: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset())


def closure_of(lake: Lake, rules: ErasureRules, named: Named, known: KnownPeople | None = None) -> Closure:
    """The closure of a request; who asks for many gives what is `known` for all of them. Raises `LinkedUsers`."""
    people = known or KnownPeople(lake)
    users, devices = (_known(people, rules, ids) for ids in (named.users, named.devices))
    addresses = {known for email in named.emails for known in rules.ever_known_as(email)}
    persons = people.persons_of({*users, *devices, *named.emails, *addresses})
    persons |= _persons_by_email(people, rules, named.emails)
    members = people.members(persons)
    linked = members.users - users
    if not users and len(linked) == 1:
        users, linked = {*linked}, set()
    if linked and named.linked_users is None:
        raise LinkedUsers(
            f"The same person has the user ids {', '.join(sorted(linked))} too, by identities. Name them as well "
            "(--user-id), or say what becomes of them: --linked-users erase, or keep."
        )
    if not users and linked and named.linked_users == "keep":
        raise LinkedUsers("Several user ids are the person's, and none would go: name the one that is to be erased.")
    kept = linked if named.linked_users == "keep" else set[str]()
    users |= linked - kept
    seen = people.devices_of(users)
    candidates = seen.keys() | (set() if kept else members.devices)
    others = people.users_on(candidates | devices)
    shared = {device for device in candidates | devices if others.get(device, set()) - users}
    taken = devices | (candidates if named.device_events == "erase" else candidates - shared)
    ids = {id_ for id_ in (*named.users, *named.devices) if rules.known_as(id_) not in shared}
    names = {text for name in (*ids, *named.emails) for text in (name, *rules.ever_written_as(name))}
    if not kept:
        names |= _emails_of(people, persons)
    return Closure(*map(frozenset, (users, taken, shared, kept, names)))


def _known(people: KnownPeople, rules: ErasureRules, ids: Iterable[str]) -> set[str]:
    """How the clean tables know these ids: as they write them now, and as rows have them that were written before the
    keys of pseudonyms were changed."""
    before = {known for id_ in ids for known in rules.ever_known_as(id_)}
    return {*map(rules.known_as, ids), *people.known(before)}


@dataclass(frozen=True)
class _Members:
    users: Set[str]
    devices: Set[str]


class KnownPeople:
    """Who is who in a lake, read when it is first asked for: identities, traits, and which ids events name together.
    With `for_many` the last are read once, and kept."""

    def __init__(self, lake: Lake, *, for_many: bool = False) -> None:
        self._lake = lake
        self._kept = pa.concat_tables([_MET.empty_table(), *_met(lake)]) if for_many else None
        self._rows = self._narrow(IDENTITIES, ("id_type", "id", "person_id", "is_shared"))

    @cached_property
    def traits(self) -> pa.Table:
        """Of all persons what traits say, or said."""
        return self._narrow(USER_TRAITS, ("person_id", "value"))

    def _narrow(self, spec: Table, columns: tuple[str, ...]) -> pa.Table:
        table = self._lake.table(spec.name)
        if table.exists():
            return table.snapshot().arrow(columns=columns)
        return pa.schema([spec.arrow_schema().field(name) for name in columns]).empty_table()

    def devices_of(self, users: Iterable[str]) -> dict[str, set[str]]:
        """The devices that events name with one of these users, each with those users."""
        return self._together("user_id", users)

    def users_on(self, devices: Iterable[str]) -> dict[str, set[str]]:
        """The users that events name with each of these devices."""
        return self._together("anonymous_id", devices)

    def _together(self, column: str, ids: Iterable[str]) -> dict[str, set[str]]:
        wanted, found = pa.array(sorted(set(ids)), pa.string()), dict[str, set[str]]()
        for pairs in [self._kept] if self._kept is not None else _met(self._lake):
            if len(wanted):
                for row in pairs.filter(pc.is_in(pairs[column], value_set=wanted)).to_pylist():
                    found.setdefault(row["anonymous_id"], set()).add(row["user_id"])
        return found

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that identities have."""
        wanted = pc.is_in(self._rows["id"], value_set=pa.array(sorted(set(ids)), pa.string()))
        return set(self._rows.filter(wanted)["id"].to_pylist())

    def persons_of(self, ids: Iterable[str]) -> set[str]:
        wanted = pc.is_in(self._rows["id"], value_set=pa.array(sorted(set(ids)), pa.string()))
        return set(self._rows.filter(wanted)["person_id"].to_pylist())

    def members(self, persons: Iterable[str]) -> _Members:
        wanted = pc.is_in(self._rows["person_id"], value_set=pa.array(sorted(persons), pa.string()))
        rows = self._rows.filter(wanted).to_pylist()
        users = {row["id"] for row in rows if row["id_type"] == "user"}
        return _Members(users, {row["id"] for row in rows if row["id_type"] == "anonymous" and not row["is_shared"]})


def _met(lake: Lake) -> Iterator[pa.Table]:
    """Of each file of events which ids they name together, each pair once."""
    table = lake.table(ENRICHED_EVENTS.name)
    if table.exists():
        snapshot = table.snapshot()
        for file in snapshot.files:
            rows = snapshot.arrow([file], _MET.names).drop_null()
            yield rows.group_by(_MET.names).aggregate([]).cast(_MET)


def _persons_by_email(people: KnownPeople, rules: ErasureRules, emails: Iterable[str]) -> set[str]:
    """The persons of whom a trait says, or said, one of these addresses, in small or large letters."""
    texts = {email.lower() for email in emails}
    if rules.pseudonyms:
        texts |= {known for email in emails for known in rules.pseudonyms.ever(email)}
    if not texts:
        return set()
    rows = people.traits
    wanted = pa.array([json.dumps(text, ensure_ascii=False) for text in texts], pa.string())
    return set(rows.filter(pc.is_in(pc.utf8_lower(rows["value"]), value_set=wanted))["person_id"].to_pylist())


def _emails_of(people: KnownPeople, persons: Iterable[str]) -> set[str]:
    """What traits say of these persons that is an e-mail address."""
    rows = people.traits
    mine = rows.filter(pc.is_in(rows["person_id"], value_set=pa.array(sorted(persons), pa.string())))
    like = mine.filter(pc.match_substring_regex(mine["value"], r'^"[^"\\\s@]+@[^"\\\s@]+\.[^"\\\s@]+"$'))
    return {json.loads(value) for value in like["value"].to_pylist()}
