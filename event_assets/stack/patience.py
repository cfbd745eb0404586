"""Waiting for something slow: for as long as it moves, and not for ever where it stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass
class Patience:
    """Lasts `seconds` from the last time that what is waited for was seen to move."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _seen: Hashable = None
    _moved_at: float | None = None

    def is_over(self, seen: Hashable) -> bool:
        """Whether nothing has moved for so long. `seen` is whatever differs when something has."""
        now = self.clock()
        if self._moved_at is None or seen != self._seen:
            self._seen, self._moved_at = seen, now
        return now - self._moved_at > self.seconds
