"""What is known of whoever an event is of: `person.x`, `group.x`, `person.segment`, as the lake's tables say it.

Those tables are judged by lines of their own; here they are taken as they are.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from event_assets.contract.tables.company import COMPANIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.rules.analysis import Analysis
from event_assets.rules.condition import GROUP, PERSON, SEGMENT
from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event

Row = Mapping[str, Any]


class Known:
    """What the lake says of persons, their companies and their segments."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def of_events(self, analysis: Analysis, events: Iterable[Event]) -> list[Event]:
        """The events with the fields that the analysis asks for beside the event's own."""
        if not (analysis.knows_people or analysis.knows_groups or analysis.knows_segments):
            return list(events)
        names = [name for name in analysis.fields() if name.startswith((PERSON, GROUP)) and name != SEGMENT]
        return [self._of(event, names) for event in events]

    def group_of(self, event: Event) -> str | None:
        """The company that the event names, else that of the person's which an event of theirs named last."""
        return event.fields.get("group_id") or self._group.get(event.person or "")

    def _of(self, event: Event, names: list[str]) -> Event:
        said = {name: self._person(event, name) for name in names if name.startswith(PERSON)}
        said |= {name: self._company(event, name) for name in names if name.startswith(GROUP)}
        segments = self._segments.get(event.person or "", frozenset())
        return replace(event, fields={**event.fields, **said}, segments=segments)

    def _person(self, event: Event, name: str) -> str | None:
        row, field = self._users.get(event.person or ""), name.removeprefix(PERSON)
        if row is None:
            return None
        if field in USERS.column_names and field != "traits":
            return _text(row[field], USERS, field)
        found = _inside(row["traits"], field)
        return self._attributes.get((event.person or "", field)) if found is None else found

    def _company(self, event: Event, name: str) -> str | None:
        group, field = self.group_of(event), name.removeprefix(GROUP)
        row = self._companies.get(group or "")
        if row is None:
            return None
        if field in COMPANIES.column_names and field != "attributes":
            return _text(row[field], COMPANIES, field)
        found = _inside(row["attributes"], field)
        return _inside(self._traits.get(group or ""), field) if found is None else found

    def _rows(self, table: Table) -> list[Row]:
        names = table.column_names
        rows = self._evidence.rows(f"SELECT {', '.join(names)} FROM lake_{table.name}")
        return [dict(zip(names, row, strict=True)) for row in rows]

    @cached_property
    def _users(self) -> dict[str, Row]:
        return {row["person_id"]: row for row in self._rows(USERS)}

    @cached_property
    def _companies(self) -> dict[str, Row]:
        return {row["group_id"]: row for row in self._rows(COMPANIES)}

    @cached_property
    def _attributes(self) -> dict[tuple[str, str], str]:
        rows = self._evidence.rows("SELECT person_id, attribute, text FROM lake_person_attributes")
        return {(person, attribute): text for person, attribute, text in rows}

    @cached_property
    def _traits(self) -> dict[str, str]:
        return dict(self._evidence.rows("SELECT group_id, traits FROM lake_groups"))

    @cached_property
    def _group(self) -> dict[str, str]:
        query = "SELECT person_id, group_id FROM lake_group_members ORDER BY last_seen_at, group_id DESC"
        return dict(self._evidence.rows(query))

    @cached_property
    def _segments(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        rows = self._evidence.rows("SELECT person_id, segment FROM lake_segment_memberships WHERE is_current")
        for person, segment in rows:
            found[person].add(segment)
        return {person: frozenset(segments) for person, segments in found.items()}


def _text(value: Any, table: Table, column: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(bool(value) if table.column(column).type == "boolean" else value)


def _inside(document: str | None, path: str) -> str | None:
    value: Any = json.loads(document) if document else None
    for part in re.split(r"(?<!\\)\.", path):
        value = value.get(part.replace("\\.", ".")) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))
