"""Rows of clean_events and their JSON texts, as columns that every reader reads alike. What is in them is decided
elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from event_assets.contract.plain_json import UNUSUAL, may_repeat_a_name, plain
from event_assets.contract.text_columns import decode_texts

_TEXTS_AT_ONCE = 256
_object = msgspec.json.Decoder(dict[str, Raw])


def json_texts(texts: pa.StringArray) -> pa.StringArray:
    """JSON texts as a column that every reader reads alike. Nearly all are so already, and are only looked at, each
    that comes again once."""
    coded = texts.dictionary_encode()
    distinct = coded.dictionary
    names = [
        _may_repeat_names(distinct.slice(start, _TEXTS_AT_ONCE)) for start in range(0, len(distinct), _TEXTS_AT_ONCE)
    ]
    if not names:
        return texts
    mask = pc.or_(pc.match_substring_regex(distinct, UNUSUAL), pa.concat_arrays(names))
    if not pc.any(mask).as_py():
        return texts
    mended = [plain(text.encode()) for text in distinct.filter(mask).to_pylist()]
    return pc.replace_with_mask(distinct, mask, pa.array(mended, pa.string())).take(coded.indices)


def _may_repeat_names(texts: pa.StringArray) -> pa.BooleanArray:
    """Where a text may have a name twice. Of most it is enough to count its names: one object, and in it no other."""
    objects = decode_texts(_object, texts)
    if objects is None:
        is_other = pa.array([True] * len(texts))
    else:
        is_other = pc.not_equal(pc.count_substring(texts, '":'), pa.array([*map(len, objects)], pa.int32()))
    may = [may_repeat_a_name(text.encode()) for text in texts.filter(is_other).to_pylist()]
    return pc.replace_with_mask(is_other, is_other, pa.array(may, pa.bool_()))


def record_batch(columns: Mapping[str, list[Any] | pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    """The columns as rows of a table."""
    arrays = []
    for column in schema:
        values = columns[column.name]
        if not isinstance(values, pa.Array):
            values = pa.array(values, column.type)
        arrays.append(values if values.type == column.type else values.cast(column.type))
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)
