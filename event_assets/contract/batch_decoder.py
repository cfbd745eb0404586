"""The fast path from bytes to events: many lines at once, field by field, and which of them are in doubt.

Of a line that is not in doubt the `EventDecoder` gives just this event, with nothing unknown and no violation; what it
would say of the others is not decided here. Pure: no clock, no storage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import astuple

from event_assets.contract.decoder import Limits
from event_assets.contract.doubts import Doubts, nobodys, rows_with
from event_assets.contract.event import NESTED, Event
from event_assets.contract.ndjson import decode_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import EventPlan, TrackingPlan, fits, not_planned, properties_decoder

INSIDE = {head: tuple(f"{head}_{name}" for name in struct.__struct_fields__) for head, struct in NESTED.items()}
"""Of each nested field what is inside it, under the names of its columns."""
FIELDS = tuple(name for field in Event.__struct_fields__ for name in INSIDE.get(field, (field,)))
"""The fields of the contract, in place of a nested one those inside it."""
TEXTS = tuple(field.name for field in msgspec.structs.fields(Event) if field.type is Raw)
"""The fields that stay JSON texts."""

_Fields = Mapping[str, Sequence[Any]]
_LINES_AT_ONCE = 128
"""Lines that are looked at together: so few that their objects stay in the processor's nearest cache."""
_IDS = ("anonymous_id", "user_id", "session_id", "page_view_id")
_NOTHING = (b"", b"null")
NO_EVENT = Event("", "", "web")
"""Stands where a line is no event."""
_NOTHING_INSIDE = {head: struct() for head, struct in NESTED.items()}


class Batch(NamedTuple):
    """Events field by field, a row a line: `fields` has a list for each of `FIELDS`, the JSON texts as bytes or None;
    `violations` is what the plan warns about, by row. A row in `doubtful` may hold anything."""

    fields: dict[str, list[Any]]
    violations: dict[int, str]
    doubtful: set[int]

    def put(self, row: int, event: Event = NO_EVENT, violations: str | None = None) -> None:
        """Makes the event the row's, and what the plan warns about it."""
        self.violations.pop(row, None)
        if violations is not None:
            self.violations[row] = violations
        for name, (value,) in _fields([event]).items():
            self.fields[name][row] = value


class BatchDecoder:
    """Decodes lines by the contract and a tracking plan, as far as it is sure what `EventDecoder` would say."""

    def __init__(self, plan: TrackingPlan, limits: Limits, placeholders: Placeholders) -> None:
        self._decoder = msgspec.json.Decoder(Event)
        self._doubts = Doubts(limits, placeholders)
        self._plans = {name: _Planned(event) for name, event in plan.events.items()}
        self._warns = plan.settings.unknown_events == "warn"

    def decode(self, lines: Sequence[bytes]) -> Batch:
        """The lines' events, and which are in doubt."""
        batch = Batch({name: [] for name in FIELDS}, {}, set())
        for start in range(0, len(lines), _LINES_AT_ONCE):
            fields, violations, doubtful = self._decode_few(lines[start : start + _LINES_AT_ONCE])
            for name, values in batch.fields.items():
                values += fields[name]
            batch.violations.update((start + row, words) for row, words in violations.items())
            batch.doubtful.update(start + row for row in doubtful)
        return batch

    def _decode_few(self, lines: Sequence[bytes]) -> tuple[_Fields, dict[int, str], set[int]]:
        doubtful = set(self._doubts.about_lines(lines))
        fields = _fields(self._events(lines, doubtful))
        for name in TEXTS:
            if any(fields[name]):
                doubtful.update(self._doubts.about_objects(fields[name]))
        doubtful.update(nobodys(fields["anonymous_id"], fields["user_id"]))
        doubtful.update(self._doubts.about_ids(*(fields[name] for name in _IDS)))
        doubtful.update(rows_with(fields["event"], lambda name: name != "alias" and name.isprintable()))
        return fields, self._against_plan(fields, doubtful), doubtful

    def _events(self, lines: Sequence[bytes], doubtful: set[int]) -> list[Event]:
        """The event of each line that is not in doubt; more may be."""
        sure = [b"" if row in doubtful else line for row, line in enumerate(lines)] if doubtful else lines
        events = decode_lines(self._decoder, sure)
        if all(events):
            return events
        doubtful.update(row for row, event in enumerate(events) if event is None)
        return [NO_EVENT if event is None else event for event in events]

    def _against_plan(self, fields: _Fields, doubtful: set[int]) -> dict[int, str]:
        """What the plan warns about where it has no such event; where it may have more to say is in doubt."""
        violations: dict[int, str] = {}
        if not self._plans and self._warns:
            return violations
        rows_of = defaultdict(list)
        for row, name in enumerate(fields["event"]):
            rows_of[name].append(row)
        for name, rows in rows_of.items():
            planned = self._plans.get(name)
            if planned is not None:
                doubtful.update(planned.not_kept(fields, rows))
            elif self._warns:
                violations |= dict.fromkeys(rows, not_planned(name))
            else:
                doubtful.update(rows)
        return violations


class _Planned:
    """What the plan says of one event's name, asked of all events that have it."""

    def __init__(self, plan: EventPlan) -> None:
        self._decoders = {version: properties_decoder(plan, version) for version in plan.versions}
        self._needs_none = {version for version, decoder in self._decoders.items() if fits(decoder, b"{}")}
        self._required = [INSIDE.get(name, (name.replace(".", "_"),)) for name in plan.fields]

    def not_kept(self, fields: _Fields, rows: Sequence[int]) -> Iterator[int]:
        """Those of the rows that may break it."""
        for names in self._required:
            missing = rows
            for values in map(fields.__getitem__, names):
                missing = [row for row in missing if not values[row]]
            yield from missing
        versions, texts = fields["schema_version"], fields["properties"]
        decoders, needs_none = self._decoders, self._needs_none
        for row in rows:
            version, text = versions[row], texts[row]
            if text is None and version in needs_none:
                continue
            decoder = decoders.get(version)
            if decoder is None or not fits(decoder, text or b"{}"):
                yield row


def _fields(events: Sequence[Event]) -> _Fields:
    """What the events say, by `FIELDS`."""
    fields: dict[str, Sequence[Any]] = {}
    for name, values in zip(Event.__struct_fields__, zip(*map(astuple, events), strict=True), strict=True):
        if name in TEXTS:
            fields[name] = _texts(values, getattr(NO_EVENT, name))
        elif name in INSIDE:
            fields |= _inside(name, values)
        else:
            fields[name] = values
    return fields


def _inside(head: str, values: Sequence[msgspec.Struct | None]) -> _Fields:
    """What is inside one nested field, which most events do not have."""
    if not any(values):
        return dict.fromkeys(INSIDE[head], [None] * len(values))
    nothing = _NOTHING_INSIDE[head]
    columns = zip(*(astuple(nothing if value is None else value) for value in values), strict=True)
    return dict(zip(INSIDE[head], columns, strict=True))


def _texts(raws: Sequence[Raw], absent: Raw) -> Sequence[bytes | None]:
    if raws.count(absent) == len(raws):
        return [None] * len(raws)
    texts = [None if raw is absent else bytes(raw) for raw in raws]
    return [None if text in _NOTHING else text for text in texts] if any(map(texts.__contains__, _NOTHING)) else texts
