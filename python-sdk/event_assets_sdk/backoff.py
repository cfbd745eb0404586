"""How long to wait before the next try: full jitter over an exponential ceiling, and never less than was asked for."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Callable, Mapping

LONGEST_ASKED = 86_400.0
"""Seconds that a `Retry-After` is believed."""


class Backoff:
    """The waits after one failure, after the second, … from `first` seconds to at most `most`."""

    def __init__(self, first: float, most: float, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._first = first
        self._most = most
        self._uniform = uniform
        self._failures = 0

    def wait(self, asked: float | None = None) -> float:
        """Seconds to wait after one more failure; `asked` is what the server asked for."""
        ceiling = min(self._most, self._first * 2.0 ** min(self._failures, 60))
        self._failures += 1
        return self._uniform(0.0, ceiling) + (asked or 0.0)

    def begin_anew(self) -> None:
        """After a success."""
        self._failures = 0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` asks for, a date counted from the server's own `Date`; None if it asks nothing."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked[:9]), LONGEST_ASKED)
    try:
        until = email.utils.parsedate_to_datetime(asked)
        now = email.utils.parsedate_to_datetime(headers.get("date", ""))
        return min(max(0.0, (until - now).total_seconds()), LONGEST_ASKED)
    except (ValueError, TypeError):
        return None
