"""The embedded event log: a stream with Kinesis semantics in one SQLite file, for one machine.

Several threads and processes put and read at once; what was acknowledged survives SIGKILL and power loss. Retries,
aggregation and walking the shards belong to the writer and the reader.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import sqlite3
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from event_assets.permissions import keep_private, make_private_file
from event_assets.streams.embedded_faults import as_stream_errors, require_room
from event_assets.streams.embedded_tables import (
    FORMAT,
    format_of,
    in_wal_mode,
    lay_out,
    open_shard_row,
    position_after,
    read_records,
    reshard,
    shard_id_of,
    shard_row,
    shard_rows,
    transaction,
)
from event_assets.streams.protocol import (
    PutResult,
    ReadResult,
    Shard,
    StreamBusy,
    StreamError,
    StreamFull,
    StreamNotFound,
    StreamReadOnly,
    StreamRecord,
    hash_key,
    refusal,
    sequence_text,
)
from event_assets.streams.retry_policy import RetryPolicy

BUSY_SECONDS = 30.0
TRIM_SECONDS = 60.0
TRIM_RECORDS = 2_000

# Large pages: records of up to 25 KB make few overflow pages (41 % more records/s than pages of 4 KB).
PAGE_BYTES = 16_384


class _Ticket:
    """One caller's records, waiting for the next commit."""

    def __init__(self, records: list[StreamRecord]) -> None:
        self.records = records
        self.results: list[PutResult] = []
        self.error: BaseException | None = None
        self.done = False


