"""The fast path from bytes to events: many lines at once, field by field, and which of them are in doubt.

Of a line that is not in doubt the `EventDecoder` gives just this event, with nothing unknown; what it would say of the
others is not decided here. What costs is objects of Python. So there are few of them, and they live shortly: what
events say goes into Arrow arrays a few lines at a time, and what stands in an object (a page, a device) is decoded
once a text. Pure: no clock, no storage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw
from msgspec.structs import astuple

from event_assets.contract.column_doubts import PlaceholderIds, no_objects, nobodys, rows_of
from event_assets.contract.decoder import Decoded, Limits
from event_assets.contract.doubts import Doubts
from event_assets.contract.event import NESTED, OBJECTS, Event
from event_assets.contract.instant_columns import instants, instants_in
from event_assets.contract.ndjson import Lines, decode_lines, decode_text
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
_INSTANTS = ("occurred_at", "sent_at", "received_at", "derived_at")
_PIXELS = pa.float64()
"""Pixels have fractions, which columns have not."""
_GIVEN_AS = {
    "string": pa.string(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "int": _PIXELS,
    "timestamp": pa.string(),
}
_GIVEN = {name: pa.string() for name in FIELDS} | {
    column.name: _GIVEN_AS[column.type] for column in CLEAN_EVENTS.columns if column.name in FIELDS
}
_ABSENT = Raw()
_NOTHING = (b"", b"null")
_NOTHING_INSIDE = {head: struct() for head, struct in NESTED.items()}


def _outer() -> type[msgspec.Struct]:
    """The event with texts in place of what is nested, and of instants."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(Event):
        if field.name in INSIDE or field.type is Raw:
            fields.append((field.name, Raw, _ABSENT))
        elif field.name in _INSTANTS:
            fields.append((field.name, str | None, None))
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
        self._placeholders = PlaceholderIds(placeholders)
        self._planned = PlannedColumns(plan, INSIDE)

    def decode(self, texts: Sequence[Lines]) -> Batch:
        """The events of the lines of all texts, and which are in doubt."""
        pieces, doubtful = _Pieces(), set[int]()
        row = 0
        for lines in _few_at_once(texts):
            doubtful.update(row + each for each in self._decode_few(lines, pieces))
            row += len(lines)
        columns = {name: pieces.array(name) for name in _Outer.__struct_fields__ if name not in _RAWS}
        for name in _INSTANTS:
            columns[name], wrong = instants_in(columns[name])
            doubtful.update(wrong)
        doubtful.update(nobodys(columns["anonymous_id"], columns["user_id"]))
        for name in _IDS:
            doubtful.update(self._placeholders.rows(columns[name]))
        for name in OBJECTS:
            columns[name] = nothing_as_null(pieces.texts(name)) if pieces.has(name) else _nothing(name, row)
            doubtful.update(no_objects(columns[name], self._doubts.depth))
        for head in INSIDE:
            if not pieces.has(head):
                columns |= {name: _nothing(name, row) for name in INSIDE[head]}
                continue
            inside, unknown = self._read_inside(head, pieces.texts(head))
            columns |= inside
            doubtful.update(unknown)
        violations, broken = self._planned.judge(columns)
        return Batch(columns, violations, doubtful.union(broken))

    def _decode_few(self, lines: Lines, pieces: _Pieces) -> set[int]:
        """Adds what the lines say to the pieces. Gives those in doubt; more may be."""
        doubtful = set(self._doubts.about_text(lines))
        events = decode_text(self._decoder, lines)
        doubtful.update(row for row, event in enumerate(events) if event is None)
        for row in doubtful:
            events[row] = _NO_EVENT
        pieces.add(events)
        return doubtful

    def _read_inside(self, head: str, texts: pa.StringArray) -> tuple[dict[str, pa.Array], list[int]]:
        """What the texts of a nested field say, and the rows of those that the contract does not know."""
        coded = texts.dictionary_encode()
        distinct = [b"{}" if text in _NOTHING else text for text in coded.dictionary.cast(pa.binary()).to_pylist()]
        if {*distinct} <= {b"{}"}:
            return {name: _nothing(name, len(texts)) for name in INSIDE[head]}, []
        values = decode_lines(self._inside[head], distinct)
        unknown = [code for code, value in enumerate(values) if value is None]
        columns = {
            name: _nothing(name, len(texts)) if values.null_count == len(values) else values.take(coded.indices)
            for name, values in _inside(head, values).items()
        }
        return columns, rows_of(coded, unknown)


def _few_at_once(texts: Sequence[Lines]) -> Iterator[Lines]:
    """The same lines in texts of a good size to decode."""
    few: list[Lines] = []
    for lines in texts:
        if few and sum(map(len, few)) + len(lines) > _LINES_AT_ONCE:
            yield Lines.joined(few)
            few = []
        if len(lines) <= _LINES_AT_ONCE:
            few.append(lines)
        else:
            yield from (lines.part(at, at + _LINES_AT_ONCE) for at in range(0, len(lines), _LINES_AT_ONCE))
    if few:
        yield Lines.joined(few)


class _Pieces:
    """What lines say, as arrays of a few lines each: what is None in all of them has none."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._arrays: dict[str, list[pa.Array | None]] = defaultdict(list)
        self._texts: dict[str, list[bytes]] = defaultdict(list)
        self._lengths: dict[str, list[npt.NDArray[np.int32]]] = defaultdict(list)

    def add(self, events: Sequence[Any]) -> None:
        """Takes in the next few events."""
        size = len(events)
        self._sizes.append(size)
        for name, values in zip(_Outer.__struct_fields__, zip(*map(astuple, events), strict=True), strict=True):
            if name not in _RAWS:
                self._arrays[name].append(None if _is_none(values) else pa.array(values, _GIVEN[name]))
            elif values[0] is _ABSENT and values.count(_ABSENT) == size:
                self._lengths[name].append(np.zeros(size, np.int32))
            else:
                self._texts[name].append(b"".join(values))
                self._lengths[name].append(np.fromiter(map(len, values), np.int32, size))

    def array(self, name: str) -> pa.Array:
        """All of a field."""
        if all(part is None for part in self._arrays[name]):
            return _nothing(name, sum(self._sizes))
        sized = zip(self._arrays[name], self._sizes, strict=True)
        parts = [pa.nulls(size, _GIVEN[name]) if part is None else part for part, size in sized]
        return _as_column(name, pa.concat_arrays(parts))

    def has(self, name: str) -> bool:
        """Whether an event has a field that is a text."""
        return bool(self._texts[name])

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


@lru_cache(maxsize=256)
def _nothing(name: str, rows: int) -> pa.Array:
    """A column of nothing. Most are: each is made once for batches of one size."""
    return _as_column(name, pa.nulls(rows, _GIVEN[name]))


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


def _is_none(values: Sequence[Any]) -> bool:
    return not any(values) and values.count(None) == len(values)
