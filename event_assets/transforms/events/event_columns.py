"""Events field by field, as columns of clean_events. What is in them is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.batch_decoder import FIELDS, TEXTS
from event_assets.contract.event import NESTED
from event_assets.contract.plain_json import UNUSUAL, may_repeat_a_name, plain
from event_assets.contract.tables.events import CLEAN_EVENTS

_TYPES = {column.name: column.type for column in CLEAN_EVENTS.arrow_schema()}
_PLAIN = [name for name in FIELDS if name in _TYPES and name not in TEXTS and not pa.types.is_timestamp(_TYPES[name])]
_INSIDE = {
    head: {name: name.removeprefix(f"{head}_") for name in _TYPES if name.startswith(f"{head}_") and name not in FIELDS}
    for head in NESTED
}
"""Of each nested field the columns, and what they are called inside it."""


def event_columns(fields: Mapping[str, list[Any]]) -> dict[str, pa.Array]:
    """The columns that events fill, of their fields, save the times."""
    columns = {name: _array(fields[name], _TYPES[name]) for name in _PLAIN}
    columns |= {name: json_texts(fields[name]) for name in TEXTS}
    for head, names in _INSIDE.items():
        columns |= _of_inside(fields[head], names)
    return columns


def _of_inside(values: list[Any], names: Mapping[str, str]) -> dict[str, pa.Array]:
    """The columns of one nested field. Most events have few of them, so only what is given goes through Python."""
    given = [value for value in values if value is not None]
    if not given:
        return {name: pa.nulls(len(values), _TYPES[name]) for name in names}
    columns = {name: _array([*map(attrgetter(inside), given)], _TYPES[name]) for name, inside in names.items()}
    if len(given) == len(values):
        return columns
    place = count()
    places = pa.array([None if value is None else next(place) for value in values], pa.int32())
    return {name: column.take(places) for name, column in columns.items()}


def json_texts(texts: Sequence[bytes | None]) -> pa.Array:
    """JSON texts as a column that every reader reads alike. Nearly all are so already, and are only looked at."""
    column = pa.array(texts, pa.string())
    if column.null_count == len(column):
        return column
    rows = pc.indices_nonzero(pc.match_substring_regex(column, UNUSUAL)).to_pylist()
    rows += [row for row, text in enumerate(texts) if text is not None and may_repeat_a_name(text)]
    if not rows:
        return column
    mended = list(texts)
    for row in rows:
        mended[row] = plain(texts[row] or b"")
    return pa.array(mended, pa.string())


def record_batch(columns: Mapping[str, list[Any] | pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """The columns as rows of a table."""
    arrays = []
    for column in schema:
        values = columns[column.name]
        arrays.append(values.cast(column.type) if isinstance(values, pa.Array) else _array(values, column.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_int32(type_):
        return pa.array(values).cast(type_, safe=False)
    return pa.array(values, type_)
