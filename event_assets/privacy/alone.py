"""One process at a time takes people's data away: erasures and retention keep each other out."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from event_assets.permissions import keep_private


class ErasureRunning(RuntimeError):
    """Another process is taking data away from this home."""


@contextmanager
def alone(lock: Path | None) -> Iterator[None]:
    """Keeps others out by a file, where one is named. Raises `ErasureRunning` where another is at it."""
    if lock is None:
        yield
        return
    keep_private(lock.parent)
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ErasureRunning(f"Another process is erasing just now ({lock} is locked).") from None
        yield
