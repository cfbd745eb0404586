"""The fast path from bytes to events: many lines at once, field by field, and which of them are in doubt.

Of a line that is not in doubt the `EventDecoder` gives just this event, with nothing unknown and no violation; what it
would say of the others is not decided here. Pure: no clock, no storage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from event_assets.contract.decoder import Limits
from event_assets.contract.doubts import Doubts, nobodys, rows_with
from event_assets.contract.event import Event
from event_assets.contract.ndjson import decode_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import EventPlan, TrackingPlan, fits, not_planned, properties_decoder

FIELDS = Event.__struct_fields__
TEXTS = tuple(field.name for field in msgspec.structs.fields(Event) if field.type is Raw)
"""The fields that stay JSON texts."""

_IDS = ("anonymous_id", "user_id", "session_id", "page_view_id")
_NOTHING = (b"", b"null")
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
        self._decoder = msgspec.json.Decoder(Event)
        self._doubts = Doubts(limits, placeholders)
        self._plans = {name: _Planned(event) for name, event in plan.events.items()}
        self._warns = plan.settings.unknown_events == "warn"

    def decode(self, lines: Sequence[bytes]) -> Batch:
        """The lines' events, and which are in doubt."""
        doubtful = set(self._doubts.about_lines(lines))
        events = self._events(lines, doubtful)
        columns = zip(*map(msgspec.structs.astuple, events), strict=True)
        fields = dict(zip(FIELDS, map(list, columns), strict=True)) if events else {name: [] for name in FIELDS}
        for name in TEXTS:
            absent = getattr(NO_EVENT, name)
            fields[name] = [None if raw is absent else _text(raw) for raw in fields[name]]
            doubtful.update(self._doubts.about_objects(fields[name]))
        doubtful.update(nobodys(fields["anonymous_id"], fields["user_id"]))
        doubtful.update(self._doubts.about_ids(*(fields[name] for name in _IDS)))
        doubtful.update(rows_with(fields["event"], lambda name: name != "alias" and name.isprintable()))
        violations = self._against_plan(fields, doubtful)
        return Batch(fields, violations, doubtful)

    def _events(self, lines: Sequence[bytes], doubtful: set[int]) -> list[Event]:
        """The event of each line that is not in doubt; more may be."""
        rows = [row for row in range(len(lines)) if row not in doubtful]
        events = [NO_EVENT] * len(lines)
        for row, event in zip(rows, decode_lines(self._decoder, [lines[row] for row in rows]), strict=True):
            if event is None:
                doubtful.add(row)
            else:
                events[row] = event
        return events

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


def _text(raw: Raw) -> bytes | None:
    text = bytes(raw)
    return None if text in _NOTHING else text
