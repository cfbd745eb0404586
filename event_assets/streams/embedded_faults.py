"""What SQLite and the disk say when the embedded log cannot go on, as the stream's own errors.

Each error is one sentence that names the file and a way out. Nothing is tried again here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from event_assets.streams.protocol import StreamBusy, StreamDamaged, StreamError, StreamFull, StreamReadOnly

ROOM_BYTES = 1 << 20
"""Free bytes without which the log counts as full: a record, its index and the write-ahead log's pages."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT)
_DENIED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


@contextlib.contextmanager
def as_stream_errors(path: Path) -> Iterator[None]:
    """Raises what the block fails with as a `StreamError` of the log at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _of_sqlite(path, error) from error
    except OSError as error:
        raise _of_system(path, error) from error


def require_room(path: Path) -> None:
    """Raises `StreamFull` or `StreamReadOnly` where a record could not be written to the log at `path` now."""
    with as_stream_errors(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
        with tempfile.TemporaryFile(dir=path.parent) as room:
            os.posix_fallocate(room.fileno(), 0, ROOM_BYTES)


def damaged(path: Path, what: object) -> StreamDamaged:
    """The error of a log that cannot be read any more."""
    return StreamDamaged(
        f"{path} is no event stream, or a damaged one ({what}). Stop what uses it; `event-assets doctor` says what "
        "of it can be read and how to heal it."
    )


def _of_sqlite(path: Path, error: sqlite3.Error) -> StreamError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF
    if primary in _BUSY:
        return StreamBusy(f"{path} is in use by another process ({error}): try again")
    if primary == sqlite3.SQLITE_FULL:
        return _full(path, error)
    if primary in _DENIED:
        return _read_only(path, error)
    if primary == sqlite3.SQLITE_IOERR and code != sqlite3.SQLITE_IOERR_SHORT_READ:
        return _full(path, error) if _has_no_room(path) else _unreadable(path, error)
    return damaged(path, error)


def _of_system(path: Path, error: OSError) -> StreamError:
    if error.errno in _FULL:
        return _full(path, error.strerror)
    if error.errno in _READ_ONLY:
        return _read_only(path, error.strerror)
    return _unreadable(path, error.strerror)


def _full(path: Path, what: object) -> StreamFull:
    return StreamFull(
        f"{path} cannot grow ({what}): make room on the disk of {path.parent}, or raise its quota. Nothing is lost: "
        "what was not acknowledged is sent again."
    )


def _read_only(path: Path, what: object) -> StreamReadOnly:
    return StreamReadOnly(
        f"{path} cannot be written ({what}): give this user the right to write to it and to {path.parent}, or set "
        "EVENT_ASSETS_HOME to a folder that can be written."
    )


def _unreadable(path: Path, what: object) -> StreamError:
    return StreamError(f"{path} cannot be used ({what}): look at the disk it is on, and at the system's log.")


def _has_no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < ROOM_BYTES
    except OSError:
        return False
