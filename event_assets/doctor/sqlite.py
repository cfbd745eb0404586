"""SQLite files of a home: the event stream, whose readable records can be rescued, and Dagster's storage."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from event_assets.contract.records import BadEncoding, decompress
from event_assets.doctor.finding import Examined, Finding, put_aside, size_of
from event_assets.streams.embedded_tables import FORMAT, SCHEMA

_WITH_LOG = ("", "-wal", "-shm")
_MOST_FAULTS = 3
_STEP = 1_000
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises: SQLite may quote the damaged bytes in its message, which Python cannot decode."""


def examine_stream(path: Path, name: str) -> Examined:
    """The embedded event stream: its structure by SQLite's check, each record by its types and its compression.

    A record that cannot be unpacked is no damage by itself: a producer may have put it so. It stays as it is, and its
    events are set aside when it is cleaned.
    """
    if not path.exists():
        return Examined("stream", 0, 0)
    remedy = (
        "stop what sends and lands events, then `event-assets doctor --heal` copies every record that can be read into "
        "a new file and keeps this one; or put it back from a backup."
    )
    records = _Records.read(path)
    faults = [*_faults_of_structure(path), *records.faults]
    findings = (Finding(str(path), _said(faults), remedy, lambda: rescue(path, name)),) if faults else ()
    notes = (
        (f"{_said(records.packed_wrong)}: put so by its producer, or changed since",) if records.packed_wrong else ()
    )
    return Examined("stream", 1, size_of(path), findings, notes)


def examine_dagster(folder: Path) -> Examined:
    """Dagster's storage. Nothing of the lake depends on it: a run begins where the tables are."""
    remedy = "stop Dagster, then `event-assets doctor --heal` moves it away: a new history begins, and no row is lost."
    files = sorted(folder.glob("**/*.db"))
    findings = []
    for path in files:
        for fault in _faults_of_structure(path)[:1]:
            findings.append(Finding(str(path), fault, remedy, partial(_moved, path)))
    return Examined("Dagster's storage", len(files), sum(map(size_of, files)), tuple(findings))


def rescue(path: Path, name: str) -> str:
    """Makes the stream anew of what can be read of it, with every record at its place, and keeps the damaged file."""
    fresh = path.with_name(f"{path.name}.rescued")
    for suffix in _WITH_LOG:
        path.with_name(fresh.name + suffix).unlink(missing_ok=True)
    with _open(path) as damaged, contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as new:
        new.execute("PRAGMA page_size = 16384")
        new.execute("PRAGMA journal_mode = WAL")
        new.execute("BEGIN")
        for statement in SCHEMA:
            new.execute(statement)
        try:
            shards = damaged.execute("SELECT * FROM shards").fetchall()
            next_sequence = int(damaged.execute("SELECT next_sequence FROM stream").fetchone()[0])
        except (*_UNREADABLE, TypeError, ValueError) as error:
            new.execute("ROLLBACK")
            return f"{path} is beyond rescue ({error}): put it back from a backup, or {_begin_anew(path)}"
        new.executemany(f"INSERT INTO shards VALUES ({', '.join('?' * 7)})", shards)
        kept = lost = 0
        expected: int | None = None
        for row in _readable(damaged, min(shard[4] for shard in shards), next_sequence):
            new.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", row)
            lost += row[0] - expected if expected is not None else 0
            kept, expected = kept + 1, row[0] + 1
        new.execute("INSERT INTO stream VALUES (?, ?)", (name, next_sequence))
        new.execute(f"PRAGMA user_version = {FORMAT}")
        new.execute("COMMIT")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = put_aside(path)
    for suffix in _WITH_LOG[1:]:
        if path.with_name(path.name + suffix).exists():
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    fresh.replace(path)
    lost += next_sequence - expected if expected is not None else 0
    gone = f"; {lost} could not be read, and are lost if they were not landed before" if lost else ""
    return f"{path} has {kept} records again{gone}. The damaged file is {aside}."


def _begin_anew(path: Path) -> str:
    return f"move it away (mv {path} {path}.damaged): the collector makes a new one, and what was landed stays."


def _readable(connection: sqlite3.Connection, first: int, end: int) -> Iterator[tuple[Any, ...]]:
    """Every record that can be read, in order and once, between two sequence numbers; what cannot is stepped over.

    A damaged page may name a record's place a second time, or one that the stream never gave: both are no records.
    """
    query = "SELECT sequence, shard, arrived_at, partition_key, data FROM records WHERE sequence > ? ORDER BY sequence"
    after, step = first - 1, 1
    while after < end:
        try:
            for row in connection.execute(query, (after,)):
                if not after < row[0] < end:
                    continue
                after, step = row[0], 1
                if _has_right_types(row):
                    yield row
            return
        except _UNREADABLE:
            after, step = after + step, min(step * 2, _STEP)


def _has_right_types(row: tuple[Any, ...]) -> bool:
    return [type(value) for value in row[1:]] == [int, int, str, bytes]


class _Records(NamedTuple):
    """What is wrong with records: with their values, and with what those who put them there packed."""

    faults: list[str]
    packed_wrong: list[str]

    @staticmethod
    def read(path: Path) -> _Records:
        """Reads every record, as far as SQLite can."""
        found = _Records([], [])
        with contextlib.suppress(*_UNREADABLE), _open(path) as connection:
            for row in connection.execute("SELECT sequence, shard, arrived_at, partition_key, data FROM records"):
                if not _has_right_types(row):
                    found.faults.append(f"record {row[0]} has values of other types than were written")
                    continue
                try:
                    decompress(row[4])
                except BadEncoding as error:
                    found.packed_wrong.append(f"record {row[0]} cannot be unpacked ({error})")
        return found


def _said(faults: list[str]) -> str:
    return "; ".join([*faults[:_MOST_FAULTS], *(["and more"] if len(faults) > _MOST_FAULTS else [])])


def _faults_of_structure(path: Path) -> list[str]:
    try:
        with _open(path) as connection:
            faults = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
            return [] if faults == ["ok"] else [fault.replace("\n", " ") for fault in faults]
    except _UNREADABLE as error:
        return [str(error)]


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, read only: an examination changes nothing. Undecodable texts come as they are."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = _text
        yield connection


def _text(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _moved(path: Path) -> str:
    aside = put_aside(path)
    for suffix in _WITH_LOG[1:]:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return f"{path} was moved to {aside}."
