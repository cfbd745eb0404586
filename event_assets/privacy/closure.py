"""Of whom a request is: every id by which the lake knows the person, by `identities` and by whom events name together.

It errs towards keeping. A user id that is another account of the same person is never taken without being asked for,
and a device on which others were seen loses the events of the person alone. What is done with the ids is not known
here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules

Choice = Literal["keep", "erase"]


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
    they were given, e-mail addresses."""

    users: frozenset[str]
    devices: frozenset[str]
    shared: frozenset[str] = frozenset()
    kept_users: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset())


def closure_of(lake: Lake, rules: ErasureRules, named: Named) -> Closure:
    """The closure of a request. Raises `LinkedUsers`."""
    people = _People(lake)
    users, devices = (_known(people, rules, ids) for ids in (named.users, named.devices))
    addresses = {known for email in named.emails for known in rules.ever_known_as(email)}
    persons = people.persons_of({*users, *devices, *named.emails, *addresses})
    persons |= _persons_by_email(lake, rules, named.emails)
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
    seen = _devices_of(lake, users)
    candidates = seen.keys() | (set() if kept else members.devices)
    others = _users_on(lake, candidates | devices)
    shared = {device for device in candidates | devices if others.get(device, set()) - users}
    taken = devices | (candidates if named.device_events == "erase" else candidates - shared)
    names = {*named.users, *named.devices, *named.emails}
    if not kept:
        names |= _emails_of(lake, persons)
    return Closure(*map(frozenset, (users, taken, shared, kept, names)))


def _known(people: _People, rules: ErasureRules, ids: Iterable[str]) -> set[str]:
    """How the clean tables know these ids: as they write them now, and as rows have them that were written before the
    keys of pseudonyms were changed."""
    before = {known for id_ in ids for known in rules.ever_known_as(id_)}
    return {*map(rules.known_as, ids), *people.known(before)}


@dataclass(frozen=True)
class _Members:
    users: Set[str]
    devices: Set[str]


class _People:
    """The rows of identities in memory, narrow as they are."""

    def __init__(self, lake: Lake) -> None:
        table = lake.table(IDENTITIES.name)
        columns = ("id_type", "id", "person_id", "is_shared")
        there = table.exists()
        self._rows = table.snapshot().arrow(columns=columns) if there else _none(IDENTITIES, columns)

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


def _none(spec: object, columns: tuple[str, ...]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in columns})


def _persons_by_email(lake: Lake, rules: ErasureRules, emails: Iterable[str]) -> set[str]:
    """The persons of whom a trait says, or said, one of these addresses, in small or large letters."""
    texts = {email.lower() for email in emails}
    if rules.pseudonyms:
        texts |= {known for email in emails for known in rules.pseudonyms.ever(email)}
    table = lake.table(USER_TRAITS.name)
    if not texts or not table.exists():
        return set()
    rows = table.snapshot().arrow(columns=("person_id", "value"))
    wanted = pa.array([json.dumps(text, ensure_ascii=False) for text in texts], pa.string())
    return set(rows.filter(pc.is_in(pc.utf8_lower(rows["value"]), value_set=wanted))["person_id"].to_pylist())


def _emails_of(lake: Lake, persons: Iterable[str]) -> set[str]:
    """What traits say of these persons that is an e-mail address."""
    table = lake.table(USER_TRAITS.name)
    if not table.exists():
        return set()
    rows = table.snapshot().arrow(columns=("person_id", "value"))
    mine = rows.filter(pc.is_in(rows["person_id"], value_set=pa.array(sorted(persons), pa.string())))
    like = mine.filter(pc.match_substring_regex(mine["value"], r'^"[^"\\\s@]+@[^"\\\s@]+\.[^"\\\s@]+"$'))
    return {json.loads(value) for value in like["value"].to_pylist()}


def _devices_of(lake: Lake, users: Iterable[str]) -> dict[str, set[str]]:
    """The devices that events name with one of these users, each with those users."""
    return _together(lake, "user_id", users)


def _users_on(lake: Lake, devices: Iterable[str]) -> dict[str, set[str]]:
    """The users that events name with each of these devices."""
    return _together(lake, "anonymous_id", devices)


def _together(lake: Lake, column: str, ids: Iterable[str]) -> dict[str, set[str]]:
    table, wanted = lake.table(ENRICHED_EVENTS.name), pa.array(sorted(set(ids)), pa.string())
    found: dict[str, set[str]] = {}
    if not len(wanted) or not table.exists():
        return found
    snapshot = table.snapshot()
    for file in snapshot.files:
        rows = snapshot.arrow([file], ("anonymous_id", "user_id"))
        met = rows.filter(pc.is_in(rows[column], value_set=wanted)).drop_null().group_by(rows.column_names)
        for row in met.aggregate([]).to_pylist():
            found.setdefault(row["anonymous_id"], set()).add(row["user_id"])
    return found
