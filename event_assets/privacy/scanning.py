"""Reads every byte of an installation for what names people: files as they are and unpacked, rows of databases as text.

It shares nothing with what erases: it knows no table, no partition and no log, only files and where they lie.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard
from psycopg import sql

from event_assets.lake.storage import Storage
from event_assets.privacy.needles import Needles

_PIECE = 8 << 20
_PARQUET, _SQLITE = b"PAR1", b"SQLite format 3\0"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ROWS = 50_000


@dataclass
class Scan:
    """What a scan read and found: `found` says how often in which file or table, `seconds` what it took of a
    processor."""

    files: int = 0
    bytes: int = 0
    unpacked_bytes: int = 0
    tables: int = 0
    seconds: float = 0.0
    found: dict[str, int] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def add(self, place: str, count: int) -> None:
        """Counts something that was found in."""
        if count:
            self.found[place] = self.found.get(place, 0) + count


def scan_storage(storage: Storage, needles: Needles, scan: Scan, leave_out: Iterable[str] = ()) -> None:
    """Every file of a lake; `leave_out` are names that files begin with which are not read."""
    without = tuple(leave_out)
    for path, size in list(storage.walk("")):
        if not path.startswith(without):
            try:
                data = storage.read(path)
            except FileNotFoundError:
                continue  # deleted meanwhile: nothing of it is left
            _one(f"lake/{path}", data, needles, scan, size)


def scan_folder(folder: Path, needles: Needles, scan: Scan, leave_out: Iterable[Path] = ()) -> None:
    """Every file below a folder, but those below the paths that are left out."""
    without = {path.absolute() for path in leave_out}
    began = time.process_time()
    for path in sorted(folder.absolute().rglob("*")):
        if path.is_symlink() or not path.is_file() or without & {path, *path.parents}:
            continue
        place = str(path.relative_to(folder.absolute()))
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(len(_SQLITE))
            if size > _PIECE and not head.startswith((_PARQUET, _GZIP, _ZSTD, _SQLITE)):
                _pieces(place, path, needles, scan)
                continue
            _one(place, path.read_bytes(), needles, scan, size)
            if head.startswith(_SQLITE):
                _sqlite(place, path, needles, scan)
        except FileNotFoundError:
            continue
        except OSError as error:
            scan.unread[place] = str(error)
    scan.seconds += time.process_time() - began


def scan_database(url: str, needles: Needles, scan: Scan) -> None:
    """Every table of a database but its own catalogue, whatever schema it is in."""
    query = """
        SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
    """
    with psycopg.connect(url) as connection:
        for schema, name in connection.execute(query).fetchall():
            rows = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
            with connection.cursor(name="scan") as cursor:
                cursor.itersize = _ROWS
                cursor.execute(rows)
                while batch := cursor.fetchmany(_ROWS):
                    _text(f"warehouse/{schema}.{name}", _joined(batch), needles, scan)
            scan.tables += 1


def _pieces(place: str, path: Path, needles: Needles, scan: Scan) -> None:
    """A large file a piece at a time; what stands at an edge is in both."""
    scan.files += 1
    edge = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            scan.bytes += len(piece)
            scan.add(place, needles.count(edge + piece))
            edge = piece[-(needles.longest + 8) :]


def _one(place: str, data: bytes, needles: Needles, scan: Scan, size: int) -> None:
    scan.files += 1
    scan.bytes += size
    scan.add(place, needles.count(data))
    for text in _unpacked(place, data, scan):
        _text(place, text, needles, scan)


def _text(place: str, text: bytes, needles: Needles, scan: Scan) -> None:
    scan.unpacked_bytes += len(text)
    scan.add(place, needles.count(text))


def _unpacked(place: str, data: bytes, scan: Scan) -> Iterator[bytes]:
    """What packed bytes hold."""
    try:
        if data.startswith(_PARQUET) and data.endswith(_PARQUET):
            yield from _parquet(place, data, scan)
        elif data.startswith(_GZIP):
            yield _gunzip(data)
        elif data.startswith(_ZSTD):
            yield zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    except (OSError, ValueError, zlib.error, zstandard.ZstdError) as error:
        scan.unread[place] = f"{type(error).__name__}: {error}"


def _gunzip(data: bytes) -> bytes:
    parts, rest = [], data
    while rest.startswith(_GZIP):
        packed = zlib.decompressobj(wbits=31)
        parts.append(packed.decompress(rest) + packed.flush())
        rest = packed.unused_data
    return b"".join(parts)


def _parquet(place: str, data: bytes, scan: Scan) -> Iterator[bytes]:
    """The values of all columns of text and bytes, those of dictionaries too, each column's a line each."""
    file = pq.ParquetFile(pa.BufferReader(data))
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group)
        for column in rows.itercolumns():
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield from _lines(column.cast(pa.string()).unique())
            elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
                for value in column.to_pylist():
                    if value:
                        yield value
                        yield from _unpacked(place, value, scan)


def _lines(values: pa.Array) -> Iterator[bytes]:
    for first in range(0, len(values), _ROWS):
        some = values.slice(first, _ROWS).fill_null("")
        yield bytes(pc.binary_join(pa.ListArray.from_arrays([0, len(some)], some), "\n")[0].as_buffer() or b"")


def _sqlite(place: str, path: Path, needles: Needles, scan: Scan) -> None:
    """The rows of a database in a file, whose pages hold values without anything between them."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            connection.text_factory = bytes
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                cursor = connection.execute('SELECT * FROM "{}"'.format(name.decode().replace('"', '""')))
                while batch := cursor.fetchmany(1_000):
                    _text(place, _joined(batch), needles, scan)
                    for value in (value for row in batch for value in row if isinstance(value, bytes)):
                        for text in _unpacked(place, value, scan):
                            _text(place, text, needles, scan)
    except sqlite3.Error as error:
        scan.unread[place] = str(error)


def _joined(rows: Iterable[Iterable[Any]]) -> bytes:
    return b"\n".join(_bytes(value) for row in rows for value in row if value is not None)


def _bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    return str(value).encode("utf-8", "surrogatepass")
