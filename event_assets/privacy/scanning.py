"""Reads every byte of an installation for what names people: files as they are and unpacked, rows of databases as text.

It shares nothing with what erases: it knows no table, no partition and no log, only files and where they lie.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from event_assets.lake.storage import Storage
from event_assets.privacy.needles import Needles
from event_assets.privacy.unpacking import PACKED, BadPacking, unpacked

T = TypeVar("T")
_PIECE = 8 << 20
_SQLITE = b"SQLite format 3\0"
_AT_ONCE = 50_000
_SAMPLES = """
    SELECT schemaname || '.' || tablename, most_common_vals::text, histogram_bounds::text, most_common_elems::text
    FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


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

    def take(self, other: Scan) -> None:
        """Counts what another scan read and found, too."""
        self.files += other.files
        self.bytes += other.bytes
        self.unpacked_bytes += other.unpacked_bytes
        self.unread |= other.unread
        for place, count in other.found.items():
            self.add(place, count)


def scan_storage(storage: Storage, needles: Needles, scan: Scan, leave_out: Iterable[str] = ()) -> None:
    """Every file of a lake; `leave_out` are names that files begin with which are not read."""
    without = tuple(leave_out)
    paths = [(path, size) for path, size in storage.walk("") if not path.startswith(without)]

    def read(file: tuple[str, int], part: Scan) -> None:
        path, size = file
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile: nothing of it is left
            _one(f"lake/{path}", storage.read(path), needles, part, size)

    _each(paths, read, scan)


def scan_folder(folder: Path, needles: Needles, scan: Scan, leave_out: Iterable[Path] = ()) -> None:
    """Every file below a folder, but those below the paths that are left out."""
    without, root = {path.absolute() for path in leave_out}, folder.absolute()
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    _each([path for path in paths if not without & {path, *path.parents}], partial(_file, root, needles), scan)


def _each(things: Iterable[T], read: Callable[[T, Scan], None], scan: Scan) -> None:
    """Reads many things, several at once, each as a scan of its own."""

    def one(thing: T) -> Scan:
        part = Scan()
        read(thing, part)
        return part

    began = time.process_time()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(one, things):
            scan.take(part)
    scan.seconds += time.process_time() - began


def _file(root: Path, needles: Needles, path: Path, scan: Scan) -> None:
    place = str(path.relative_to(root))
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
        if size > _PIECE and not head.startswith((*PACKED, _SQLITE)):
            _pieces(place, path, needles, scan)
            return
        _one(place, path.read_bytes(), needles, scan, size)
        if head.startswith(_SQLITE):
            _sqlite(place, path, needles, scan)
    except FileNotFoundError:
        return
    except OSError as error:
        scan.unread[place] = str(error)


def scan_database(url: str, needles: Needles, scan: Scan, named: str = "warehouse") -> None:
    """Every table of a database but its own catalogue, whatever schema it is in; of PostgreSQL the statistics, too, for
    they keep samples of values. What is found is told under this name."""
    query = """
        SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
    """
    with psycopg.connect(url) as connection:
        for schema, name in connection.execute(query).fetchall():
            rows = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
            with connection.cursor(name="scan") as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute(rows)
                while batch := cursor.fetchmany(_AT_ONCE):
                    _rows(f"{named}/{schema}.{name}", batch, needles, scan)
            scan.tables += 1
        if "Redshift" not in str(connection.execute("SELECT version()").fetchone()):
            for table, *samples in connection.execute(_SAMPLES).fetchall():
                _text(f"{named}/statistics of {table}", _joined([samples]), needles, scan)


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
    _within(place, data, needles, scan)


def _within(place: str, data: bytes, needles: Needles, scan: Scan) -> None:
    """What the bytes hold where they are packed."""
    try:
        for text, edges in unpacked(data):
            scan.unpacked_bytes += len(text)
            scan.add(place, needles.count(text, edges))
    except BadPacking as error:
        scan.unread[place] = str(error)


def _text(place: str, text: bytes, needles: Needles, scan: Scan) -> None:
    scan.unpacked_bytes += len(text)
    scan.add(place, needles.count(text))


def _sqlite(place: str, path: Path, needles: Needles, scan: Scan) -> None:
    """The rows of a database in a file, whose pages hold values without anything between them."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            connection.text_factory = bytes
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                cursor = connection.execute('SELECT * FROM "{}"'.format(name.decode().replace('"', '""')))
                while batch := cursor.fetchmany(1_000):
                    _rows(place, batch, needles, scan)
    except sqlite3.Error as error:
        scan.unread[place] = str(error)


def _rows(place: str, rows: Iterable[Iterable[Any]], needles: Needles, scan: Scan) -> None:
    """Rows of a database, and what is packed in their bytes."""
    _text(place, _joined(rows), needles, scan)
    for value in (value for row in rows for value in row if isinstance(value, bytes)):
        _within(place, value, needles, scan)


def _joined(rows: Iterable[Iterable[Any]]) -> bytes:
    return b"\n".join(_bytes(value) for row in rows for value in row if value is not None)


def _bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    return str(value).encode("utf-8", "surrogatepass")
