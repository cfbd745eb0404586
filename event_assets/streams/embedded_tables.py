"""The tables inside the embedded log's file: their layout, the shards, and the records of one.

Each function works on a connection of the caller's and inside the caller's transaction.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from event_assets.streams.protocol import (
    HASH_KEYS,
    StoredRecord,
    StreamError,
    StreamGap,
    StreamNotFound,
    sequence_text,
)

FORMAT = 1
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

SCHEMA = (
    "CREATE TABLE stream (name TEXT NOT NULL, next_sequence INTEGER NOT NULL)",
    """CREATE TABLE shards (
        number INTEGER PRIMARY KEY, parents TEXT NOT NULL, first_hash BLOB NOT NULL, last_hash BLOB NOT NULL,
        first_sequence INTEGER NOT NULL, last_sequence INTEGER, trimmed_through INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE records (
        sequence INTEGER PRIMARY KEY, shard INTEGER NOT NULL, arrived_at INTEGER NOT NULL,
        partition_key TEXT NOT NULL, data BLOB NOT NULL)""",
    "CREATE INDEX records_by_shard ON records (shard)",  # an index ends with the rowid: this is (shard, sequence)
)


class ShardRow(NamedTuple):
    """One shard: the range of hash keys that it takes, and of sequence numbers that it has."""

    number: int
    parents: str
    first_hash: bytes
    last_hash: bytes
    first_sequence: int
    last_sequence: int | None
    trimmed_through: int


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str) -> Iterator[sqlite3.Connection]:
    """One transaction, undone where the block fails."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def in_wal_mode(connection: sqlite3.Connection) -> bool:
    """Switch the file to write-ahead logging. False if another process is in the middle of the same."""
    try:
        return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",))
    except sqlite3.OperationalError:
        return False


def format_of(connection: sqlite3.Connection) -> int:
    """The version of the file's layout; 0 in a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def shard_id_of(number: int) -> str:
    """The shard's name, as in Kinesis."""
    return f"shardId-{number:012d}"


def insert_shard(
    connection: sqlite3.Connection, number: int, parents: tuple[str, ...], first: int, last: int, sequence: int
) -> None:
    """Adds an open shard that takes the hash keys `first` to `last` and begins at a sequence number."""
    connection.execute(
        "INSERT INTO shards (number, parents, first_hash, last_hash, first_sequence) VALUES (?, ?, ?, ?, ?)",
        (number, " ".join(parents), first.to_bytes(16), last.to_bytes(16), sequence),
    )


def lay_out(connection: sqlite3.Connection, name: str, shards: int, first_sequence: int) -> None:
    """Makes the tables of a new stream, whose shards share the hash keys evenly."""
    bounds = [HASH_KEYS * index // shards for index in range(shards + 1)]
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO stream VALUES (?, ?)", (name, first_sequence))
    for number in range(shards):
        insert_shard(connection, number, (), bounds[number], bounds[number + 1] - 1, first_sequence)
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def reshard(connection: sqlite3.Connection, parents: list[ShardRow], ranges: list[tuple[int, int]]) -> None:
    """Closes shards and opens one child for each range of hash keys."""
    (sequence,) = connection.execute("SELECT next_sequence FROM stream").fetchone()
    (number,) = connection.execute("SELECT max(number) + 1 FROM shards").fetchone()
    for parent in parents:
        connection.execute("UPDATE shards SET last_sequence = ? WHERE number = ?", (sequence, parent.number))
    for offset, (first, last) in enumerate(ranges):
        names = tuple(shard_id_of(parent.number) for parent in parents)
        insert_shard(connection, number + offset, names, first, last, sequence + 1)
    connection.execute("UPDATE stream SET next_sequence = ?", (sequence + 1,))


def shard_rows(connection: sqlite3.Connection) -> list[ShardRow]:
    """All shards, open and closed, by number."""
    rows = connection.execute(
        "SELECT number, parents, first_hash, last_hash, first_sequence, last_sequence, trimmed_through"
        " FROM shards ORDER BY number"
    )
    return [ShardRow(*row) for row in rows]


def shard_row(connection: sqlite3.Connection, shard_id: str) -> ShardRow:
    """The shard of this name. Raises `StreamNotFound`."""
    for row in shard_rows(connection):
        if shard_id_of(row.number) == shard_id:
            return row
    raise StreamNotFound(f"The stream has no shard {shard_id}")


def open_shard_row(connection: sqlite3.Connection, shard_id: str) -> ShardRow:
    """The same, of a shard that still takes records. Raises `StreamError` where it is closed."""
    row = shard_row(connection, shard_id)
    if row.last_sequence is not None:
        raise StreamError(f"{shard_id} is closed")
    return row


def position_after(connection: sqlite3.Connection, shard: ShardRow, after: str | None) -> int:
    """Where to read on. Raises `StreamGap` unless all that came after `after` is still here.

    A position from before the shard's own beginning, or beyond the log's end, is of another log at this path.
    """
    if after is None:
        return shard.first_sequence - 1
    (next_sequence,) = connection.execute("SELECT next_sequence FROM stream").fetchone()
    if max(shard.trimmed_through, shard.first_sequence - 1) <= int(after) < next_sequence:
        return int(after)
    oldest = "SELECT min(sequence) FROM records WHERE shard = ?"
    (sequence,) = connection.execute(oldest, (shard.number,)).fetchone()
    raise StreamGap(shard_id_of(shard.number), after, None if sequence is None else sequence_text(sequence))


def read_records(
    connection: sqlite3.Connection, shard: ShardRow, position: int, max_records: int, max_bytes: int
) -> tuple[list[StoredRecord], bool]:
    """Records after `position` within both bounds, at least one, and whether there are more."""
    rows = connection.execute(
        "SELECT sequence, partition_key, data, arrived_at FROM records"
        " WHERE shard = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        (shard.number, position, max_records + 1),
    )
    shard_id = shard_id_of(shard.number)
    records: list[StoredRecord] = []
    size, last_arrival, arrived_at = 0, -1, EPOCH
    for sequence, key, data, arrival in rows:
        size += len(data)
        if len(records) == max_records or (records and size > max_bytes):
            return records, True
        if arrival != last_arrival:
            last_arrival, arrived_at = arrival, EPOCH + dt.timedelta(microseconds=arrival)
        records.append(StoredRecord(shard_id, sequence_text(sequence), key, data, arrived_at))
    return records, False
