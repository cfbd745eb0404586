"""What becomes of identities after meetings of events that came: whose follow from the identities as they are, and of
whom the events of before are read again.

Which meetings tell how much is known in known_meetings.py, what identities are made of in identities.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.transforms.affected import CARRIERS, frame_of, listed, of_ids
from event_assets.transforms.checkpoint import Checkpoint
from event_assets.transforms.identity.identities import affected_ids
from event_assets.transforms.identity.known_meetings import PERSONS, joined, told_apart


class AfterMeetings(NamedTuple):
    """The `ids` of all whose rows may change; of those of `again` all events are read again, of all others these are
    the `rows`, in the columns of `IDENTITIES`."""

    ids: list[str]
    again: list[str]
    rows: DataFrame


class Identities(NamedTuple):
    """The identities as they are: `every` one, and those `of` some ids."""

    every: Callable[[], DataFrame]
    of: Callable[[Sequence[str]], DataFrame]


def after_meetings(
    met: DataFrame, ids: Sequence[str], events: Callable[[], DataFrame], known: Identities, checkpoint: Checkpoint
) -> AfterMeetings | None:
    """What follows of `meetings` of events that came, in which are these ids; `events` gives all events as they are
    now. None where those who are affected are too many to be listed."""
    told = told_apart(met, checkpoint(known.of(ids)), checkpoint)
    pairs = told.pairs.toArrow().to_pylist()
    first_seen = _first_seen(pairs, known)
    again = affected_ids(told.others, events, known.every)
    if again is None:
        return None
    theirs = {pair[name] for pair in pairs for name in CARRIERS}
    if first_seen is None or not theirs.isdisjoint(again):
        again, pairs = affected_ids(told.others.unionByName(told.pairs.select(*met.columns)), events, known.every), []
        if again is None:
            return None
    renamed = joined(pairs, first_seen or {})
    rows, more = told.rows, list[str]()
    if renamed:
        theirs_too = of_ids(known.every(), sorted(renamed), "person_id")
        moved = checkpoint(theirs_too.join(frame_of(met.sparkSession, ids), "id", "left_anti").select(*rows.columns))
        rows, more = _renamed(rows.unionByName(moved), renamed), listed(moved.select("id").distinct()) or []
    if again:
        rows = rows.join(frame_of(met.sparkSession, again), "id", "left_anti").select(*told.rows.columns)
    return AfterMeetings(sorted({*again, *ids, *more}), again, rows)


def _first_seen(pairs: Sequence[dict[str, Any]], known: Identities) -> dict[str, Any] | None:
    """When the known persons of pairs were first seen; None where one of them has no id that it is named by."""
    persons = {pair[name] for pair in pairs for name in PERSONS} - {None}
    if not persons:
        return {}
    found = known.of(sorted(persons)).where("id = person_id").groupBy("id").agg(F.min("first_seen_at").alias("at"))
    at = {row["id"]: row["at"] for row in found.toArrow().to_pylist()}
    return at if at.keys() == persons else None


def _renamed(rows: DataFrame, renamed: dict[str, str]) -> DataFrame:
    """The rows, each of the person that it is of from now on."""
    names = rows.sparkSession.createDataFrame([*renamed.items()], "person_id STRING, _person STRING")
    person = F.coalesce("_person", "person_id")
    return rows.join(names, "person_id", "left").withColumn("person_id", person).select(*rows.columns)
