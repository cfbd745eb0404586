"""What packed bytes hold: gzip, zstd, zip and Parquet, and what is packed in these again.

Of Parquet everything that is text: values, those of lists and records, what stands in dictionaries whether a row uses
it or not, and the least and greatest values of footers. What is looked for is not known here.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

PARQUET, GZIP, ZSTD, ZIP = b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
PACKED = (PARQUET, GZIP, ZSTD, ZIP)
"""How packed bytes begin."""
Edges = npt.NDArray[np.int64]


class BadPacking(ValueError):
    """Bytes that begin as packed ones do, and cannot be unpacked."""


class Text(NamedTuple):
    """Unpacked bytes; of values that lie one behind another `edges` are where each begins, and where the last ends."""

    data: bytes | memoryview
    edges: Edges | tuple[()] = ()


def unpacked(data: bytes | memoryview) -> Iterator[Text]:
    """What packed bytes hold; nothing of others. Raises `BadPacking`."""
    head = bytes(data[:4])
    try:
        if head == PARQUET and data[-4:] == PARQUET:
            yield from _parquet(data)
        elif head.startswith(GZIP):
            yield from _and_within(_gunzip(bytes(data)))
        elif head == ZSTD:
            source = io.BytesIO(data)
            yield from _and_within(zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True).read())
        elif head == ZIP:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield from _and_within(archive.read(name))
    except BadPacking:
        raise
    except (OSError, ValueError, RuntimeError, zlib.error, zstandard.ZstdError, zipfile.BadZipFile) as error:
        raise BadPacking(f"{type(error).__name__}: {error}") from error


def _and_within(data: bytes) -> Iterator[Text]:
    yield Text(data)
    yield from unpacked(data)


def _gunzip(data: bytes) -> bytes:
    parts, rest = [], data
    while rest.startswith(GZIP):
        packed = zlib.decompressobj(wbits=31)
        parts.append(packed.decompress(rest) + packed.flush())
        rest = packed.unused_data
    return b"".join(parts)


def _parquet(data: bytes | memoryview) -> Iterator[Text]:
    source = pa.py_buffer(data)
    footer = pq.read_metadata(pa.BufferReader(source))
    yield Text(b"\n".join(_bounds(footer)))
    # A dictionary is read as it lies: what no row uses any more would not be seen in the rows.
    dictionaries = [footer.schema.column(place).path for place in _columns(footer) if _has_dictionary(footer, place)]
    file = pq.ParquetFile(pa.BufferReader(source), metadata=footer, read_dictionary=dictionaries)
    texts = [field.name for field in file.schema_arrow if _holds_text(field.type)]
    for group in range(file.num_row_groups):
        for column in file.read_row_group(group, texts, use_threads=False).itercolumns():
            for chunk in column.chunks:
                for values, are_bytes in _texts(chunk):
                    yield values
                    if are_bytes:
                        yield from _packed_in(values)


def _bounds(footer: pq.FileMetaData) -> Iterator[bytes]:
    for group in range(footer.num_row_groups):
        for place in _columns(footer):
            statistics = footer.row_group(group).column(place).statistics
            if statistics is not None and statistics.has_min_max:
                yield from (statistics.min_raw, statistics.max_raw)


def _columns(footer: pq.FileMetaData) -> list[int]:
    """The columns of texts and bytes."""
    return [at for at in range(footer.num_columns) if footer.schema.column(at).physical_type == "BYTE_ARRAY"]


def _has_dictionary(footer: pq.FileMetaData, place: int) -> bool:
    return any(footer.row_group(group).column(place).has_dictionary_page for group in range(footer.num_row_groups))


def _holds_text(type_: pa.DataType) -> bool:
    if type_.num_fields:
        return any(_holds_text(type_.field(place).type) for place in range(type_.num_fields))
    return _is_text(type_) or _is_bytes(type_) or (pa.types.is_dictionary(type_) and _holds_text(type_.value_type))


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _is_bytes(type_: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_))


def _texts(values: pa.Array) -> Iterator[tuple[Text, bool]]:
    """The texts and bytes of an array, whatever they lie in, and whether they are bytes."""
    type_ = values.type
    if pa.types.is_dictionary(type_):
        yield from _texts(values.dictionary)
    elif pa.types.is_map(type_):
        yield from _texts(values.keys)
        yield from _texts(values.items)
    elif pa.types.is_struct(type_):
        for field in values.flatten():
            yield from _texts(field)
    elif type_.num_fields:
        yield from _texts(values.flatten())
    elif (_is_text(type_) or _is_bytes(type_)) and len(values):
        plain = values.cast(pa.large_binary())
        _, offsets, data = plain.buffers()
        edges = np.frombuffer(offsets, np.int64)[plain.offset : plain.offset + len(plain) + 1]
        if data is not None and data.size:
            text = memoryview(data).cast("B")[edges[0] : edges[-1]]
            yield Text(text, edges - edges[0]), _is_bytes(type_)


def _packed_in(values: Text) -> Iterator[Text]:
    edges = values.edges
    for first, last in pairwise(edges):
        if bytes(values.data[first : first + 4]).startswith(PACKED):
            yield from unpacked(values.data[first:last])
