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
_NULL_LENGTH: Values = np.array(-1, ">i4")


def replace_nul(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """The batch with U+FFFD for every NUL in its text columns, and how many values were changed."""
    changed = 0
    for index, field in enumerate(batch.schema):
        column = batch.column(index)
        if pa.types.is_string(field.type) and column.null_count < len(column) and _may_hold_nul(column):
            changed += pc.sum(pc.match_substring(column, NUL)).as_py() or 0
            batch = batch.set_column(index, field, pc.replace_substring(column, NUL, NUL_STAND_IN))
    return batch, changed


def _may_hold_nul(column: pa.Array) -> bool:
    """Whether the bytes under the column have one; a slice may see its neighbours'."""
    data = column.buffers()[2]
    return data is not None and b"\0" in data.to_pybytes()


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
    pieces: list[pa.Array] = []
    side_by_side = [_same(batch.num_columns, ">i2")]
    for column in batch.columns:
        if column.null_count == len(column):
            side_by_side.append(_NULL_LENGTH)
        elif pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            lengths = pc.fill_null(pc.binary_length(column), -1).to_numpy(zero_copy_only=False)
            side_by_side.append(lengths.astype(">i4"))
            pieces += [_joined(side_by_side, len(column)), _texts(column)]
            side_by_side = []
        else:
            values = _fixed(column)
            field = [_same(values.dtype.itemsize, ">i4"), values]
            if column.null_count:
                if side_by_side:
                    pieces.append(_joined(side_by_side, len(column)))
                null = pa.scalar(_NULL_FIELD, pa.large_binary())
                pieces.append(pc.if_else(column.is_valid(), _joined(field, len(column)), null))
                side_by_side = []
            else:
                side_by_side += field
    if side_by_side:
        pieces.append(_joined(side_by_side, batch.num_rows))
    rows = pc.binary_join_element_wise(*pieces, pa.scalar(_NOTHING, pa.large_binary()))
    offsets = np.frombuffer(rows.buffers()[1], np.int64)
    first, last = int(offsets[rows.offset]), int(offsets[rows.offset + len(rows)])
    return memoryview(rows.buffers()[2])[first:last]


def _texts(column: pa.Array) -> pa.Array:
    values = column.cast(pa.large_binary())
    return pc.fill_null(values, b"") if column.null_count else values


def _same(value: int, dtype: str) -> Values:
    """A number that every row has."""
    return np.array(value, dtype)


def _joined(columns: list[Values], rows: int) -> pa.Array:
    """An array whose values are the bytes of a row's elements, one after the other: joining them all at once costs less
    than a piece for each."""
    record = np.empty(rows, [(str(place), column.dtype) for place, column in enumerate(columns)])
    for place, column in enumerate(columns):
        record[str(place)] = column
    offsets = np.arange(rows + 1, dtype=np.int64) * record.dtype.itemsize
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(record)]
    return pa.Array.from_buffers(pa.large_binary(), rows, buffers)


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
