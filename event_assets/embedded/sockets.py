"""What is this user's alone on this machine: a folder, and the Unix sockets in it. A port on loopback would be open to
every user."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from event_assets.embedded.service import StackError


def private_folder() -> Path:
    """A folder that only this user may enter, with a path short enough for sockets. Raises `StackError` where another
    user made it."""
    folder = Path(tempfile.gettempdir()) / f"event-assets-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StackError(f"{folder} must be a folder that is yours alone (mode 0700): remove it, or set TMPDIR.")
    return folder


def socket_path(name: str) -> Path:
    """Where a socket of that name is: in the private folder. Raises `StackError` where that is another's."""
    return private_folder() / f"{name}.sock"


def socket_of(home: Path, service: str) -> Path:
    """Where a service of the stack of a home has its socket: always the same, so that its clients find it again."""
    return socket_path(f"{service}-{hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:16]}")
