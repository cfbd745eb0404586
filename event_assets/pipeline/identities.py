"""identities: of the ids that new events carry, most are only seen again, and their rows follow from what they were; so
do those of whom a device and its first user make one person.

Only of whom an event may say more the events of before are read: who are one person can change with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.people import CODE
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import CARRIERS, listed, of_ids
from event_assets.transforms.identity.after_meetings import Identities, after_meetings
from event_assets.transforms.identity.identities import affected_ids, all_ids, events_of, identities, meetings

_OF_EVENTS = (*CARRIERS, "event", "derived_at", "received_at", "properties")


def identities_step(run: Run) -> StepReport:
    """Brings identities up to date."""
    changes = _Changes()
    how = KeyedRefresh(IDENTITIES, (ENRICHED_EVENTS,), CODE, _whole, changes.affected, changes.part)
    return refresh_keys(run, how)


def _whole(work: Work) -> Result:
    found = identities(work.rows(ENRICHED_EVENTS), work.checkpoint, known=_known(work))
    return Result(found.rows, {"rounds": found.rounds})


def _known(work: Work, ids: list[str] | None = None) -> DataFrame | None:
    """Who was known on days that are gone."""
    known = work.known_of(ids)
    return None if known is None else known.where(F.col("first_seen_at") < F.lit(work.horizon).cast("timestamp"))


@dataclass
class _Changes:
    """What came, told apart: of whom it may say more, and the rows of all others."""

    _again: list[str] = field(default_factory=list)
    _rows: DataFrame | None = None

    def affected(self, work: Work) -> list[str] | None:
        met = work.checkpoint(meetings(work.changed(ENRICHED_EVENTS, _OF_EVENTS)))
        ids = listed(all_ids(met))
        if not ids:
            return ids
        known = Identities(lambda: work.existing, work.existing_of)
        if work.lost(ENRICHED_EVENTS):
            again = affected_ids(met, lambda: work.rows(ENRICHED_EVENTS), known.every)
            self._again = again or []
            return again
        after = after_meetings(met, ids, lambda: work.rows(ENRICHED_EVENTS), known, work.checkpoint)
        if after is None:
            return None
        self._again, self._rows = after.again, after.rows
        return after.ids

    def part(self, work: Work, ids: list[str]) -> Result:
        if self._rows is not None and not self._again:
            return Result(self._rows, {"rounds": 0})
        events = events_of(work.rows(ENRICHED_EVENTS), self._again)
        found = identities(events, work.checkpoint, known=_known(work, self._again))
        rows = of_ids(found.rows, self._again, "id")
        return Result(rows.unionByName(self._rows) if self._rows is not None else rows, {"rounds": found.rounds})
