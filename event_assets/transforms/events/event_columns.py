"""Events field by field, as columns of clean_events. What is in them is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.batch_decoder import FIELDS, TEXTS
from event_assets.contract.plain_json import UNUSUAL, may_repeat_a_name, plain
from event_assets.contract.tables.events import CLEAN_EVENTS

_TYPES = {column.name: column.type for column in CLEAN_EVENTS.arrow_schema()}
_PLAIN = [name for name in FIELDS if name in _TYPES and name not in TEXTS and not pa.types.is_timestamp(_TYPES[name])]


def event_columns(fields: Mapping[str, list[Any]]) -> dict[str, pa.Array]:
    """The columns that events fill, of their fields, save the times."""
    columns = {name: _array(fields[name], _TYPES[name]) for name in _PLAIN}
    return columns | {name: json_texts(fields[name]) for name in TEXTS}


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
        if not isinstance(values, pa.Array):
            values = _array(values, column.type)
        arrays.append(values if values.type == column.type else values.cast(column.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    if not any(values) and values.count(None) == len(values):  # most fields that may be there are not
        return pa.nulls(len(values), type_)
    if pa.types.is_int32(type_):  # pixels have fractions
        return pa.array(values, pa.float64()).cast(type_, safe=False)
    return pa.array(values, type_)
