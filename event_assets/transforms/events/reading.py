"""Reads the lines of raw records: which are clean, with what they say, and which are set aside, with the reason.

Most lines go the fast path, many at once; those in doubt go the exact one, through the decoder that gives the ingest
API's verdicts. This module is the one place that chooses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.batch_decoder import BatchDecoder, replaced
from event_assets.contract.consent import DROPPED, is_dropped, is_refused, is_stripped, may_refuse, stripped
from event_assets.contract.decoder import Decoded, EventDecoder, Rejection, with_context
from event_assets.contract.event import OBJECTS, Event
from event_assets.contract.instant_columns import instants
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.refused import rejection_of
from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.contract.times import derived_at, is_future
from event_assets.enrichment.location import country_alone
from event_assets.enrichment.sealing import Sealing
from event_assets.transforms.events.event_columns import json_texts, record_batch
from event_assets.transforms.events.event_times import event_times
from event_assets.transforms.events.record_lines import RecordLines, blocks

if TYPE_CHECKING:
    from event_assets.transforms.events.clean import CleanRules

RECORD_COLUMNS = ("arrival_date", "arrival_hour", "arrived_at", "stream", "shard_id", "sequence_number")
_INSTANT = pa.timestamp("us", "UTC")


class Quarantined(NamedTuple):
    """A line that breaks a rule: its record and its place there, the reason, and what is kept of it."""

    record: int
    line: int
    rejection: Rejection
    data: bytes


class _Clean(NamedTuple):
    decoded: Decoded
    received_at: dt.datetime
    derived_at: dt.datetime


def read_blocks(batch: pa.RecordBatch, rules: CleanRules, decoders: Decoders) -> Iterator[Block]:
    """What the records of the batch hold, a block of lines at a time, in their order."""
    for lines in blocks(batch.column("data").to_pylist()):
        yield Block(batch, lines, rules, decoders)


class Block:
    """Lines of a batch of records that were read together: `quarantined`, and the others in `clean`."""

    def __init__(self, batch: pa.RecordBatch, lines: RecordLines, rules: CleanRules, decoders: Decoders) -> None:
        self._batch = batch
        self._lines = lines
        self.quarantined = [
            Quarantined(record, 0, Rejection("bad_encoding", fault), batch.column("data")[record].as_py())
            for record, fault in lines.unreadable.items()
        ]
        self._events = decoders.batch.decode(lines.texts)
        self._times, late = event_times(self._events.columns, self._arrived_at(), rules.first_day)
        contexts = self._events.columns["context"]
        self._extra: dict[int, bytes | None] = {
            row: with_context(contexts[row].as_py().encode(), None)
            for row in pc.indices_nonzero(contexts.is_valid()).to_pylist()
        }
        doubtful = self._events.doubtful.union(lines.strange, late, self._refused())
        self._read_exactly(sorted(doubtful), decoders.exact, rules)

    @cached_property
    def _records(self) -> pa.Int32Array:
        return pa.array(self._lines.records)

    def _arrived_at(self) -> pa.Int64Array:
        return self._batch.column("arrived_at").cast(pa.int64()).take(self._records)

    def _refused(self) -> set[int]:
        consents = self._events.columns["consent_analytics"]
        return set(pc.indices_nonzero(pc.fill_null(pc.invert(consents), False)).to_pylist())

    def _read_exactly(self, rows: list[int], decoder: EventDecoder, rules: CleanRules) -> None:
        """Replaces what the fast path says of the rows."""
        clean = dict[int, _Clean]()
        records, numbers = (each[rows].tolist() for each in (self._lines.records, self._lines.numbers))
        for row, record, number in zip(rows, records, numbers, strict=True):
            line = self._lines.line(row)
            verdict = _verdict(line, self._batch.column("arrived_at")[record].as_py(), decoder, rules)
            if isinstance(verdict, Rejection):
                self.quarantined.append(Quarantined(record, number, *_kept(verdict, line)))
                continue
            clean[row] = verdict
            self._extra[row] = verdict.decoded.extra
        if clean:
            self._events = self._events.put({row: verdict.decoded for row, verdict in clean.items()})
            self._times = _with_times(self._times, clean)
        self._dropped = set(rows).difference(clean)

    def clean(self) -> pa.RecordBatch:
        """The clean events, as rows of CLEAN_EVENTS."""
        columns = of_records(self._batch, self._records) | self._events.columns
        columns |= {name: json_texts(columns[name]) for name in OBJECTS}
        columns |= {name: values.cast(_INSTANT) for name, values in self._times.items()}
        columns |= {
            "line": pa.array(self._lines.numbers),
            "event_date": columns["derived_at"].cast(pa.timestamp("us")).cast(pa.date32(), safe=False),
            "extra": json_texts(self._sparse(self._extra)),
            "plan_violations": self._events.violations,
        }
        rows = record_batch(columns, CLEAN_EVENTS.arrow_schema())
        if not self._dropped:
            return rows
        return rows.filter(pa.array([row not in self._dropped for row in range(rows.num_rows)]))

    def _sparse(self, texts: Mapping[int, bytes | None]) -> pa.StringArray:
        count = len(self._lines)
        return pa.array([*map(texts.get, range(count))], pa.string()) if texts else pa.nulls(count, pa.string())


def _with_times(times: dict[str, pa.Int64Array], clean: dict[int, _Clean]) -> dict[str, pa.Int64Array]:
    """The times with those of some rows replaced."""
    exact: dict[str, list[dt.datetime | None]] = {
        "occurred_at": [row.decoded.event.occurred_at for row in clean.values()],
        "sent_at": [row.decoded.event.sent_at for row in clean.values()],
        "received_at": [row.received_at for row in clean.values()],
        "derived_at": [row.derived_at for row in clean.values()],
    }
    return {name: replaced(times[name], clean, instants(values)) for name, values in exact.items()}


def of_records(batch: pa.RecordBatch, records: pa.Int32Array) -> dict[str, pa.Array]:
    """What rows have of their records."""
    return {name: batch.column(name).take(records) for name in RECORD_COLUMNS}


def _verdict(line: bytes, arrived_at: dt.datetime, decoder: EventDecoder, rules: CleanRules) -> _Clean | Rejection:
    """What becomes of one line, the exact way."""
    decoded = rejection_of(line) or decoder.decode(line)
    if isinstance(decoded, Rejection):
        return decoded
    event = decoded.event
    received = event.received_at or arrived_at
    derived = derived_at(event.occurred_at, event.sent_at, received, event.derived_at)
    rejection = _refused(event, received, derived, arrived_at, rules)
    if rejection is not None:
        return rejection
    if is_refused(event):
        event, received, derived = stripped(event, received, derived, country_alone(event.ip))
        decoded = Decoded(event)
    return _Clean(decoded, received, derived)


def _kept(rejection: Rejection, line: bytes) -> tuple[Rejection, bytes]:
    """What is kept of an event that is set aside: all of it, save of somebody who refused analytics."""
    if line == DROPPED:
        return _DROPPED, line
    if is_stripped(rejection.event_id) or not may_refuse(line):
        return rejection, line
    return Rejection(rejection.reason, _NOTHING_KEPT), b""


_DROPPED = Rejection("consent_refused", "the person refused analytics")
_NOTHING_KEPT = "the person refused analytics: nothing else is kept of the event"


def _refused(
    event: Event, received: dt.datetime, derived: dt.datetime, arrived: dt.datetime, rules: CleanRules
) -> Rejection | None:
    """Why an event that keeps the contract is set aside all the same.

    What a source says of the receipt is held against the stream's own clock: one wrong clock would else be the last day
    of every table.
    """
    if is_future(received, arrived):
        detail = f"received_at {received} is over 24 h after the stream took it, {arrived}"
        return Rejection("future", detail, event.event_id, event.event)
    if is_future(derived, min(received, arrived)):
        detail = f"derived_at {derived} is over 24 h after {min(received, arrived)}"
        return Rejection("future", detail, event.event_id, event.event)
    if derived.date() <= rules.first_day and derived.astimezone(dt.UTC).date() < rules.first_day:
        detail = f"derived_at {derived} is before the first day, {rules.first_day} (EVENT_ASSETS_FIRST_DAY)"
        return Rejection("past", detail, event.event_id, event.event)
    if is_dropped(event, rules.refusal):
        return Rejection("consent_refused", "the person refused analytics", event.event_id, event.event)
    return None


class Decoders(NamedTuple):
    """The exact decoder of some rules, the fast one, and what puts pseudonyms into what is set aside."""

    exact: EventDecoder
    batch: BatchDecoder
    sealing: Sealing | None = None


_compiled: dict[str, Decoders] = {}


def decoders_of(rules: CleanRules) -> Decoders:
    """The decoders of these rules; compiling a plan takes as long as a thousand events."""
    key = f"{rules.version}-{rules.limits}"
    if key not in _compiled:
        _compiled.clear()
        hidden = rules.pseudonyms.fields if rules.pseudonyms else ()
        placeholders = Placeholders(rules.placeholders)
        exact = EventDecoder(rules.plan, rules.limits, hidden, placeholders, rules.pseudonyms)
        sealing = Sealing(rules.pseudonyms, placeholders) if rules.pseudonyms else None
        _compiled[key] = Decoders(exact, BatchDecoder(rules.plan, rules.limits, placeholders), sealing)
    return _compiled[key]
