"""Groups and their members: what they must be, and the lines that say whether they are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal


def group_lines(evidence: Evidence, history: History) -> Iterator[Expectation]:
    """Lines about groups and group_members."""
    named: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: (event.at, event.received, event.event_id)):
        if event.fields.get("group_id") is not None:
            named[event.fields["group_id"]].append(event)
    members = {(group, person): seen for group, events in named.items() for person, seen in _members(events).items()}
    found = evidence.rows("SELECT group_id, person_id, first_seen_at, last_seen_at, events FROM lake_group_members")
    yield equal("group_members", "persons of groups", len(members), len(found))
    expected: dict[Key, Values] = {key: _seen(events) for key, events in members.items()}
    rows = ((row[:2], (microseconds(row[2]), microseconds(row[3]), row[4])) for row in found)
    yield differing("group_members", "rows that say something else", expected, rows)
    yield from _groups(evidence, named, members)


def _groups(
    evidence: Evidence, named: dict[str, list[Event]], members: dict[tuple[str, str], list[Event]]
) -> Iterator[Expectation]:
    found = evidence.rows(
        "SELECT group_id, group_type, first_seen_at, last_seen_at, events, members, traits FROM lake_groups"
    )
    yield equal("groups", "groups", len(named), len(found))
    expected: dict[Key, Values] = {
        (group,): (_type(events), *_seen(events), sum(key[0] == group for key in members), _traits(events))
        for group, events in named.items()
    }
    rows = (
        (row[:1], (row[1], microseconds(row[2]), microseconds(row[3]), *row[4:6], json.loads(row[6] or "{}")))
        for row in found
    )
    yield differing("groups", "rows that say something else", expected, rows)


def _members(events: list[Event]) -> dict[str, list[Event]]:
    """The events of each person; an event with no id but its own is nobody's."""
    of_person: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.person is not None and (event.user_id is not None or event.anonymous_id != event.event_id):
            of_person[event.person].append(event)
    return of_person


def _seen(events: list[Event]) -> Values:
    return events[0].at, events[-1].at, len(events)


def _type(events: list[Event]) -> str | None:
    kinds = [event.text("properties.group_type") for event in events if event.event == "group"]
    return next((kind for kind in reversed(kinds) if kind is not None), None)


def _traits(events: list[Event]) -> dict[str, Any]:
    """What is known of the group in the end."""
    known: dict[str, Any] = {}
    for event in events:
        if event.event == "group":
            known |= json.loads(event.fields.get("traits") or "{}")
            once = json.loads(event.fields.get("traits_once") or "{}")
            known |= {name: value for name, value in once.items() if known.get(name) is None}
    return {name: value for name, value in known.items() if value is not None}
