"""Days that are behind, brought along in rounds: those that a run was asked for, then those that wait longest.

Beside events that keep coming each round is small, and one run takes many of them: what Dagster keeps of a run is
the same for one round as for ten.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from event_assets.pipeline.arrivals import FollowingFailed
from event_assets.pipeline.following import MOST_DAYS, Fault, Followed, Following
from event_assets.pipeline.pending_days import BY_EVENT_DATE, pending

STAYS_SECONDS = 900.0
"""After which no further round begins."""


@dataclass
class LateDays:
    """The rounds: the first of the given days; while `goes_on` of those from before a client may date back, no day
    twice."""

    following: Following
    days: Sequence[str]
    goes_on: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    done: set[str] = field(default_factory=set)
    """Days that were brought along."""
    faults: dict[str, Exception] = field(default_factory=dict)

    def stay(self) -> Iterator[Followed]:
        """Brings the days along; gives each table that was brought up to date. Raises `FollowingFailed` at the end of a
        round in which some were not."""
        until, days = self.clock() + STAYS_SECONDS, list(self.days)
        while days:
            for each in self.following.catch_up(days):
                if isinstance(each, Fault):
                    self.faults[each.name] = each.error
                else:
                    yield each
            if self.faults:
                raise FollowingFailed.of(self.faults)
            self.done.update(days)
            days = self._next() if self.clock() < until and self.goes_on() else []

    def _next(self) -> list[str]:
        furthest = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=self.following.backdate_days))
        waiting = pending(self.following.run.lake, BY_EVENT_DATE).in_turn()
        return [day for day in waiting if day < furthest and day not in self.done][:MOST_DAYS]
