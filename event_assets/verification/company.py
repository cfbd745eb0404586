"""Companies, and what company data says of persons: what they must be, and the lines that say whether they are."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from event_assets.rules.company import CompanyData, CompanyTable
from event_assets.verification.evidence import Evidence, path_of
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal
from event_assets.verification.traits import held_traits

_COLUMNS = ("name", "plan", "status", "industry", "country")
_TOUCH = ("channel_group", "source", "medium", "campaign")


class _Said(NamedTuple):
    join: str
    subject: str
    attribute: str
    value: Any
    by: str


def company_lines(evidence: Evidence, history: History, company: CompanyData) -> Iterator[Expectation]:
    """Lines about person_attributes and companies; of neither where company data was loaded since they were made."""
    said = list(_said(evidence, company))
    for name, lines in (("person_attributes", _of_persons), ("companies", _of_companies)):
        behind = _behind(evidence, name)
        if behind:
            yield Expectation(name, f"not refreshed since {behind} was loaded", None, None, True, late=True)
        else:
            yield from lines(evidence, history, said)


def _behind(evidence: Evidence, name: str) -> str:
    through = evidence.through_company[name]
    for path, read in evidence.company.items():
        if read.version.number >= 0 and through.get(path) != read.version:
            return path
    return ""


def _said(evidence: Evidence, data: CompanyData) -> Iterator[_Said]:
    for source, table in data.described:
        rows = evidence.company[path_of(source, table)].rows
        yield from _of_table(f"{source.name}.{table.name}", table, rows)


def _of_table(name: str, table: CompanyTable, rows: Sequence[Mapping[str, Any]]) -> Iterator[_Said]:
    assert table.describes is not None
    of_subject: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    order = [column for column in (table.cursor, *table.key) if column]
    for row in sorted(rows, key=lambda row: [(row[column] is None, row[column]) for column in order]):
        is_deleted = table.deleted is not None and row[table.deleted] not in (None, False)
        if row[table.describes.column] is not None and not is_deleted:
            of_subject[str(row[table.describes.column])].append(row)
    for subject, about in of_subject.items():
        for attribute, how in table.attributes.items():
            values = [row[how.column] for row in about]
            known = [value for value in values if value is not None]
            value = values[-1] if how.combine == "last" else _combined(how.combine, known)
            if value is not None:
                yield _Said(table.describes.join, subject, attribute, _plain(value), name)


def _combined(how: str, known: list[Any]) -> Any:
    if not known:
        return None
    return sum(known) if how == "sum" else min(known) if how == "min" else max(known)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _of_persons(evidence: Evidence, history: History, said: list[_Said]) -> Iterator[Expectation]:
    by_id = dict(evidence.rows("SELECT id, person_id FROM lake_identities WHERE id_type = 'user'"))
    seen: dict[str, int] = {}
    for event in history.events:
        if event.user_id is not None:
            seen[event.user_id] = max(event.at, seen.get(event.user_id, event.at))
    by_address: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for held in held_traits(history):
        if held.name == "email" and held.to_at is None:
            address = json.loads(held.value)
            by_address[_hash(address if isinstance(address, str) else held.value)].append((held.person, held.from_at))
    by_group = {key: events[-1].at for key, events in _members(history).items()}
    best: dict[tuple[str, str], tuple[Any, ...]] = {}
    for each in said:
        found: list[tuple[str, int, float]] = []
        if each.join == "user_id" and each.subject in by_id:
            found = [(by_id[each.subject], 0, -seen.get(each.subject, 0))]
        elif each.join in ("email", "email_sha256"):
            hashed = _hash(each.subject) if each.join == "email" else each.subject.strip().lower()
            found = [(person, 1 + (each.join != "email"), -at) for person, at in by_address[hashed]]
        elif each.join == "group_id":
            found = [(person, 3, -at) for (group, person), at in by_group.items() if group == each.subject]
        for person, rank, at in found:
            place = (rank, at, each.subject)
            key = (person, each.attribute)
            if key not in best or place < best[key][0]:
                best[key] = (place, each.value, _text(each.value), each.by, each.subject if rank == 3 else None)
    rows = evidence.rows("SELECT person_id, attribute, value, text, source, group_id FROM lake_person_attributes")
    yield equal("person_attributes", "persons and attributes", len(best), len(rows))
    found_rows = ((row[:2], (json.loads(row[2]), *row[3:])) for row in rows)
    expected: dict[Key, Values] = {key: value[1:] for key, value in best.items()}
    yield differing("person_attributes", "rows that say something else", expected, found_rows)


def _of_companies(evidence: Evidence, history: History, said: list[_Said]) -> Iterator[Expectation]:
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for each in said:
        if each.join == "group_id":
            told[each.subject][each.attribute] = each.value
    named: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: event.at):
        if event.fields.get("group_id") is not None:
            named[event.fields["group_id"]].append(event)
    members: dict[str, list[str]] = defaultdict(list)
    for group, person in _members(history):
        members[group].append(person)
    users = {
        row[0]: (row[1], row[2:])
        for row in evidence.rows(
            f"SELECT person_id, first_seen_at, {', '.join(_TOUCH)} FROM lake_users WHERE NOT is_bot"
        )
    }
    expected: dict[Key, Values] = {}
    for group in told.keys() | named.keys():
        known, events = told.get(group, {}), named.get(group, [])
        first = min(((users[person][0], person) for person in members[group] if person in users), default=None)
        mrr = known.get("mrr")
        expected[group,] = (
            *(_text(known.get(name)) for name in _COLUMNS),
            float(mrr) if isinstance(mrr, int | float) else None,
            known,
            group in told,
            len(members[group]),
            *((events[0].at, events[-1].at) if events else (None, None)),
            *(users[first[1]][1] if first else (None,) * len(_TOUCH)),
        )
    columns = ("attributes", "is_customer", "members", "first_seen_at", "last_seen_at")
    rows = evidence.rows(f"SELECT group_id, {', '.join((*_COLUMNS, 'mrr', *columns, *_TOUCH))} FROM lake_companies")
    yield equal("companies", "companies", len(expected), len(rows))
    found = (
        (row[:1], (*row[1:7], json.loads(row[7] or "{}"), bool(row[8]), row[9], *map(_moment, row[10:12]), *row[12:]))
        for row in rows
    )
    yield differing("companies", "rows that say something else", expected, found)


def _members(history: History) -> dict[tuple[str, str], list[Event]]:
    """The events that name a group, by group and person; one with no id but its own is nobody's."""
    members: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: event.at):
        group = event.fields.get("group_id")
        is_nobodys = event.user_id is None and event.anonymous_id == event.event_id
        if group is not None and event.person is not None and not is_nobodys:
            members[group, event.person].append(event)
    return members


def _hash(address: str) -> str:
    return sha256(address.strip().lower().encode()).hexdigest()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _moment(value: float | None) -> int | None:
    return None if value is None else microseconds(value)
