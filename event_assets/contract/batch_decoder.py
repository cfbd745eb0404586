"""The fast path from bytes to events: many lines at once, field by field, and which of them are in doubt.

Of a line that is not in doubt the `EventDecoder` gives just this event, with nothing unknown and no violation; what it
would say of the others is not decided here. Pure: no clock, no storage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from event_assets.contract.decoder import Limits
from event_assets.contract.event import Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import EventPlan, TrackingPlan, fits, not_planned, properties_decoder

FIELDS = Event.__struct_fields__
TEXTS = tuple(field.name for field in msgspec.structs.fields(Event) if field.type is Raw)
"""The fields that stay JSON texts."""

_IDS = ("anonymous_id", "user_id", "session_id", "page_view_id")
_LEAST_BYTES_OF_A_KEY = len(b'"":0,')
_BACKSLASH = ord("\\")
_NUL = b"\\u0000"
_NOTHING = (b"", b"null")
_BRACE = ord("{")
NO_EVENT = Event("", "", "web")
"""Stands where a line is no event."""


class Batch(NamedTuple):
    """Events field by field, a row a line: `fields` has a list for each field of the contract, the JSON texts as bytes
    or None; `violations` is what the plan warns about, by row. A row in `doubtful` may hold anything."""

    fields: dict[str, list[Any]]
    violations: dict[int, str]
    doubtful: set[int]

    def put(self, row: int, event: Event = NO_EVENT, violations: str | None = None) -> None:
        """Makes the event the row's, and what the plan warns about it."""
        self.violations.pop(row, None)
        if violations is not None:
            self.violations[row] = violations
        for name, values in self.fields.items():
            value = getattr(event, name)
            values[row] = _text(value) if isinstance(value, Raw) else value


class BatchDecoder:
    """Decodes lines by the contract and a tracking plan, as far as it is sure what `EventDecoder` would say."""

    def __init__(self, plan: TrackingPlan, limits: Limits, placeholders: Placeholders) -> None:
        self._decode = msgspec.json.Decoder(Event).decode
        sizes = (limits.event_bytes, limits.properties_bytes, limits.string_bytes)
        self._small = min(*sizes, limits.keys * _LEAST_BYTES_OF_A_KEY)
        self._depth = limits.depth
        self._placeholders = placeholders
        self._plans = {name: _Planned(event) for name, event in plan.events.items()}
        self._warns = plan.settings.unknown_events == "warn"

    def decode(self, lines: Sequence[bytes]) -> Batch:
        """The lines' events, and which are in doubt."""
        doubtful = self._unlike(lines)
        events = self._events(lines, doubtful)
        columns = zip(*map(msgspec.structs.astuple, events), strict=True)
        fields = dict(zip(FIELDS, map(list, columns), strict=True)) if events else {name: [] for name in FIELDS}
        for name in TEXTS:
            absent = getattr(NO_EVENT, name)
            fields[name] = [None if raw is absent else _text(raw) for raw in fields[name]]
            doubtful.update(self._not_sure_objects(fields[name]))
        doubtful.update(self._nobody(fields))
        doubtful.update(_where(fields["event"], lambda name: name != "alias" and name.isprintable()))
        violations = self._against_plan(fields, doubtful)
        return Batch(fields, violations, doubtful)

    def _unlike(self, lines: Sequence[bytes]) -> set[int]:
        """Where a line is large, or has what the decoder mends or does not see."""
        small = self._small
        rows = {
            row
            for row, line in enumerate(lines)
            if len(line) > small or (_BACKSLASH in line and _NUL in line)  # looking for one byte costs a tenth
        }
        if not all(map(bytes.isascii, lines)):
            rows.update(row for row, line in enumerate(lines) if not (line.isascii() or _is_utf8(line)))
        return rows

    def _events(self, lines: Sequence[bytes], doubtful: set[int]) -> list[Event]:
        decode, events = self._decode, []
        for row, line in enumerate(lines):
            try:
                events.append(decode(line) if row not in doubtful else NO_EVENT)
            except (msgspec.MsgspecError, RecursionError):
                events.append(NO_EVENT)
                doubtful.add(row)
        return events

    def _not_sure_objects(self, texts: list[bytes | None]) -> list[int]:
        """Where a text is no object, or has brackets enough to be too deep."""
        depth = self._depth
        return [
            row
            for row, text in enumerate(texts)
            if text is not None
            and (text[0] != _BRACE or (len(text) > depth and text.count(b"{") + text.count(b"[") > depth))
        ]

    def _nobody(self, fields: dict[str, list[Any]]) -> set[int]:
        """Where an id is a placeholder, or there is none."""
        none, heads = self._placeholders, self._placeholders.other_heads
        people = zip(fields["anonymous_id"], fields["user_id"], strict=True)
        rows = {row for row, (anonymous, user) in enumerate(people) if not (anonymous or user)}
        for name in _IDS:
            rows.update(
                row
                for row, text in enumerate(fields[name])
                if text is not None and text[:2] not in heads and text in none
            )
        return rows

    def _against_plan(self, fields: dict[str, list[Any]], doubtful: set[int]) -> dict[int, str]:
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
        self._required = [name.partition(".")[::2] for name in plan.fields]

    def not_kept(self, fields: dict[str, list[Any]], rows: Sequence[int]) -> Iterator[int]:
        """Those of the rows that may break it."""
        for head, inside in self._required:
            values = fields[head]
            value_of = attrgetter(inside) if inside else bool
            yield from (row for row in rows if (value := values[row]) is None or not value_of(value))
        versions, texts = fields["schema_version"], fields["properties"]
        decoders, needs_none = self._decoders, self._needs_none
        for row in rows:
            version, text = versions[row], texts[row]
            if text is None and version in needs_none:
                continue
            decoder = decoders.get(version)
            if decoder is None or not fits(decoder, text or b"{}"):
                yield row


def _where(values: list[Any], is_sure: Callable[[Any], bool]) -> list[int]:
    """Where a value is that is not sure; each value is looked at once."""
    unsure = {value for value in set(values) if not is_sure(value)}
    return [row for row, value in enumerate(values) if value in unsure] if unsure else []


def _text(raw: Raw) -> bytes | None:
    text = bytes(raw)
    return None if text in _NOTHING else text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
