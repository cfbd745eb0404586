"""From stream records to clean events, and to the ones that break a rule.

A record is unpacked and each of its lines decoded by the contract's decoder, the same that gives the ingest API's
verdicts. Both transforms read the same records; each line ends in exactly one of the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from event_assets.contract.consent import (
    DROPPED,
    Refusal,
    is_dropped,
    is_refused,
    is_stripped,
    may_refuse,
    stripped,
)
from event_assets.contract.decoder import EventDecoder, Limits, Rejection
from event_assets.contract.event import NESTED, Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plain_json import UNUSUAL, may_repeat_a_name, plain
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import BadEncoding, unpack
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.contract.times import derived_at, is_future
from event_assets.enrichment.location import country_alone
from event_assets.enrichment.pseudonyms import Pseudonyms, pseudonymised
from event_assets.transforms.events.processes import BatchFunction, over_processes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_BATCH_EVENTS = 16_384
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_RECORD_COLUMNS = ("arrival_date", "arrival_hour", "arrived_at", "stream", "shard_id", "sequence_number")
_NOT_FROM_EVENT = {*_RECORD_COLUMNS, "line", "received_at", "derived_at", "extra", "plan_violations", "event_date"}
_JSON = ("properties", "traits")
_TYPES = {column.name: column.type for column in CLEAN_EVENTS.arrow_schema()}
_FROM_EVENT = [name for name in CLEAN_EVENTS.column_names if name not in _NOT_FROM_EVENT]
_PLAIN = [name for name in _FROM_EVENT if name in Event.__struct_fields__ and name not in _JSON]
_INSIDE = {
    head: {
        name: name.removeprefix(f"{head}_")
        for name in _FROM_EVENT
        if name.startswith(f"{head}_") and name not in _PLAIN
    }
    for head in NESTED
}
"""Of each nested field the columns, and what they are called inside it."""


@dataclass(frozen=True)
class CleanRules:
    """By what an event is clean: tracking plan, first day that partitions exist for, what refused consent means,
    limits, which fields are replaced by pseudonyms, and which words are no ids."""

    plan: TrackingPlan
    first_day: dt.date
    refusal: Refusal = "strip"
    limits: Limits = field(default_factory=Limits)
    pseudonyms: Pseudonyms | None = None
    placeholders: tuple[str, ...] | None = None

    @property
    def version(self) -> str:
        """Changes with the rules; a day that other rules made is made again."""
        pseudonyms = f"-{self.pseudonyms.version}" if self.pseudonyms else ""
        words = "" if self.placeholders is None else f"-{sorted(Placeholders(self.placeholders).words)}"
        return f"{self.plan.digest}-{self.first_day}-{self.refusal}{pseudonyms}{words}"


class _Quarantined(NamedTuple):
    record: int
    line: int
    rejection: Rejection
    data: bytes


class _CleanRows:
    """Clean events of a batch of records, field by field: plain lists give Python's garbage collector nothing to do."""

    def __init__(self) -> None:
        self.records: list[int] = []
        self.lines: list[int] = []
        self.events: list[Event] = []
        self.received_at: list[dt.datetime] = []
        self.derived_at: list[dt.datetime] = []
        self.extra: list[bytes | None] = []
        self.violations: list[str | None] = []

    def __len__(self) -> int:
        return len(self.events)


def clean(records: DataFrame, rules: CleanRules, processes: int = 1) -> DataFrame:
    """The events of raw records that keep the rules. Takes RAW_EVENTS, gives CLEAN_EVENTS.

    `processes`: how many share the work of a large batch, on an engine that runs Python in one process only.
    """
    return _decoded(records, CLEAN_EVENTS.spark_schema(), partial(_clean_batches, rules), processes)


def quarantine(records: DataFrame, rules: CleanRules, processes: int = 1) -> DataFrame:
    """What breaks the rules: the bytes and the reason. Takes RAW_EVENTS, gives QUARANTINED_EVENTS."""
    return _decoded(records, QUARANTINED_EVENTS.spark_schema(), partial(_quarantined_batches, rules), processes)


def with_quarantined_events(records: DataFrame, cleaned: DataFrame) -> DataFrame:
    """The records of which fewer events came out clean than they hold, so that only these are decoded again."""
    position = ["stream", "shard_id", "sequence_number"]
    counts = cleaned.groupBy(*position).agg(F.count(F.lit(1)).alias("clean_events"))
    joined = records.join(counts, position, "left")
    short = joined.where(F.coalesce(F.col("clean_events"), F.lit(0)) < F.col("events"))
    return short.select(*RAW_EVENTS.column_names)


def _decoded(records: DataFrame, schema: str, function: BatchFunction, processes: int) -> DataFrame:
    def decode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from over_processes(function, batches, processes)

    return records.select(*_RECORD_COLUMNS, "data").mapInArrow(decode, schema)


_decoders: dict[str, EventDecoder] = {}


def _decoder(rules: CleanRules) -> EventDecoder:
    """The decoder of these rules; compiling a plan takes as long as a thousand events."""
    key = f"{rules.version}-{rules.limits}"
    if key not in _decoders:
        _decoders.clear()
        hidden = rules.pseudonyms.fields if rules.pseudonyms else ()
        _decoders[key] = EventDecoder(rules.plan, rules.limits, hidden, Placeholders(rules.placeholders))
    return _decoders[key]


