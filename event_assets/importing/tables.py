"""Rows of tables as JSON objects, one a row: CSV and the like, with a first row of names or without, and Parquet.

What a row says is not looked at. A cell with nothing in it is null.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

PARQUET = b"PAR1"
_SEPARATORS = (",", "\t", ";", "|")
_LONGEST_CELL = 64 * 2**20
_ROWS_AT_ONCE = 1_000
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


class NoTable(ValueError):
    """The first row cannot be the names of columns. The message says why and the way out."""


def separator_of(lines: Sequence[bytes], quotes: bool = True) -> str | None:
    """What separates the cells of a table that begins with these lines; None where they are none.

    The first row has at least two cells, and another has as many.
    """
    found: dict[str, int] = {}
    text = [f"{line.decode('utf-8', 'replace')}\n" for line in lines[:20]]
    for separator in _SEPARATORS:
        try:
            first, *others = csv.reader(text, delimiter=separator, quoting=_quoting(quotes))
        except csv.Error:
            continue
        if len(first) > 1 and (not others or any(len(row) == len(first) for row in others)):
            found[separator] = len(first)
    return max(found, key=lambda separator: found[separator], default=None)


def table_rows(
    text: io.BufferedReader, separator: str, columns: Sequence[str] = (), quotes: bool = True
) -> Iterator[bytes]:
    """Each row; the first has the names, where no columns are named. Without `quotes` a quote is a character as any
    other, and a cell is of one line. A row with another number of cells, or that is no
    UTF-8, goes on as it came. Raises `NoTable`, and `csv.Error` where a quote is never closed."""
    csv.field_size_limit(_LONGEST_CELL)
    lines = io.TextIOWrapper(text, "utf-8", "surrogateescape", newline="")
    rows = csv.reader(lines, delimiter=separator, quoting=_quoting(quotes))
    names = list(columns) or _names(next(rows, []))
    for row in rows:
        if not row:
            yield b""
        elif len(row) != len(names):
            yield _as_it_came(row, separator)
        else:
            try:
                yield _encode({name: cell or None for name, cell in zip(names, row, strict=True)})
            except UnicodeEncodeError:
                yield _as_it_came(row, separator)


def row_count(file: Any) -> int:
    """The rows of a Parquet file, by what it says of itself."""
    return int(pq.ParquetFile(file).metadata.num_rows)


def parquet_rows(file: Any) -> Iterator[bytes]:
    """Each row. Times are RFC 3339, without an offset where the column has none; bytes are text where all are UTF-8,
    else base64."""
    for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE):
        columns = [_as_text(column) for column in batch.columns]
        rows = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        for row in rows.to_pylist(maps_as_pydicts="lossy"):
            yield _encode(row)


def _quoting(quotes: bool) -> Literal[0, 3]:
    return csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE


def _names(first: Sequence[str]) -> list[str]:
    names = [name.strip() or f"column_{number}" for number, name in enumerate(first, 1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NoTable(f"has two columns that are called {twice}; give each a name of its own in its first row")
    return names


def _as_it_came(row: Sequence[str], separator: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="").writerow(row)
    return text.getvalue().encode("utf-8", "surrogateescape").replace(b"\n", b" ")


def _as_text(column: pa.Array) -> pa.Array:
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return column
    try:
        return column.cast(pa.large_string())
    except pa.ArrowInvalid:
        return column
