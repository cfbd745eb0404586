"""The fast path from bytes to events: many lines at once, field by field, and which of them are in doubt.

Of a line that is not in doubt the `EventDecoder` gives just this event, with nothing unknown; what it would say of the
others is not decided here. What costs is objects of Python. So there are few of them, and they live shortly: what
events say goes into Arrow arrays a few lines at a time, and what stands in an object (a page, a device) is decoded
once a text. Pure: no clock, no storage.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw
from msgspec.structs import astuple

from event_assets.contract.decoder import Decoded, Limits
from event_assets.contract.doubts import Doubts, nobodys
from event_assets.contract.event import NESTED, OBJECTS, Event
from event_assets.contract.ndjson import decode_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.planned_columns import PlannedColumns
from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.contract.text_columns import nothing_as_null, texts_of

INSIDE = {head: tuple(f"{head}_{name}" for name in struct.__struct_fields__) for head, struct in NESTED.items()}
"""Of each nested field what is inside it, under the names of its columns."""
FIELDS = tuple(name for field in Event.__struct_fields__ for name in INSIDE.get(field, (field,)))
"""The fields of the contract, in place of a nested one those inside it."""
_LINES_AT_ONCE = 512
"""Lines that are looked at together: so few that their objects stay in the processor's nearest cache."""
_IDS = ("anonymous_id", "user_id", "session_id", "page_view_id", "group_id")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SINCE_1970 = pa.duration("us")
_INSTANTS = ("occurred_at", "sent_at", "received_at", "derived_at")
_PIXELS = pa.float64()
"""Pixels have fractions, which columns have not."""
_GIVEN_AS = {
    "string": pa.string(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "int": _PIXELS,
    "timestamp": pa.int64(),
}
_GIVEN = {name: pa.string() for name in FIELDS} | {
    column.name: _GIVEN_AS[column.type] for column in CLEAN_EVENTS.columns if column.name in FIELDS
}
_ABSENT = Raw()
_NOTHING = (b"", b"null")
_NOTHING_INSIDE = {head: struct() for head, struct in NESTED.items()}


def _outer() -> type[msgspec.Struct]:
    """The event with texts in place of what is nested."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(Event):
        if field.name in INSIDE or field.type is Raw:
            fields.append((field.name, Raw, _ABSENT))
        else:
            fields.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return msgspec.defstruct("Event", fields, gc=False, forbid_unknown_fields=True)


_Outer = _outer()
_NO_EVENT = _Outer("", "", "web")
"""Stands where a line is no event."""


class Batch(NamedTuple):
    """Events field by field: `columns` has an array for each of `FIELDS`, a row a line, instants as microseconds since
    1970; `violations` is what the plan warns about. A row in `doubtful` may hold anything."""

    columns: dict[str, pa.Array]
    violations: pa.StringArray
    doubtful: set[int]

    def put(self, events: Mapping[int, Decoded]) -> Batch:
        """The batch with these events in these rows, and what the plan warns about them."""
        columns = columns_of([each.event for each in events.values()])
        violations = pa.array([each.violations for each in events.values()], pa.string())
        return Batch(
            {name: replaced(values, events, columns[name]) for name, values in self.columns.items()},
            replaced(self.violations, events, violations),
            self.doubtful,
        )


class BatchDecoder:
    """Decodes lines by the contract and a tracking plan, as far as it is sure what `EventDecoder` would say."""

    def __init__(self, plan: TrackingPlan, limits: Limits, placeholders: Placeholders) -> None:
        self._decoder = msgspec.json.Decoder(_Outer)
        self._inside = {head: msgspec.json.Decoder(struct) for head, struct in NESTED.items()}
        self._doubts = Doubts(limits, placeholders)
        self._planned = PlannedColumns(plan, INSIDE)

    def decode(self, lines: Sequence[bytes]) -> Batch:
        """The lines' events, and which are in doubt."""
        pieces, doubtful = _Pieces(), set[int]()
        for start in range(0, len(lines), _LINES_AT_ONCE):
            doubtful.update(start + row for row in self._decode_few(lines[start : start + _LINES_AT_ONCE], pieces))
        columns = {name: pieces.array(name) for name in _Outer.__struct_fields__ if name not in _RAWS}
        for name in OBJECTS:
            columns[name] = nothing_as_null(pieces.texts(name))
            doubtful.update(self._doubts_about_objects(columns[name]))
        for head in INSIDE:
            inside, unknown = self._read_inside(head, pieces.texts(head))
            columns |= inside
            doubtful.update(unknown)
        violations, broken = self._planned.judge(columns)
        return Batch(columns, violations, doubtful.union(broken))

    def _decode_few(self, lines: Sequence[bytes], pieces: _Pieces) -> set[int]:
        """Adds what the lines say to the pieces. Gives those in doubt; more may be."""
        doubtful = set(self._doubts.about_lines(lines))
        fields = pieces.add(self._events(lines, doubtful))
        doubtful.update(nobodys(fields["anonymous_id"], fields["user_id"]))
        doubtful.update(self._doubts.about_ids(*(fields[name] for name in _IDS)))
        return doubtful

    def _events(self, lines: Sequence[bytes], doubtful: set[int]) -> list[Any]:
        """The event of each line that is not in doubt; more may be."""
        sure = [b"" if row in doubtful else line for row, line in enumerate(lines)] if doubtful else lines
        events = decode_lines(self._decoder, sure)
        if all(events):
            return events
        doubtful.update(row for row, event in enumerate(events) if event is None)
        return [_NO_EVENT if event is None else event for event in events]

    def _doubts_about_objects(self, texts: pa.StringArray) -> list[int]:
        """Where a text is no object, or has brackets enough to be too deep."""
        coded = texts.dictionary_encode()
        brackets = pc.add(pc.count_substring(coded.dictionary, "{"), pc.count_substring(coded.dictionary, "["))
        is_object = pc.starts_with(coded.dictionary, "{")
        wrong = pc.or_(pc.invert(is_object), pc.greater(brackets, self._doubts.depth))
        return _rows_of(coded, pc.indices_nonzero(wrong).to_pylist())

    def _read_inside(self, head: str, texts: pa.StringArray) -> tuple[dict[str, pa.Array], list[int]]:
        """What the texts of a nested field say, and the rows of those that the contract does not know."""
        coded = texts.dictionary_encode()
        distinct = [b"{}" if text in _NOTHING else text for text in coded.dictionary.cast(pa.binary()).to_pylist()]
        if {*distinct} <= {b"{}"}:
            return {name: _as_column(name, pa.nulls(len(texts), _GIVEN[name])) for name in INSIDE[head]}, []
        values = decode_lines(self._inside[head], distinct)
        unknown = [code for code, value in enumerate(values) if value is None]
        columns = {name: values.take(coded.indices) for name, values in _inside(head, values).items()}
        return columns, _rows_of(coded, unknown)


class _Pieces:
    """What lines say, as arrays of a few lines each: what is None in all of them has none."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._arrays: dict[str, list[pa.Array | None]] = defaultdict(list)
        self._texts: dict[str, list[bytes]] = defaultdict(list)
        self._lengths: dict[str, list[npt.NDArray[np.int32]]] = defaultdict(list)

    def add(self, events: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """Takes in the next few events. Gives what they say, field by field."""
        size = len(events)
        self._sizes.append(size)
        columns = zip(*map(astuple, events), strict=True)
        fields: dict[str, Sequence[Any]] = dict(zip(_Outer.__struct_fields__, columns, strict=True))
        for name, values in fields.items():
            if name not in _RAWS:
                self._arrays[name].append(None if _is_none(values) else _given(name, values))
            elif values.count(_ABSENT) == size:
                self._lengths[name].append(np.zeros(size, np.int32))
            else:
                self._texts[name].append(b"".join(values))
                self._lengths[name].append(np.fromiter(map(len, values), np.int32, size))
        return fields

    def array(self, name: str) -> pa.Array:
        """All of a field."""
        sized, type_ = zip(self._arrays[name], self._sizes, strict=True), _GIVEN[name]
        parts = [pa.nulls(size, type_) if part is None else part for part, size in sized]
        return _as_column(name, pa.concat_arrays(parts) if parts else pa.nulls(0, type_))

    def texts(self, name: str) -> pa.StringArray:
        """All of a field that is a text; empty where it is absent."""
        lengths = self._lengths[name]
        return texts_of(b"".join(self._texts[name]), np.concatenate(lengths) if lengths else np.zeros(0, np.int32))


_RAWS = frozenset((*INSIDE, *OBJECTS))


def columns_of(events: Sequence[Event]) -> dict[str, pa.Array]:
    """What events say, by `FIELDS`, as in a `Batch`."""
    columns: dict[str, pa.Array] = {}
    for name in Event.__struct_fields__:
        values = [getattr(event, name) for event in events]
        if name in INSIDE:
            columns |= _inside(name, values)
        elif name in OBJECTS:
            columns[name] = nothing_as_null(pa.array([bytes(raw) for raw in values], pa.string()))
        else:
            columns[name] = _as_column(name, _given(name, values))
    return columns


def instants(values: Sequence[dt.datetime | None]) -> pa.Int64Array:
    """Instants as microseconds since 1970."""
    # Arrow asks each time for its zone, in Python; a difference has none and costs a third.
    return pa.array([None if at is None else at - _EPOCH for at in values], _SINCE_1970).view(pa.int64())


def replaced(values: pa.Array, rows: Collection[int], by: pa.Array) -> pa.Array:
    """The values with others in some rows, which are in order."""
    mask = np.zeros(len(values), np.bool_)
    mask[[*rows]] = True
    return pc.replace_with_mask(values, pa.array(mask), by)


def _inside(head: str, values: Sequence[msgspec.Struct | None]) -> dict[str, pa.Array]:
    """What is inside one nested field."""
    nothing = _NOTHING_INSIDE[head]
    columns = zip(*(astuple(nothing if value is None else value) for value in values), strict=True)
    return {name: _as_column(name, _given(name, column)) for name, column in zip(INSIDE[head], columns, strict=True)}


def _given(name: str, values: Sequence[Any]) -> pa.Array:
    """The values as they come; what is left to do is done of many at once."""
    return instants(values) if name in _INSTANTS else pa.array(values, _GIVEN[name])


def _as_column(name: str, given: pa.Array) -> pa.Array:
    return given.cast(pa.int32(), safe=False) if _GIVEN[name] == _PIXELS else given


def _rows_of(coded: pa.DictionaryArray, codes: Collection[int]) -> list[int]:
    """The rows that have one of these codes."""
    if not codes:
        return []
    rows: list[int] = pc.indices_nonzero(pc.is_in(coded.indices, pa.array(codes, pa.int32()))).to_pylist()
    return rows


def _is_none(values: Sequence[Any]) -> bool:
    return not any(values) and values.count(None) == len(values)
