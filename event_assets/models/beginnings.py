"""From which step on series have a past that later steps may be held against.

Events that come late, and clocks that are wrong, put a few events on days before a platform ran. They are no past: held
against them its first real day would be the most unusual one of all.
"""

from __future__ import annotations

import numpy as np

from event_assets.models.panel import Flags, Numbers

_MOST = 0.9
"""The largest steps that hold so much of everything tell how much a step usually has."""
_WORTH = 1 / 20
"""Of the least of these, what a step must have to be one on which something ran."""
_DENSE = 1 / 6
"""Of the steps of a season, those on which something must have run: nights and weekends may be empty."""


def runs(sizes: Numbers) -> Flags:
    """On which steps something ran, of each series (or one): those that have not next to nothing, by what its steps
    have that hold most of everything."""
    ordered = -np.sort(-np.abs(sizes), axis=-1)
    held = np.cumsum(ordered, axis=-1)
    if not held.size:
        return np.zeros(sizes.shape, dtype=bool)
    last = (held < _MOST * held[..., -1:]).sum(axis=-1, keepdims=True)
    usual = np.take_along_axis(ordered, last, axis=-1)
    ran: Flags = (np.abs(sizes) > 0) & (np.abs(sizes) >= _WORTH * usual)
    return ran


def beginning(ran: Flags, season: int) -> int | None:
    """The first step on which something ran from which on it did on a good part of a whole season. None where there is
    none: what ran for less than a season, or now and then, has no past."""
    before = np.concatenate(([0], np.cumsum(ran)))
    often = before[season:] - before[:-season] >= _DENSE * season
    found = np.flatnonzero(ran[: len(often)] & often)
    return int(found[0]) if len(found) else None
