"""The online table as a SQLite file, which is written beside and then takes the other's place."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from event_assets.online.table import Fact, Facts, Found, Ids, OnlineError
from event_assets.permissions import keep_private

_MAKE = """
CREATE TABLE members (person_id TEXT, segment TEXT, since TEXT, PRIMARY KEY (person_id, segment)) WITHOUT ROWID;
CREATE TABLE ids (id TEXT, id_type TEXT, person_id TEXT, PRIMARY KEY (id, id_type)) WITHOUT ROWID;
CREATE TABLE made (version TEXT, at TEXT);
"""
_ADD_ID = """
INSERT OR IGNORE INTO ids (id_type, id, person_id)
SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM members WHERE person_id = ?3)
"""
_FIND = """
SELECT segment, since FROM members
WHERE person_id = (SELECT person_id FROM ids WHERE id = ? ORDER BY id_type DESC LIMIT 1)
ORDER BY segment
"""


class SqliteTable:
    """A file that is never changed, only replaced: readers take no lock, and open the new one once it is there."""

    waits = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def version(self) -> str:
        try:
            return str(self._connection().execute("SELECT version FROM made").fetchone()[0])
        except OnlineError:
            return ""

    def replace(self, facts: Facts, ids: Ids, version: str, made_at: dt.datetime) -> int:
        keep_private(self._path.parent)
        fresh = self._path.with_suffix(f".{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        try:
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                # Nobody else sees the file before it is whole.
                connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_MAKE}")
                connection.execute("BEGIN")
                for rows in facts:
                    connection.executemany("INSERT OR IGNORE INTO members VALUES (?, ?, ?)", rows)
                for batch in ids:
                    connection.executemany(_ADD_ID, batch)
                connection.execute("INSERT INTO made VALUES (?, ?)", (version, made_at.isoformat()))
                [count] = connection.execute("SELECT count(*) FROM ids").fetchone()
                connection.execute("COMMIT")
            with open(fresh, "rb") as written:
                os.fsync(written.fileno())
            os.replace(fresh, self._path)
        finally:
            fresh.unlink(missing_ok=True)
        return int(count)

    def find(self, ids: Sequence[str]) -> Found:
        try:
            connection = self._connection()
            found = {id_: [Fact(*row) for row in connection.execute(_FIND, (id_,))] for id_ in ids}
        except sqlite3.Error as error:
            raise OnlineError(f"{self._path} cannot be read: {error}") from None
        return Found(found, self._local.made_at)

    def close(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> sqlite3.Connection:
        """This thread's, to the file that is there now."""
        try:
            stat = self._path.stat()
        except OSError:
            raise OnlineError(f"there is no {self._path} yet") from None
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if getattr(self._local, "connection", None) is None or self._local.stamp != stamp:
            self.close()
            # Immutable: no lock is taken, for the file of this inode does not change.
            address = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            try:
                connection = sqlite3.connect(address, uri=True, isolation_level=None)
                made_at = dt.datetime.fromisoformat(connection.execute("SELECT at FROM made").fetchone()[0])
            except (sqlite3.Error, TypeError) as error:
                raise OnlineError(f"{self._path} cannot be read: {error}") from None
            self._local.connection, self._local.made_at, self._local.stamp = connection, made_at, stamp
        found: sqlite3.Connection = self._local.connection
        return found
