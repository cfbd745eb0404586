"""Landing alone, beside the loop that brings every table along: for streams with more shards than one run can read.

Of the shards each run has a part (`streams/parts.py`), and of `raw_events` all write the same table: a commit carries
the positions of its own shards. Runs that come and go, or take the same shard for theirs, lose and double nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.pipeline.arrivals import LEAST_SECONDS
from event_assets.pipeline.following import Followed
from event_assets.pipeline.land import has_new
from event_assets.pipeline.registry import step_of
from event_assets.pipeline.run import Run


@dataclass(frozen=True)
class Landing:
    """The loop of one part of the shards: `idle_seconds` without records end it, or `is_over` at once. The more parts,
    the longer each waits: all of them commit to one table, one after the other."""

    run: Run
    idle_seconds: float = 30.0
    is_over: Callable[[], bool] = lambda: False

    def stay(self) -> Iterator[Followed]:
        """Lands what comes until nothing has for long enough; gives `raw_events` each time. Raises what landing
        raises."""
        last_came = time.monotonic()
        while not self.is_over():
            began = time.monotonic()
            if has_new(self.run):
                (report,) = step_of(RAW_EVENTS).run(self.run)
                last_came = time.monotonic()
                yield Followed((report.table,), report, last_came - began)
            elif began - last_came >= self.idle_seconds:
                return
            time.sleep(max(0.0, began + LEAST_SECONDS * self.run.part.parts - time.monotonic()))
