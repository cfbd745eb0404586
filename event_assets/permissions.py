"""Folders and files that only their owner may enter and read, whatever the umask says: they hold people's behaviour."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = 0o077


def make_private_folder(path: Path) -> None:
    """Makes the folder and what is missing above it, for its owner alone. One that is there stays as it is."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def keep_private(path: Path) -> None:
    """The folder of a home: made where it is missing, and closed to others where an earlier version left it open.

    A folder of somebody else's, or one that all share (sticky, as /tmp), is left as it is.
    """
    make_private_folder(path)
    found = path.stat()
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)


def make_private_file(path: Path) -> None:
    """Makes an empty file for its owner alone, and closes one that is there to others. What it holds stays."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        found = os.fstat(descriptor)
        if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def private_by_default() -> None:
    """Whatever this process and its children make from now on is its owner's alone."""
    os.umask(_OTHERS)
