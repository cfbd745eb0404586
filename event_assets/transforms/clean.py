"""From stream records to clean events, and to the ones that break a rule.

A record is unpacked and each of its lines decoded by the contract's decoder, the same that gives the ingest API's
verdicts. Both transforms read the same records; each line ends in exactly one of the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from event_assets.contract.consent import Refusal, is_dropped, is_refused, stripped
from event_assets.contract.decoder import Decoded, EventDecoder, Limits, Rejection
from event_assets.contract.event import NESTED, Event
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import BadEncoding, unpack
from event_assets.contract.tables import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.contract.times import derived_at, is_future

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_BATCH_EVENTS = 16_384
_RECORD_COLUMNS = ("arrival_date", "arrival_hour", "arrived_at", "stream", "shard_id", "sequence_number")
_NOT_FROM_EVENT = {*_RECORD_COLUMNS, "line", "received_at", "derived_at", "extra", "plan_violations", "event_date"}


@dataclass(frozen=True)
class CleanRules:
    """By what an event is clean: tracking plan, first day that partitions exist for, what refused consent means,
    limits."""

    plan: TrackingPlan
    first_day: dt.date
    refusal: Refusal = "strip"
    limits: Limits = field(default_factory=Limits)

    @property
    def version(self) -> str:
        """Changes with the rules; a day that other rules made is made again."""
        return f"{self.plan.digest}-{self.first_day}-{self.refusal}"


class _Clean(NamedTuple):
    record: int
    line: int
    decoded: Decoded
    received_at: dt.datetime
    derived_at: dt.datetime


class _Quarantined(NamedTuple):
    record: int
    line: int
    rejection: Rejection
    data: bytes


def clean(records: DataFrame, rules: CleanRules) -> DataFrame:
    """The events of raw records that keep the rules. Takes RAW_EVENTS, gives CLEAN_EVENTS."""
    return _decoded(records, CLEAN_EVENTS.spark_schema(), rules, _clean_batches)


def quarantine(records: DataFrame, rules: CleanRules) -> DataFrame:
    """What breaks the rules: the bytes and the reason. Takes RAW_EVENTS, gives QUARANTINED_EVENTS."""
    return _decoded(records, QUARANTINED_EVENTS.spark_schema(), rules, _quarantined_batches)


def with_quarantined_events(records: DataFrame, cleaned: DataFrame) -> DataFrame:
    """The records of which fewer events came out clean than they hold, so that only these are decoded again."""
    position = ["stream", "shard_id", "sequence_number"]
    counts = cleaned.groupBy(*position).agg(F.count(F.lit(1)).alias("clean_events"))
    joined = records.join(counts, position, "left")
    short = joined.where(F.coalesce(F.col("clean_events"), F.lit(0)) < F.col("events"))
    return short.select(*RAW_EVENTS.column_names)


Batches = Callable[[pa.RecordBatch, EventDecoder, CleanRules], Iterator[pa.RecordBatch]]


def _decoded(records: DataFrame, schema: str, rules: CleanRules, batches_of: Batches) -> DataFrame:
    def decode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        decoder = EventDecoder(rules.plan, rules.limits)
        for batch in batches:
            yield from batches_of(batch, decoder, rules)

    return records.select(*_RECORD_COLUMNS, "data").mapInArrow(decode, schema)


def _verdicts(batch: pa.RecordBatch, decoder: EventDecoder, rules: CleanRules) -> Iterator[_Clean | _Quarantined]:
    arrived = batch.column("arrived_at").to_pylist()
    for record, data in enumerate(batch.column("data")):
        content = data.as_py()
        try:
            lines = unpack(content)
        except BadEncoding as error:
            yield _Quarantined(record, 0, Rejection("bad_encoding", str(error)), content)
            continue
        for number, line in enumerate(lines):
            verdict = decoder.decode(line)
            if isinstance(verdict, Rejection):
                yield _Quarantined(record, number, verdict, line)
            else:
                yield _timed(record, number, line, verdict, arrived[record], rules)


def _timed(
    record: int, number: int, line: bytes, decoded: Decoded, arrived_at: dt.datetime, rules: CleanRules
) -> _Clean | _Quarantined:
    event = decoded.event
    received = event.received_at or arrived_at
    derived = derived_at(event.occurred_at, event.sent_at, received, event.derived_at)
    if is_future(derived, received):
        rejection = Rejection(
            "future", f"derived_at {derived} is over 24 h after {received}", event.event_id, event.event
        )
    elif derived.date() <= rules.first_day and derived.astimezone(dt.UTC).date() < rules.first_day:
        detail = f"derived_at {derived} is before the first day, {rules.first_day} (EVENT_ASSETS_FIRST_DAY)"
        rejection = Rejection("past", detail, event.event_id, event.event)
    elif is_dropped(event, rules.refusal):
        rejection = Rejection("consent_refused", "the person refused analytics", event.event_id, event.event)
    else:
        kept = decoded._replace(event=stripped(event)) if is_refused(event) else decoded
        return _Clean(record, number, kept, received, derived)
    return _Quarantined(record, number, rejection, line)


def _clean_batches(batch: pa.RecordBatch, decoder: EventDecoder, rules: CleanRules) -> Iterator[pa.RecordBatch]:
    rows: list[_Clean] = []
    for verdict in _verdicts(batch, decoder, rules):
        if isinstance(verdict, _Clean):
            rows.append(verdict)
            if len(rows) >= _BATCH_EVENTS:
                yield _clean_batch(batch, rows)
                rows = []
    if rows:
        yield _clean_batch(batch, rows)


def _clean_batch(batch: pa.RecordBatch, rows: list[_Clean]) -> pa.RecordBatch:
    columns = _of_records(batch, [row.record for row in rows])
    events = [row.decoded.event for row in rows]
    columns["line"] = [row.line for row in rows]
    columns["received_at"] = [row.received_at for row in rows]
    columns["derived_at"] = [row.derived_at for row in rows]
    columns["extra"] = [row.decoded.extra for row in rows]
    columns["plan_violations"] = [row.decoded.violations for row in rows]
    columns |= _of_events(events)
    schema = CLEAN_EVENTS.arrow_schema()
    derived = pa.array(columns["derived_at"], schema.field("derived_at").type)
    columns["derived_at"] = derived
    columns["event_date"] = derived.cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
    return _batch(columns, schema)


def _of_records(batch: pa.RecordBatch, records: list[int]) -> dict[str, Any]:
    taken = pa.array(records, pa.int32())
    return {name: batch.column(name).take(taken) for name in _RECORD_COLUMNS}


def _of_events(events: list[Event]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    nested: dict[str, list[Any]] = {}
    for column in CLEAN_EVENTS.columns:
        name = column.name
        if name in _NOT_FROM_EVENT:
            continue
        head, _, tail = name.partition("_")
        if name in Event.__struct_fields__:
            columns[name] = (
                _json(events, name) if name in ("properties", "traits") else [*map(attrgetter(name), events)]
            )
        elif head in NESTED:
            if head not in nested:
                nested[head] = [*map(attrgetter(head), events)]
            columns[name] = [None if value is None else getattr(value, tail) for value in nested[head]]
    return columns


def _json(events: list[Event], name: str) -> list[bytes | None]:
    texts = (bytes(getattr(event, name)) for event in events)
    return [text if text and text != b"null" else None for text in texts]


def _batch(columns: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column in schema:
        values = columns[column.name]
        if isinstance(values, pa.Array):
            arrays.append(values.cast(column.type))
        elif pa.types.is_int32(column.type):
            arrays.append(pa.array(values).cast(pa.int32(), safe=False))
        else:
            arrays.append(pa.array(values, column.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _quarantined_batches(batch: pa.RecordBatch, decoder: EventDecoder, rules: CleanRules) -> Iterator[pa.RecordBatch]:
    rows = [verdict for verdict in _verdicts(batch, decoder, rules) if isinstance(verdict, _Quarantined)]
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
