"""The queue on disk: one SQLite file in WAL mode, shared by the threads and processes that are given its path.

An event that was put survives SIGKILL; after a power cut the newest may be missing, the file is whole. Who sends is
decided by a lock that ends with its process: no clock, no lease, never two at once. A file that turns out to be damaged
is left as it is, and everybody goes on with the next one: `path`, `path.2`, `path.3`, … No HTTP here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from event_assets_sdk.bounds import Bounds
from event_assets_sdk.events import NewEvent, QueuedEvent

T = TypeVar("T")
FORMAT = 1
MOST_SEQUENCES = 100_000
"""Anonymous ids whose numbering is remembered; those not seen for longest begin anew."""

_SCHEMA = (
    """CREATE TABLE events (
        position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, sequence INTEGER, text BLOB NOT NULL,
        tracked_at REAL NOT NULL, steady REAL NOT NULL, process TEXT NOT NULL)""",
    "CREATE TABLE totals (events INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO totals VALUES (0, 0)",
    """CREATE TRIGGER event_came AFTER INSERT ON events BEGIN
        UPDATE totals SET events = events + 1, bytes = bytes + length(new.text); END""",
    """CREATE TRIGGER event_went AFTER DELETE ON events BEGIN
        UPDATE totals SET events = events - 1, bytes = bytes - length(old.text); END""",
    """CREATE TABLE sequences (
        anonymous_id TEXT PRIMARY KEY, next INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
_COLUMNS = "position, event_id, sequence, text, tracked_at, steady, process"
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_AUTO_CHECKPOINT_PAGES = 4_000  # a net: whoever sends moves the log into the file far sooner, and not in the caller


class QueueUnavailable(RuntimeError):
    """The file cannot be used now: locked for too long, read-only, no room, not ours. The message says which."""


class DiskQueue:
    """A queue in the file `path`. `on_damage` is told when a file had to be set aside.

    No connection crosses a fork: see `before_fork`.
    """

    def __init__(self, path: Path, bounds: Bounds, busy_seconds: float, on_damage: Callable[[str], object]) -> None:
        self.path = path
        self._bounds = bounds
        self._busy_seconds = busy_seconds
        self._on_damage = on_damage
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file = path
        self._following = path
        self._lock_file: int | None = None
        self._held_for_fork = False

    def put(self, events: Sequence[NewEvent], numbers: bool = True) -> int:
        """Takes events, all or none; gives how many were dropped, of these or of older ones.

        `numbers`: whether they get the next `sequence` of their anonymous id.
        """
        return self._change(lambda db: sum(self._put(db, event, numbers) for event in events))

    def _put(self, db: sqlite3.Connection, event: NewEvent, numbers: bool) -> int:
        dropped, size = 0, len(event.text)
        (held,) = db.execute("SELECT bytes FROM totals").fetchone()
        excess = held + size - self._bounds.most_bytes
        if excess > 0:
            if self._bounds.when_full == "drop_newest" or size > self._bounds.most_bytes:
                return 1
            dropped = _drop_oldest(db, excess)
        sequence = _next_sequence(db, event.anonymous_id) if numbers and event.anonymous_id else None
        values = (event.event_id, sequence, event.text, event.tracked_at, event.steady, event.process)
        db.execute(
            "INSERT INTO events (event_id, sequence, text, tracked_at, steady, process) VALUES (?,?,?,?,?,?)", values
        )
        return dropped

    def take(self, events: int, most_bytes: int) -> list[QueuedEvent]:
        """The oldest events, at least one if there is one. They stay until they are settled."""

        def read(db: sqlite3.Connection) -> list[QueuedEvent]:
            taken: list[QueuedEvent] = []
            size = 0
            for row in db.execute(f"SELECT {_COLUMNS} FROM events ORDER BY position LIMIT ?", (events,)):
                event = QueuedEvent(*row)
                size += len(event.text)
                if taken and size > most_bytes:
                    break
                taken.append(event)
            return taken

        return self._do(read)

    def settle(self, positions: Sequence[int]) -> None:
        """Lets go of events that got their final verdict."""
        rows = [(position,) for position in positions]
        self._change(lambda db: db.executemany("DELETE FROM events WHERE position = ?", rows))

    def clear(self) -> None:
        """Lets go of every event."""
        self._change(lambda db: db.execute("DELETE FROM events"))

    def last(self) -> int:
        """The position of the newest event that was ever put."""
        found = self._do(lambda db: db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone())
        return int(found[0])

    def holds_any_through(self, position: int) -> bool:
        """Whether an event up to this position is still there."""
        look = "SELECT 1 FROM events WHERE position <= ? LIMIT 1"
        return self._do(lambda db: db.execute(look, (position,)).fetchone()) is not None

    def waiting(self) -> tuple[int, int]:
        """How many events there are, and their bytes."""
        events, size = self._do(lambda db: db.execute("SELECT events, bytes FROM totals").fetchone())
        return int(events), int(size)

    def state(self) -> dict[str, str]:
        """What is kept about the install, by name."""
        return dict(self._do(lambda db: db.execute("SELECT name, value FROM state").fetchall()))

    def keep_state(self, name: str, value: str | None, *, if_absent: bool = False) -> None:
        """Keeps a value under a name; None forgets it."""
        verb = "IGNORE" if if_absent else "REPLACE"
        if value is None:
            self._change(lambda db: db.execute("DELETE FROM state WHERE name = ?", (name,)))
        else:
            self._change(lambda db: db.execute(f"INSERT OR {verb} INTO state VALUES (?, ?)", (name, value)))

    def tidy(self) -> None:
        """Moves what was written into the file proper, and forgets the oldest numberings once there are too many."""
        self._do(lambda db: db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone())
        (known,) = self._do(lambda db: db.execute("SELECT count(*) FROM sequences").fetchone())
        if known > MOST_SEQUENCES:
            oldest = "SELECT anonymous_id FROM sequences ORDER BY used LIMIT ?"
            excess = known - MOST_SEQUENCES * 9 // 10
            self._change(lambda db: db.execute(f"DELETE FROM sequences WHERE anonymous_id IN ({oldest})", (excess,)))

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """The right to send from this file, for as long as the block runs; False while another has it."""
        try:
            self._prepare_folder()
            self._lock_file = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise QueueUnavailable(f"{self.path}.lock cannot be opened: {error.strerror}") from None
        descriptor = self._lock_file
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
            except OSError:
                mine = False
            yield mine
        finally:
            if self._lock_file == descriptor:
                self._lock_file = None
                os.close(descriptor)

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._lock:
            self._disconnect()

    def before_fork(self) -> None:
        """Closes the connection, since SQLite forbids that one crosses a fork, and keeps it closed until after it."""
        self._held_for_fork = self._lock.acquire(timeout=5)
        if self._held_for_fork:
            self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Goes on as before."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begins anew. The right to send stays with the parent: only its copy of the descriptor is closed here."""
        if not self._held_for_fork:
            _LEFT_BEHIND.append(self._connection)
        self._connection, self._held_for_fork, self._lock = None, False, threading.Lock()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does work in one transaction."""

        def transaction(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            done = work(db)
            db.execute("COMMIT")
            return done

        return self._do(transaction)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._lock.acquire(timeout=self._busy_seconds):
            raise QueueUnavailable(f"{self.path} is in use by another thread")
        try:
            try:
                return work(self._connect())
            except sqlite3.DatabaseError as error:
                self._disconnect()
                if not _is_corrupt(error):
                    raise
                self._set_aside(error)
            return work(self._connect())
        except (sqlite3.Error, OSError) as error:
            self._disconnect()
            raise QueueUnavailable(f"{self.path} cannot be used: {error}") from None
        except BaseException:  # a signal's exception too: the transaction ends with the connection
            self._disconnect()
            raise
        finally:
            self._lock.release()

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None and os.path.exists(self._following):
            self._disconnect()
        if self._connection is None:
            self._prepare_folder()
            self._file, self._following = self._generation()
            _create(self._file)
            self._connection = sqlite3.connect(
                self._file, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
            self._set_up(self._connection)
        return self._connection

    def _generation(self) -> tuple[Path, Path]:
        """The file in use, and the one that would follow it."""
        files = re.compile(re.escape(self.path.name) + r"\.([0-9]+)")
        found = (files.fullmatch(name) for name in os.listdir(self.path.parent))
        newest = max((int(match[1]) for match in found if match), default=1)
        current = Path(f"{self.path}.{newest}") if newest > 1 else self.path
        return current, Path(f"{self.path}.{newest + 1}")

    def _prepare_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _set_up(self, db: sqlite3.Connection) -> None:
        self._switch_to_wal(db)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")  # what was sent does not linger in the file
        db.execute(f"PRAGMA wal_autocheckpoint = {_AUTO_CHECKPOINT_PAGES}")
        db.execute("PRAGMA journal_size_limit = 8000000")
        if _format(db) == FORMAT:
            return
        db.execute("BEGIN IMMEDIATE")
        found = _format(db)
        if found == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            for statement in _SCHEMA:
                db.execute(statement)
            # A file that follows one which was set aside never repeats a position.
            db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (int(time.time() * 1_000_000),))
            db.execute(f"PRAGMA user_version = {FORMAT}")
        elif found != FORMAT:
            raise sqlite3.OperationalError("it is not a queue of this version; name another file as queue_path")
        db.execute("COMMIT")

    def _switch_to_wal(self, db: sqlite3.Connection) -> None:
        """SQLite does not wait by itself while another process switches the same new file."""
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.005)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Begins the next file. A damaged one is not renamed: who has it open might harm a file in its place."""
        if _create(self._following):
            self._on_damage(f"{self._file} is damaged ({error}): it is left as it is, and {self._following} begun")


_LEFT_BEHIND: list[sqlite3.Connection | None] = []
"""Connections of a parent that a child must neither use nor close."""


def _create(file: Path) -> bool:
    """Makes an empty file that only its owner can read; False if it is there.

    It is never opened otherwise: closing a descriptor of it would end SQLite's locks of this process.
    """
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


def _format(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _next_sequence(db: sqlite3.Connection, anonymous_id: str) -> int:
    (number,) = db.execute(
        "INSERT INTO sequences SELECT ?, 1, seq FROM sqlite_sequence WHERE name = 'events' "
        "ON CONFLICT (anonymous_id) DO UPDATE SET next = next + 1, used = excluded.used RETURNING next - 1",
        (anonymous_id,),
    ).fetchone()
    return int(number)


def _drop_oldest(db: sqlite3.Connection, excess: int) -> int:
    """Makes so many bytes of room; gives how many events went."""
    dropped, last = 0, None
    for position, size in db.execute("SELECT position, length(text) FROM events ORDER BY position"):
        dropped, last, excess = dropped + 1, position, excess - size
        if excess <= 0:
            break
    db.execute("DELETE FROM events WHERE position <= ?", (last,))
    return dropped
