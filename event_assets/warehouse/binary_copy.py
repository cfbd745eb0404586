"""PostgreSQL's binary COPY format, made from Arrow batches column by column. No connection here.

Binary, because it has no quoting: what a client sends cannot be mistaken for a separator, a null or the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NUL = "\0"
NUL_STAND_IN = "\N{REPLACEMENT CHARACTER}"
"""What NUL becomes: PostgreSQL's text has no such character."""

_NULL_FIELD, _NOTHING = b"\xff\xff\xff\xff", b""
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_DAYS_TO_2000 = 10_957
_MOST_BYTES = 32_000_000

Values = npt.NDArray[np.generic]


def replace_nul(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """The batch with U+FFFD for every NUL in its text columns, and how many values were changed."""
    changed = 0
    for index, field in enumerate(batch.schema):
        if not pa.types.is_string(field.type):
            continue
        count = pc.sum(pc.match_substring(batch.column(index), NUL)).as_py() or 0
        if count:
            changed += count
            batch = batch.set_column(index, field, pc.replace_substring(batch.column(index), NUL, NUL_STAND_IN))
    return batch, changed


def encode(batch: pa.RecordBatch) -> Iterator[memoryview]:
    """The batch's rows as COPY data without header and trailer, in pieces of some 32 MB.

    Takes the types of `contract/tables/`. Raises `TypeError` for others.
    """
    if batch.num_rows > 1 and batch.nbytes > _MOST_BYTES:
        half = batch.num_rows // 2
        yield from encode(batch.slice(0, half))
        yield from encode(batch.slice(half))
    elif batch.num_rows:
        yield _encode(batch)


def _encode(batch: pa.RecordBatch) -> memoryview:
    count = np.full(batch.num_rows, batch.num_columns, ">i2")
    pieces = [_binary(count)]
    for column in batch.columns:
        pieces.extend(_field(column))
    rows = pc.binary_join_element_wise(*pieces, pa.scalar(_NOTHING, pa.large_binary()))
    offsets = np.frombuffer(rows.buffers()[1], np.int64)
    first, last = int(offsets[rows.offset]), int(offsets[rows.offset + len(rows)])
    return memoryview(rows.buffers()[2])[first:last]


def _field(column: pa.Array) -> list[pa.Array]:
    """The arrays that, joined, are the column's fields: length and value."""
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        lengths = pc.fill_null(pc.binary_length(column), -1).to_numpy(zero_copy_only=False)
        return [_binary(lengths.astype(">i4")), pc.fill_null(column.cast(pa.large_binary()), b"")]
    values = _fixed(column)
    fields = np.empty(len(values), np.dtype([("length", ">i4"), ("value", values.dtype)]))
    fields["length"] = values.dtype.itemsize
    fields["value"] = values
    if not column.null_count:
        return [_binary(fields)]
    return [pc.if_else(column.is_valid(), _binary(fields), pa.scalar(_NULL_FIELD, pa.large_binary()))]


def _fixed(column: pa.Array) -> Values:
    for matches, physical, convert in _FIXED:
        if matches(column.type):
            plain = pc.fill_null(column.cast(physical), physical.to_pandas_dtype()(0))
            return convert(plain.to_numpy(zero_copy_only=False))
    raise TypeError(f"no binary form for the Arrow type {column.type}")


_FIXED: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType, Callable[[Values], Values]], ...] = (
    (pa.types.is_int32, pa.int32(), lambda values: values.astype(">i4")),
    (pa.types.is_int64, pa.int64(), lambda values: values.astype(">i8")),
    (pa.types.is_float64, pa.float64(), lambda values: values.astype(">f8")),
    (pa.types.is_boolean, pa.uint8(), lambda values: values.astype("u1")),
    (pa.types.is_date32, pa.int32(), lambda values: (values - _DAYS_TO_2000).astype(">i4")),
    (
        lambda type_: bool(type_ == pa.timestamp("us", tz="UTC")),
        pa.int64(),
        lambda values: (values - _MICROSECONDS_TO_2000).astype(">i8"),
    ),
)


def _binary(values: Values) -> pa.Array:
    """An array whose values are the elements' bytes."""
    width = values.dtype.itemsize
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(values)])
    return fixed.cast(pa.large_binary())