class _Reading:
    """Goes through the lines of a batch of records: clean ones into columns, the others into a list."""

    def __init__(self, batch: pa.RecordBatch, rules: CleanRules) -> None:
        self._records = zip(batch.column("data").to_pylist(), batch.column("arrived_at").to_pylist(), strict=True)
        self._decoder = _decoder(rules)
        self._rules = rules
        self.clean = _CleanRows()
        self.quarantined: list[_Quarantined] = []

    def read(self) -> Iterator[None]:
        """Reads on, record by record; stops after each, so that what was read can be taken away."""
        for record, (content, arrived_at) in enumerate(self._records):
            try:
                lines = unpack(content)
            except BadEncoding as error:
                self.quarantined.append(_Quarantined(record, 0, Rejection("bad_encoding", str(error)), content))
            else:
                self._read_lines(record, lines, arrived_at)
            yield

    def _read_lines(self, record: int, lines: list[bytes], arrived_at: dt.datetime) -> None:
        decode, clean = self._decoder.decode, self.clean
        for number, line in enumerate(lines):
            verdict = decode(line)
            if not isinstance(verdict, Rejection):
                event, extra, violations = verdict
                received = event.received_at or arrived_at
                derived = derived_at(event.occurred_at, event.sent_at, received, event.derived_at)
                rejection = _refused(event, received, derived, arrived_at, self._rules)
                if rejection is None:
                    if is_refused(event):
                        event, received, derived = stripped(event, received, derived, country_alone(event.ip))
                        extra = violations = None
                    clean.records.append(record)
                    clean.lines.append(number)
                    clean.events.append(event)
                    clean.received_at.append(received)
                    clean.derived_at.append(derived)
                    clean.extra.append(extra)
                    clean.violations.append(violations)
                    continue
                verdict = rejection
            self.quarantined.append(_Quarantined(record, number, *_kept(verdict, line)))


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


def _clean_batches(rules: CleanRules, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    reading = _Reading(batch, rules)
    for _ in reading.read():
        if len(reading.clean) >= _BATCH_EVENTS:
            yield _clean_batch(batch, reading.clean, rules.pseudonyms)
            reading.clean = _CleanRows()
        reading.quarantined.clear()
    if len(reading.clean):
        yield _clean_batch(batch, reading.clean, rules.pseudonyms)


def _clean_batch(batch: pa.RecordBatch, rows: _CleanRows, pseudonyms: Pseudonyms | None) -> pa.RecordBatch:
    schema = CLEAN_EVENTS.arrow_schema()
    derived = _array(rows.derived_at, schema.field("derived_at").type)
    columns = _of_records(batch, rows.records) | _of_events(rows.events)
    columns |= {
        "line": rows.lines,
        "received_at": rows.received_at,
        "derived_at": derived,
        "event_date": derived.cast(pa.timestamp("us")).cast(pa.date32(), safe=False),
        "extra": _json(rows.extra),
        "plan_violations": rows.violations,
    }
    made = _batch(columns, schema)
    return pseudonymised(made, pseudonyms) if pseudonyms else made


def _of_records(batch: pa.RecordBatch, records: list[int]) -> dict[str, Any]:
    taken = pa.array(records, pa.int32())
    return {name: batch.column(name).take(taken) for name in _RECORD_COLUMNS}


def _of_events(events: list[Event]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: [*map(attrgetter(name), events)] for name in _PLAIN}
    columns |= {name: _objects(events, name) for name in _JSON}
    for head, names in _INSIDE.items():
        columns |= _of_inside([*map(attrgetter(head), events)], names)
    return columns


def _of_inside(values: list[Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The columns of one nested field. Most events have few of them, so only what is given goes through Python."""
    given = [value for value in values if value is not None]
    if not given:
        return dict.fromkeys(names, pa.nulls(len(values)))
    columns = {name: _array([*map(attrgetter(inside), given)], _TYPES[name]) for name, inside in names.items()}
    if len(given) == len(values):
        return columns
    place = count()
    places = pa.array([None if value is None else next(place) for value in values], pa.int32())
    return {name: column.take(places) for name, column in columns.items()}


def _objects(events: list[Event], name: str) -> pa.Array:
    texts = (bytes(getattr(event, name)) for event in events)
    return _json([text if text and text != b"null" else None for text in texts])


def _json(texts: list[bytes | None]) -> pa.Array:
    """JSON texts as a column that every reader reads alike. Nearly all are so already, and are only looked at."""
    column = pa.array(texts, pa.string())
    unusual = pc.fill_null(pc.match_substring_regex(column, UNUSUAL), False)
    repeated = [text is not None and may_repeat_a_name(text) for text in texts]
    if not pc.any(unusual).as_py() and not any(repeated):
        return column
    mended = [
        plain(text) if text is not None and (is_unusual or is_repeated) else text
        for text, is_unusual, is_repeated in zip(texts, unusual.to_pylist(), repeated, strict=True)
    ]
    return pa.array(mended, pa.string())


def _batch(columns: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column in schema:
        values = columns[column.name]
        arrays.append(values.cast(column.type) if isinstance(values, pa.Array) else _array(values, column.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_int32(type_):
        return pa.array(values).cast(type_, safe=False)
    if pa.types.is_timestamp(type_):
        # Arrow asks each time for its zone, in Python; a difference has none and costs a third.
        since = [None if at is None else at - _EPOCH for at in values]
        return pa.array(since, pa.duration("us")).cast(pa.int64()).cast(type_)
    return pa.array(values, type_)


def _quarantined_batches(rules: CleanRules, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    reading = _Reading(batch, rules)
    for _ in reading.read():
        reading.clean = _CleanRows()
    rows = reading.quarantined
    if not rows:
        return
    columns = _of_records(batch, [row.record for row in rows])
    columns["line"] = [row.line for row in rows]
    columns["reason"] = [row.rejection.reason for row in rows]
    columns["detail"] = [row.rejection.detail for row in rows]
    columns["event_id"] = [row.rejection.event_id for row in rows]
    columns["event"] = [row.rejection.event for row in rows]
    columns["data"] = [row.data for row in rows]
    yield _batch(columns, QUARANTINED_EVENTS.arrow_schema())
