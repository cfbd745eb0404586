"""How often a service may end by itself: a crash now and then in years is no reason to give up, a loop is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_RESTARTS = 5
"""Unexpected ends of one service within an hour after which the stack gives up."""
WITHIN_SECONDS = 3600.0


@dataclass
class Restarts:
    """The unexpected ends of each service in the last hour."""

    clock: Callable[[], float] = time.monotonic
    _ends: dict[str, deque[float]] = field(default_factory=dict)

    def are_too_many(self, service: str) -> bool:
        """Notes that the service has ended; whether it has done so too often within the hour."""
        now = self.clock()
        ends = self._ends.setdefault(service, deque(maxlen=MOST_RESTARTS + 1))
        ends.append(now)
        return len(ends) > MOST_RESTARTS and now - ends[0] < WITHIN_SECONDS
