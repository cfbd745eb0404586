"""What is known of people, and from when to when: what it must be, and the lines that say whether it is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal

_NAME_CHARACTERS = 128


class Held(NamedTuple):
    """A value of a trait, as JSON, while it held; times are microseconds since 1970."""

    person: str
    name: str
    from_at: int
    event_id: str
    value: str
    to_at: int | None


def trait_lines(evidence: Evidence, history: History) -> Iterator[Expectation]:
    """Lines about user_traits."""
    expected: dict[Key, Values] = {
        held[:4]: (held.value, held.to_at, held.to_at is None) for held in held_traits(history)
    }
    found = evidence.rows("SELECT person_id, trait, from_at, event_id, value, to_at, is_current FROM lake_user_traits")
    current = sum(is_current for *_, is_current in expected.values())
    yield equal("user_traits", "values that hold now", current, sum(row[6] for row in found))
    rows = (((row[0], row[1], microseconds(row[2]), row[3]), (*_said(*row[4:6]), row[6])) for row in found)
    yield differing("user_traits", "values that nobody said, or for another time", expected, rows)


def _said(value: str, to_at: float | None) -> tuple[str, int | None]:
    return _text(json.loads(value)), None if to_at is None else microseconds(to_at)


def held_traits(history: History) -> Iterator[Held]:
    """Every value that a trait of a person had, whose it is and while it held."""
    said: dict[tuple[str, str], list[tuple[Event, Any]]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: (event.at, event.received, event.event_id)):
        if event.person is None or event.event == "group":
            continue
        for name, value in _members(event, "traits"):
            said[event.person, name].append((event, value))
        for name, value in _members(event, "traits_once"):
            before = said.get((event.person, name))
            if value != "null" and (before is None or before[-1][1] == "null"):
                said[event.person, name].append((event, value))
    for (person, name), values in said.items():
        changes = [(event, value) for place, (event, value) in enumerate(values) if _changes(values, place)]
        ends = [event.at for event, _ in changes[1:]] + [None]
        for (event, value), end in zip(changes, ends, strict=True):
            if value != "null":
                yield Held(person, name, event.at, event.event_id, value, end)


def _members(event: Event, field: str) -> Iterator[tuple[str, str]]:
    traits = json.loads(event.fields.get(field) or "{}")
    yield from ((name[:_NAME_CHARACTERS], _text(value)) for name, value in traits.items())


def _changes(values: list[tuple[Event, Any]], place: int) -> bool:
    return place == 0 or values[place - 1][1] != values[place][1]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