class EmbeddedStream:
    """An `EventStream` in the SQLite file `path`.

    Open it once per process (a connection must not cross a fork). Puts of several threads share one commit.
    `retention` is how long records are kept; they are trimmed in small steps by whoever puts.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        retention: dt.timedelta = dt.timedelta(days=7),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._name = name
        self._retention = retention
        self._clock = clock
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._turns = -1
        self._writing = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._queueing = threading.Lock()
        self._trim_at = 0.0

    def __reduce__(self) -> tuple[object, ...]:
        """The same log, opened anew by another process."""
        return EmbeddedStream, (self.path, self._name, self._retention, self._clock)

    @property
    def name(self) -> str:
        return self._name

    def retention(self) -> dt.timedelta:
        return self._retention

    def create(self, shards: int) -> None:
        backoff, failures = RetryPolicy(attempts=20), 0
        with as_stream_errors(self.path):
            keep_private(self.path.parent)
            make_private_file(self.path)  # SQLite gives its other files the same mode
            with contextlib.closing(self._connect("rwc")) as connection:
                while not in_wal_mode(connection):
                    failures += 1
                    if not backoff.wait(failures):
                        raise StreamBusy(f"{self.path} is locked by another process")
                with transaction(connection, "IMMEDIATE"):
                    if format_of(connection) == 0:
                        # Sequence numbers begin with the time, so that a stream made anew never repeats one.
                        lay_out(connection, self._name, shards, int(self._clock() * 1_000_000))
            self._open().close()

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        faults = [refusal(record) for record in records]
        ticket = _Ticket([record for record, fault in zip(records, faults, strict=True) if fault is None])
        if ticket.records:
            self._wait_for_commit(ticket)
        accepted = iter(ticket.results)
        return [next(accepted) if fault is None else PutResult(None, None, fault) for fault in faults]

    def _wait_for_commit(self, ticket: _Ticket) -> None:
        """Group commit: whoever gets the lock first commits the tickets of all who wait for it."""
        with self._queueing:
            self._waiting.append(ticket)
        with self._writing:
            if not ticket.done:
                with self._queueing:
                    tickets, self._waiting = self._waiting, []
                self._commit(tickets)
                self._trim_when_due()
        if isinstance(ticket.error, (StreamBusy, StreamFull, StreamReadOnly)):
            fault = f"{type(ticket.error).__name__}: {ticket.error}"
            ticket.results = [PutResult(None, None, fault) for _ in ticket.records]
        elif ticket.error is not None:
            raise ticket.error

    def _commit(self, tickets: list[_Ticket]) -> None:
        try:
            with self._changing() as connection:
                results = self._append(connection, [record for ticket in tickets for record in ticket.records])
        except BaseException as error:
            for ticket in tickets:
                ticket.error, ticket.done = error, True
            if not isinstance(error, Exception):
                raise
            return
        start = 0
        for ticket in tickets:
            end = start + len(ticket.records)
            ticket.results, ticket.done = results[start:end], True
            start = end

    def _append(self, connection: sqlite3.Connection, records: list[StreamRecord]) -> list[PutResult]:
        layout = connection.execute(
            "SELECT first_hash, number FROM shards WHERE last_sequence IS NULL ORDER BY first_hash"
        ).fetchall()
        starts = [int.from_bytes(first_hash) for first_hash, _ in layout]
        numbers = [number for _, number in layout]
        names = {number: shard_id_of(number) for number in numbers}
        (sequence,) = connection.execute("SELECT next_sequence FROM stream").fetchone()
        arrived_at = int(self._clock() * 1_000_000)
        rows, results = [], []
        for key, data in records:
            number = numbers[bisect_right(starts, hash_key(key)) - 1]
            rows.append((sequence, number, arrived_at, key, data))
            results.append(PutResult(names[number], sequence_text(sequence), None))
            sequence += 1
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("UPDATE stream SET next_sequence = ?", (sequence,))
        return results

    def require_writable(self) -> None:
        with self._reading() as connection:
            shard_rows(connection)
        require_room(self.path)

    def shards(self) -> list[Shard]:
        with self._reading() as connection:
            return [
                Shard(
                    shard_id_of(row.number),
                    tuple(row.parents.split()),
                    row.last_sequence is not None,
                    sequence_text(row.first_sequence),
                    None if row.last_sequence is None else sequence_text(row.last_sequence),
                    sequence_text(row.trimmed_through) if row.trimmed_through else None,
                    int.from_bytes(row.first_hash),
                )
                for row in shard_rows(connection)
            ]

    def read(
        self, shard_id: str, after: str | None, max_records: int = 10_000, max_bytes: int = 10_000_000
    ) -> ReadResult:
        with self._reading() as connection:
            shard = shard_row(connection, shard_id)
            position = position_after(connection, shard, after)
            records, more = read_records(connection, shard, position, max_records, max_bytes)
        return ReadResult(records, not more, not more and shard.last_sequence is not None)

    def has_records_after(self, shard_id: str, after: str | None) -> bool:
        with self._reading() as connection:
            shard = shard_row(connection, shard_id)
            position = position_after(connection, shard, after)
            found = connection.execute(
                "SELECT 1 FROM records WHERE shard = ? AND sequence > ? LIMIT 1", (shard.number, position)
            )
            return found.fetchone() is not None

    def split(self, shard_id: str) -> None:
        with self._writing, self._changing() as connection:
            parent = open_shard_row(connection, shard_id)
            first, last = int.from_bytes(parent.first_hash), int.from_bytes(parent.last_hash)
            if first == last:
                raise StreamError(f"{shard_id} holds a single hash key and cannot be split")
            middle = (first + last) // 2
            reshard(connection, [parent], [(first, middle), (middle + 1, last)])

    def merge(self, shard_id: str, adjacent_shard_id: str) -> None:
        with self._writing, self._changing() as connection:
            lower = open_shard_row(connection, shard_id)
            upper = open_shard_row(connection, adjacent_shard_id)
            if int.from_bytes(lower.last_hash) + 1 != int.from_bytes(upper.first_hash):
                raise StreamError(f"{adjacent_shard_id} does not follow {shard_id}: only neighbours can be merged")
            bounds = (int.from_bytes(lower.first_hash), int.from_bytes(upper.last_hash))
            reshard(connection, [lower, upper], [bounds])

    def trim(self) -> int:
        """Remove records older than the retention, some thousands a call. Gives how many were removed."""
        with self._writing:
            return self._trim()

    def _trim_when_due(self) -> None:
        if time.monotonic() < self._trim_at:
            return
        # Trimming can wait; the records before it are already committed and must not be reported as failed.
        with contextlib.suppress(StreamError):
            if self._trim() < TRIM_RECORDS:
                self._trim_at = time.monotonic() + TRIM_SECONDS

    def _trim(self) -> int:
        horizon = int((self._clock() - self._retention.total_seconds()) * 1_000_000)
        with self._changing() as connection:
            oldest = connection.execute(
                "SELECT sequence, shard, arrived_at FROM records ORDER BY sequence LIMIT ?", (TRIM_RECORDS,)
            )
            last_of_shard: dict[int, int] = {}
            trimmed = 0
            for sequence, shard, arrived_at in oldest:
                if arrived_at >= horizon:
                    break
                last_of_shard[shard] = sequence
                trimmed += 1
            if trimmed:
                connection.execute("DELETE FROM records WHERE sequence <= ?", (max(last_of_shard.values()),))
            for shard, sequence in last_of_shard.items():
                connection.execute("UPDATE shards SET trimmed_through = ? WHERE number = ?", (sequence, shard))
        return trimmed

    def close(self) -> None:
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._turns >= 0:
                os.close(self._turns)
                self._turns = -1
            while self._idle:
                self._idle.pop().close()

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            # FULL makes each commit wait for the disk; NORMAL would lose acknowledged records with the machine's power.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise StreamNotFound(f"There is no event stream at {self.path}; create it first")
        connection = self._connect("rw")
        try:
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        found = format_of(connection)
        if found not in (0, FORMAT):
            raise StreamError(f"{self.path} has format {found}, this version reads format {FORMAT}")
        names = [name for (name,) in connection.execute("SELECT name FROM stream")] if found else []
        if names != [self._name]:
            raise StreamNotFound(f"{self.path} holds no stream {self._name!r} but {names}")

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that writes; the caller holds `_writing`.

        Processes queue for it at a lock file: SQLite's own waiting polls, which let one of four writers wait for
        1.5 s where a queue keeps all under 0.1 s.
        """
        with as_stream_errors(self.path):
            if self._writer is None:
                self._writer = self._open()
            if self._turns < 0:
                self._turns = os.open(f"{self.path}-turns", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._turns, fcntl.LOCK_EX)
            try:
                with transaction(self._writer, "IMMEDIATE"):
                    yield self._writer
            finally:
                fcntl.flock(self._turns, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the log, on a connection that no other thread uses meanwhile."""
        with as_stream_errors(self.path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._open()
            try:
                with transaction(connection, "DEFERRED"):
                    yield connection
            finally:
                self._idle.append(connection)
