"""The two clocks of the SDK: the one on the wall, which may jump, and a steady one, which only measures."""

from __future__ import annotations

import datetime as dt
import time

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady() -> float:
    """Seconds that pass evenly, those of a sleeping computer too. Only differences within one process mean anything."""
    return time.clock_gettime(_STEADY)


def rfc3339(at: float) -> str:
    """That moment (epoch seconds) in UTC with milliseconds."""
    return instant_text(dt.datetime.fromtimestamp(at, dt.UTC))


def instant_text(at: dt.datetime) -> str:
    """RFC 3339 in UTC with milliseconds. A time without a zone is local time, as everywhere in Python."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
