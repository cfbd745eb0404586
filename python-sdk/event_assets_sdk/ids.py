"""Version 7 UUIDs (RFC 9562): they sort by the time at which they were made."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

_TAIL_BITS = 74


class Uuid7:
    """Makes ids that only ever grow within a process, even when the clock is set back. Safe for many threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._milliseconds = 0
        self._tail = 0

    def __call__(self) -> str:
        """The next id. Within one millisecond ids grow by a random step, so that they cannot be guessed."""
        with self._lock:
            now = int(self._clock() * 1000)
            if now > self._milliseconds:
                self._milliseconds, self._tail = now, _random(_TAIL_BITS - 1)
            else:
                self._tail += 1 + _random(32)
                if self._tail >> _TAIL_BITS:
                    self._milliseconds, self._tail = self._milliseconds + 1, _random(_TAIL_BITS - 1)
            return _dashed(self._milliseconds, self._tail)


def _random(bits: int) -> int:
    return int.from_bytes(os.urandom(10), "big") & ((1 << bits) - 1)


def _dashed(milliseconds: int, tail: int) -> str:
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    bits = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
