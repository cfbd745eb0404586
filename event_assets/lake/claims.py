"""Taking turns at a table: who lost its commit again and again says so, and the others let it go first.

Commits stay conditional on the version that they were made from; a claim only keeps a writer that takes long from
losing for ever to one that takes short. It is a small file beside the table that ends by itself, so that one whose
writer was killed holds nobody up for long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from event_assets.lake.storage import Storage

LONGEST_SECONDS = 60.0
"""After which a claim ends at the latest."""
_LOOK_SECONDS = 0.1
_mine = threading.local()


@contextmanager
def claim(storage: Storage, table: str, seconds: float) -> Iterator[None]:
    """Within the block, and for so many seconds at the most, others that commit to the table wait."""
    number = time.time_ns()
    until = number + int(min(seconds, LONGEST_SECONDS) * 1e9)
    name = f"{table}/_claims/{number}-{until}"
    for other, ended in _claims(storage, table):
        if ended < number:  # its writer was killed
            _remove(storage, f"{table}/_claims/{other}-{ended}")
    storage.write(name, b"")
    held = _held()
    held[table] = number
    try:
        yield
    finally:
        held.pop(table, None)
        _remove(storage, name)


def give_way(storage: Storage, table: str) -> None:
    """Returns when no claim on the table is older than the one that this thread has, if it has any."""
    own = _held().get(table)
    while any((own is None or number < own) and until > time.time_ns() for number, until in _claims(storage, table)):
        time.sleep(_LOOK_SECONDS)


def _remove(storage: Storage, name: str) -> None:
    with suppress(FileNotFoundError):
        storage.filesystem.delete_file(storage.path(name))


def _claims(storage: Storage, table: str) -> Iterator[tuple[int, int]]:
    for path, _ in storage.walk(f"{table}/_claims"):
        number, _, until = path.rpartition("/")[2].partition("-")
        if number.isdigit() and until.isdigit():
            yield int(number), int(until)


def _held() -> dict[str, int]:
    held: dict[str, int] = _mine.__dict__.setdefault("held", {})
    return held
