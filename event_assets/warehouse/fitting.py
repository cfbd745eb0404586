"""Copies of the lake's files for a warehouse that does not take these as they are: texts that fit its columns, and the
form of Parquet that every reader knows.

The lake keeps every text whole. Which columns are how wide is the dialect's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Raw
from pyarrow import fs

TRUNCATED = "$truncated"
"""Stands in an object as a member that is true, and in a list as its last element, where something was left out."""

_decoder = msgspec.json.Decoder(dict[str, Raw] | list[Raw])
_MARK = msgspec.json.encode(TRUNCATED)


class FittedFile(NamedTuple):
    """A copy of a file of the lake."""

    url: str
    size: int
    rows: int
    partition: Mapping[str, str]


class Fitted(NamedTuple):
    """The files of a load with copies in the place of some, and how many texts are shortened in these."""

    files: tuple[FittedFile, ...]
    texts: int


def shortened(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8.

    A JSON object or list stays one: it loses whole members, each that has no room any more, and says so (`TRUNCATED`).
    Other texts are cut.

    >>> shortened('{"a":1,"long":"xxxxxxxxxxxxxxxxxxxx","b":2}', 35)
    '{"a":1,"b":2,"$truncated":true}'
    """
    data = text.encode()
    if len(data) <= most:
        return text
    try:
        value = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return data[:most].decode(errors="ignore")
    if isinstance(value, dict):
        members = (msgspec.json.encode(name) + b":" + bytes(member) for name, member in value.items())
        kept = _that_fit(members, _MARK + b":true", most)
        return (b"{" + kept + b"}").decode()
    return (b"[" + _that_fit(map(bytes, value), _MARK, most) + b"]").decode()


def _that_fit(members: Iterable[bytes], mark: bytes, most: int) -> bytes:
    room = most - len(mark) - len(b"{}")
    kept = []
    for member in members:
        if len(member) + len(b",") <= room:
            room -= len(member) + len(b",")
            kept.append(member)
    return b",".join([*kept, mark])


def too_long(parquet: pq.ParquetFile, widths: Mapping[str, int]) -> list[str]:
    """The columns of the file that hold a text of more bytes than they may."""
    longest = dict.fromkeys((name for name in widths if name in parquet.schema_arrow.names), 0)
    for batch in parquet.iter_batches(columns=list(longest)):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            longest[name] = max(longest[name], pc.max(pc.binary_length(column)).as_py() or 0)
    return [name for name, length in longest.items() if length > widths[name]]


def write_copy(
    parquet: pq.ParquetFile, widths: Mapping[str, int], filesystem: fs.FileSystem, path: str
) -> tuple[int, int]:
    """Writes the rows again, compressed by snappy and with times as INT96, the texts of these columns shortened. Gives
    the copy's bytes and how many texts were."""
    texts = 0
    with (
        filesystem.open_output_stream(path) as sink,
        pq.ParquetWriter(
            sink, parquet.schema_arrow, version="1.0", compression="snappy", use_deprecated_int96_timestamps=True
        ) as writer,
    ):
        for group in range(parquet.num_row_groups):
            rows, shorter = _fitting(parquet.read_row_group(group), widths)
            writer.write_table(rows)
            texts += shorter
    return filesystem.get_file_info(path).size, texts


def _fitting(rows: pa.Table, widths: Mapping[str, int]) -> tuple[pa.Table, int]:
    texts = 0
    for name, most in widths.items():
        before = rows[name].to_pylist()
        after = [None if text is None else shortened(text, most) for text in before]
        texts += sum(one != other for one, other in zip(before, after, strict=True))
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), pa.array(after, rows.schema.field(place).type))
    return rows, texts
