"""COPY of Parquet files as Redshift documents it, for a table of PostgreSQL: what Redshift would refuse is refused.

Rules, from Redshift's pages on COPY from columnar formats and on Spectrum's data files: a manifest with the exact size
of every file; no file and no folder whose name begins with `_`, `.` or `#` or ends with `~`; columns by place and not
by name, in number those of the table unless FILLRECORD is said; types that fit each other; text in the bytes of its
column.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

COPY = re.compile(
    r"""\s*COPY\s+"(?P<table>\w+)"\s+FROM\s+'(?P<manifest>s3://[^']+)'\s+
    IAM_ROLE\s+(?P<role>default|'arn:aws[\w-]*:iam::\d{12}:role/(?:[^']|'')+')\s+
    FORMAT\s+AS\s+PARQUET(?P<options>(?:\s+(?:FILLRECORD|MANIFEST))*)\s*;?\s*""",
    re.VERBOSE,
)


class Reads(NamedTuple):
    """What a cluster reads of Parquet: compressions of pages, and types of times as they are stored."""

    codecs: frozenset[str]
    times: frozenset[str]
    hours_off: int = 0
    """By how much it takes times for others, without a word."""


LAKE_FILES = Reads(frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"}), frozenset({"INT64", "INT96"}))
"""One that takes the lake's files as they are."""
OLD_FORM = Reads(frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP"}), frozenset({"INT96"}))
"""One that takes no more than Spectrum has always read."""

_FITS: dict[str, Callable[[pa.DataType], bool]] = {
    "character varying": pa.types.is_string,
    "integer": pa.types.is_int32,
    "bigint": lambda of: pa.types.is_int64(of) or pa.types.is_int32(of),
    "double precision": pa.types.is_float64,
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date32,
    "timestamp without time zone": lambda of: pa.types.is_timestamp(of) and of.unit == "us",
    "bytea": pa.types.is_binary,
}
_LENGTH = re.compile(r"\((\d+)\)$")


class Refused(Exception):
    """What Redshift would not copy, and why."""


class StageColumn(NamedTuple):
    """A column of the table that is copied to, its type as PostgreSQL names it."""

    name: str
    type: str


def rows_of(statement: str, columns: Sequence[StageColumn], filesystem: fs.FileSystem, reads: Reads) -> Iterator[bytes]:
    """The files' rows in the text format of PostgreSQL's COPY, each column at its place. Raises `Refused`."""
    asked = COPY.fullmatch(statement)
    if asked is None:
        raise Refused(f"COPY is not what Redshift takes of Parquet files: {statement}")
    options = set(asked["options"].split())
    if "MANIFEST" not in options:
        raise Refused("without MANIFEST it would be a prefix of keys")
    with filesystem.open_input_stream(_path(asked["manifest"])) as stream:
        manifest = json.loads(stream.read())
    for entry in manifest["entries"]:
        yield from _rows(entry, columns, filesystem, reads, fills="FILLRECORD" in options)


def _rows(
    entry: dict[str, Any], columns: Sequence[StageColumn], filesystem: fs.FileSystem, reads: Reads, fills: bool
) -> Iterator[bytes]:
    url = entry["url"]
    hidden = [part for part in _path(url).split("/")[1:] if part[0] in "_.#" or part.endswith("~")]
    if hidden:
        raise Refused(f"Spectrum reads no file under such a name: {hidden[0]} in {url}")
    size = filesystem.get_file_info(_path(url)).size
    if entry.get("meta", {}).get("content_length") != size:
        raise Refused(f"content_length of {url} is not {size}")
    with filesystem.open_input_file(_path(url)) as source:
        file = pq.ParquetFile(source, coerce_int96_timestamp_unit="us")
        schema = file.schema_arrow
        if len(schema) > len(columns) or (len(schema) < len(columns) and not fills):
            raise Refused(f"{url} has {len(schema)} columns, the table {len(columns)}")
        for field, column in zip(schema, columns, strict=False):
            if not _FITS[_LENGTH.sub("", column.type)](field.type):
                raise Refused(f"{url}: {field.name} is {field.type}, at its place is {column.name} {column.type}")
        for place, field in enumerate(schema):
            stored = file.schema.column(place).physical_type
            if pa.types.is_timestamp(field.type) and stored not in reads.times:
                raise Refused(f"{url}: the times of {field.name} are stored as {stored}")
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            codecs = {group.column(place).compression for place in range(group.num_columns)}
            if not codecs <= reads.codecs:
                raise Refused(f"{url} is compressed by {', '.join(codecs - reads.codecs)}")
        for batch in file.iter_batches(1_000):
            values = [batch.column(place).to_pylist() for place in range(batch.num_columns)]
            missing = [None] * (len(columns) - len(values))
            for row in zip(*values, strict=True):
                placed = zip((*row, *missing), columns, strict=True)
                yield "\t".join(_text(value, column, reads.hours_off) for value, column in placed).encode()


def _path(url: str) -> str:
    return url.removeprefix("s3://")


def _text(value: Any, column: StageColumn, hours_off: int) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, str):
        longest = _LENGTH.search(column.type)
        if longest and len(value.encode()) > int(longest[1]):
            raise Refused(f"The length of the data column {column.name} is longer than the length defined in the table")
        return value.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    if isinstance(value, bytes):
        return r"\\x" + value.hex()
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=None) + dt.timedelta(hours=hours_off)).isoformat(" ")
    return str(value)
