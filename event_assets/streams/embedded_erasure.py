"""Rewrites records of the embedded log in their places, so that no byte of what they were is left in its files."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from event_assets.streams.embedded_faults import as_stream_errors
from event_assets.streams.embedded_tables import EPOCH, transaction

_AT_ONCE = 500
_NEXT = """
SELECT sequence, partition_key, data, arrived_at FROM records WHERE sequence > ? ORDER BY sequence LIMIT ?
"""


class Rewritten(NamedTuple):
    """What a record becomes."""

    partition_key: str
    data: bytes


Change = Callable[[str, bytes, dt.datetime], Rewritten | None]
"""What becomes of a record, by key, bytes and time of arrival; None where it stays."""


def rewrite_records(path: Path, change: Change, busy_seconds: float = 30.0) -> int:
    """Rewrites the records of a log that are to change, a few in a transaction; the others wait no longer than for a
    put. Gives how many. Sequence numbers stay. Raises `StreamError` where the file cannot be written."""
    if not path.exists():
        return 0
    rewritten, last = 0, -1
    with as_stream_errors(path), contextlib.closing(_open(path, busy_seconds)) as connection:
        while rows := connection.execute(_NEXT, (last, _AT_ONCE)).fetchall():
            last = rows[-1][0]
            changed = []
            for sequence, key, data, arrived in rows:
                made = change(key, data, EPOCH + dt.timedelta(microseconds=arrived))
                if made is not None:
                    changed.append((made.partition_key, made.data, sequence))
            if changed:
                with transaction(connection, "IMMEDIATE"):
                    connection.executemany("UPDATE records SET partition_key = ?, data = ? WHERE sequence = ?", changed)
                rewritten += len(changed)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rewritten


def _open(path: Path, busy_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    connection.execute("PRAGMA secure_delete = ON")  # what an UPDATE frees is written over with zeros
    return connection
