"""When people come: by hour of their day, day of the week and time of the year. Pure numbers, mean about 1."""

from __future__ import annotations

import datetime as dt
import math

_HOURS = (
    0.30, 0.18, 0.12, 0.10, 0.12, 0.22, 0.45, 0.80, 1.15, 1.40, 1.50, 1.45,
    1.30, 1.35, 1.40, 1.40, 1.35, 1.30, 1.40, 1.60, 1.75, 1.60, 1.10, 0.66,
)  # fmt: skip
_WEEKDAYS = (1.10, 1.12, 1.10, 1.05, 0.95, 0.80, 0.88)


def intensity(local: dt.datetime) -> float:
    """How much more than usual happens at this local time."""
    hour = _HOURS[local.hour] + (_HOURS[(local.hour + 1) % 24] - _HOURS[local.hour]) * local.minute / 60
    return hour * _WEEKDAYS[local.weekday()] * _year(local.timetuple().tm_yday)


def _year(day: int) -> float:
    """New sites in January, gifts from the end of November, quiet summers."""
    january = 0.35 * math.exp(-(((day - 10) / 18) ** 2))
    gifts = 0.45 * math.exp(-(((day - 334) / 9) ** 2))
    summer = -0.18 * math.exp(-(((day - 215) / 30) ** 2))
    return 1 + january + gifts + summer
