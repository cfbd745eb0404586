"""Whose the sessions are, on whatever day they began: those whose device's user or person became another are stitched
again, and no others.

How a session is stitched stands in transforms/identity/stitching.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.changed_rows import changed_rows, readable
from event_assets.pipeline.event_index import EventIndex
from event_assets.transforms.affected import CARRIERS, FEW, carried_ids, carrying, frame_of, listed, marked, of_ids
from event_assets.transforms.identity.stitching import IDENTITY_COLUMNS, reassigned_ids, stitch
from event_assets.transforms.sessions.event_days import carrier_hash, find_days

_CONCERNED = "_is_concerned"


@dataclass(frozen=True)
class Stitching:
    """The sessions as they are, the identities that they are to be stitched to, and the index that finds them."""

    spark: SparkSession
    sessions: Snapshot
    identities: Snapshot
    index: EventIndex

    @cached_property
    def _reassigned(self) -> DataFrame | None:
        """The ids whose sessions may become another person's; None where that is not known."""
        then = readable(self.identities, self.sessions.progress.consumed(IDENTITIES.name))
        return (
            None if then is None else reassigned_ids(changed_rows(self.spark, then, self.identities, IDENTITY_COLUMNS))
        )

    @cached_property
    def _ids(self) -> list[str] | None:
        """The same as a list; None where they are too many to be listed, or not known."""
        if not self.sessions.files or self.sessions.progress.consumed(IDENTITIES.name) == self.identities.consumed:
            return []
        return None if self._reassigned is None else listed(self._reassigned)

    @cached_property
    def days(self) -> list[str]:
        """The days on which sessions of these ids begin."""
        if self._ids == []:
            return []
        if self._reassigned is None:
            return sorted(self.sessions.dates())
        ids = self._reassigned
        if self._ids is not None:
            ids = frame_of(self.spark, self._ids)
        found = {str(day) for day in find_days(self.index.rows, ids.select(carrier_hash("id")))}
        if self._ids is None:
            return sorted(found & self.sessions.dates())
        near = carrying(self.sessions.read(self.spark, self.sessions.of_dates(found)), self._ids)
        return sorted(str(row["event_date"]) for row in near.select("event_date").distinct().collect())

    def stitch(self, made: DataFrame, existing: DataFrame) -> DataFrame:
        """Session rows that were made, and those that stand: the first stitched, the others too if they need
        it. Standing rows on other days than `days` need none."""
        if self._ids is None:
            return self._stitched(made.unionByName(existing))
        if not self._ids:
            return self._stitched(made).unionByName(existing)
        known = marked(existing, self._ids, _CONCERNED, *CARRIERS)
        concerned, others = (known.where(each).drop(_CONCERNED) for each in (F.col(_CONCERNED), ~F.col(_CONCERNED)))
        return self._stitched(made.unionByName(concerned)).unionByName(others)

    def done(self, progress: Progress) -> Progress:
        """The sessions' progress once they are stitched."""
        return progress.with_consumed(IDENTITIES.name, self.identities.consumed)

    def _stitched(self, rows: DataFrame) -> DataFrame:
        ids, identities = listed(carried_ids(rows), FEW), self.identities.read(self.spark)
        return stitch(rows, identities if ids is None else of_ids(identities, ids, "id"))
