"""Days that are behind, brought along in rounds: those that a run was asked for, then those that wait longest.

A round is of the tables by days; what else follows from them is brought along once, after the last. Beside events that
keep coming the first round is small, and one run takes many of them: what Dagster keeps of a run is the same for one
round as for ten. How many days a round takes follows from how long they take: most of what a round of
few events costs is the same for a day as for a hundred.
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
ROUND_SECONDS = 60.0
"""After a round that took less the next has twice as many days, after one that took longer half as many."""
MOST_OF_A_ROUND = 365
"""Days that a round takes at the most, however short it is."""


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
    rounds: int = 0
    _most: int = field(default_factory=lambda: MOST_DAYS)

    def stay(self) -> Iterator[Followed]:
        """Brings the days along, and what follows from them; gives each table that was brought up to date. A round in
        which some were not is the last; in the end `FollowingFailed` is raised then."""
        until, days = self.clock() + STAYS_SECONDS, list(self.days)
        while days:
            began = self.clock()
            yield from self._told(self.following.catch_up(days))
            if self.faults:
                break
            self.done.update(days)
            self.rounds, now = self.rounds + 1, self.clock()
            self._most = days_after(self._most, now - began)
            days = self._next() if now < until and self.goes_on() else []
        yield from self._told(self.following.come_along({*self.faults}))
        if self.faults:
            raise FollowingFailed.of(self.faults)

    def _told(self, followed: Iterator[Followed | Fault]) -> Iterator[Followed]:
        """What was brought up to date; what was not is kept in mind."""
        for each in followed:
            if isinstance(each, Fault):
                self.faults[each.name] = each.error
            else:
                yield each

    def _next(self) -> list[str]:
        furthest = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=self.following.backdate_days))
        waiting = pending(self.following.run.lake, BY_EVENT_DATE).in_turn()
        return [day for day in waiting if day < furthest and day not in self.done][: self._most]


def days_after(most: int, seconds: float) -> int:
    """How many days a round takes at the most, after one that took so many at the most, and so long."""
    return min(2 * most, MOST_OF_A_ROUND) if seconds < ROUND_SECONDS else max(most // 2, MOST_DAYS)
