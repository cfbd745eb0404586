"""Full-jitter back-off: how long to wait before another attempt.

Says nothing about what is attempted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """Waits a random time between nothing and `base_seconds` doubled per attempt, at most `cap_seconds`.

    The whole range is random (full jitter), so that clients which failed together do not come back together.
    `attempts` counts the first one.
    """

    attempts: int = 10
    base_seconds: float = 0.05
    cap_seconds: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform

    def wait(self, failures: int) -> bool:
        """Sleep after so many failures in a row, at least one. False, without sleeping, if attempts are used up."""
        if failures >= self.attempts:
            return False
        self.sleep(self.uniform(0.0, min(self.cap_seconds, self.base_seconds * 2 ** (failures - 1))))
        return True
