"""The snapshot of a table that was given last, for as long as nothing came after it, and the last that were opened at
a version.

Whoever asks again and again, as micro-batches do, then asks storage for two files instead of loading the whole log,
which takes the longer the more files the table has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from event_assets.lake.snapshot import Snapshot
    from event_assets.lake.storage import Storage


_OPENED = 6
"""Versions of a table that stay open at the most: each table that follows asks for the one that it has taken in."""
_FILES = 12_000
"""Files that these have together, about: an open version holds some 4 KB of each."""


class _Commit(NamedTuple):
    """The log's file of a version: another table's, under the same name, has another."""

    size: int
    modified: int


class Newest:
    """Keeps it for the table of this name."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._log = f"{name}/_delta_log"
        self._kept: tuple[Snapshot, _Commit | None] | None = None
        self._opened: dict[int, tuple[Snapshot, _Commit | None]] = {}

    def keep(self, snapshot: Snapshot) -> Snapshot:
        """From now on it is this one; gives it."""
        self._kept = self._open(snapshot)
        return snapshot

    def keep_later(self, snapshot: Snapshot) -> Snapshot:
        """The same, where one is kept that is earlier."""
        kept, opened = self._kept, self._open(snapshot)
        if kept and kept[0].version < snapshot.version:
            self._kept = opened
        return snapshot

    def _open(self, snapshot: Snapshot) -> tuple[Snapshot, _Commit | None]:
        opened = snapshot, self._commits_from(snapshot.version)[0]
        last = sorted({**self._opened, snapshot.version: opened}.items())[-self._most() :]
        self._opened = dict(last)  # in one go: other threads read it
        return opened

    def _most(self) -> int:
        """How many versions may stay open, by what the last checkpoint says of their size."""
        try:
            checkpoint = json.loads(self._storage.read(f"{self._log}/_last_checkpoint"))
            return min(_OPENED, max(1, _FILES // max(1, int(checkpoint["size"]))))
        except FileNotFoundError:
            return _OPENED

    def at(self, version: int) -> Snapshot | None:
        """The one that was opened at this version, where it is known and the log's file of it is the same."""
        snapshot, commit = self._opened.get(version, (None, None))
        if snapshot is None or commit is None or snapshot.delta.version() != version:  # a vacuum moves it on
            return None
        return snapshot if commit == self._commits_from(version)[0] else None

    def known(self) -> Snapshot | None:
        """The one that is kept, where it is still the newest."""
        kept = self._kept
        return kept[0] if kept and [kept[1], None] == self._commits_from(kept[0].version) else None

    def _commits_from(self, version: int) -> list[_Commit | None]:
        """That of a version, and that of the next; None where there is none."""
        names = (f"{self._log}/{number:020d}.json" for number in (version, version + 1))
        infos = self._storage.filesystem.get_file_info([self._storage.path(name) for name in names])
        return [_Commit(info.size, info.mtime_ns) if info.is_file else None for info in infos]
