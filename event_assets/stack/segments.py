"""Segments for whoever writes them: how many people one would have, before it is made; and who is in one, as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.people import last_date
from event_assets.pipeline.refusals import kept_from_others, without
from event_assets.pipeline.segments import members_on, memberships
from event_assets.rules.segment import Segment
from event_assets.rules.segment_files import Segments
from event_assets.transforms.segments.segment_memberships import members_by_day
from event_assets.transforms.sessions.sessionise import SessionRules

DAYS = 14


class SegmentError(ValueError):
    """There is no such segment, or nothing to make it of. The message says what to do."""


@dataclass(frozen=True)
class Preview:
    """How many people were in a segment at the end of each of the last days, the last event date of the lake as the
    last; how many came and went on it; and how many people there are."""

    segment: str
    members: dict[str, int]
    entered: int
    left: int
    people: int


def preview(lake: Lake, spark: SparkSession, segments: Segments, rules: SessionRules, name: str) -> Preview:
    """What a segment would be with the lake as it is. Nothing is written. Raises `SegmentError`."""
    chosen = Segments(tuple(_with_parts(segments, name)))
    if not lake.table(IDENTITIES.name).exists():
        raise SegmentError("The lake has no people yet: send events, and let their tables follow.")

    def rows(table: Table) -> DataFrame:
        return lake.table(table.name).snapshot().read(spark)

    last = last_date(lake.table(ENRICHED_EVENTS.name).snapshot())
    found = memberships(rows, chosen, last, rules).where(F.col("segment") == name).persist()
    changes = {row["event_date"]: int(row["members"]) for row in members_by_day(found).collect()}
    days = [last - dt.timedelta(days=back) for back in reversed(range(DAYS))]
    members = {day: int(count) for day, count in members_on(changes, days).items()}
    entered, left = (found.where(F.col(column) == F.lit(last)).count() for column in ("from_date", "to_date"))
    return Preview(name, members, entered, left, lake.table(USERS.name).snapshot().rows)


def export_members(lake: Lake, segments: Segments, name: str, place: str) -> int:
    """Writes who is in a segment, as segment_memberships last said: `person_id` and `from_date`, by person. Whoever
    refused to be known to others, by their last answer, is left out. CSV, or Parquet where the place ends so: a file
    here, or an object of `s3://`, by the lake's region and endpoint. Gives how many there are. Raises `SegmentError`.
    """
    _with_parts(segments, name)
    rows = (
        lake.table(SEGMENT_MEMBERSHIPS.name)
        .snapshot()
        .arrow(columns=("segment", "person_id", "from_date", "is_current"))
    )
    found = without(rows.filter(pc.and_(pc.equal(rows["segment"], name), rows["is_current"])), kept_from_others(lake))
    members = found.select(["person_id", "from_date"]).sort_by("person_id")
    _write(members, place, lake.storage)
    return int(members.num_rows)


def _write(members: pa.Table, place: str, by: Storage) -> None:
    write = {".csv": pa_csv.write_csv, ".parquet": pq.write_table}.get(Path(place).suffix)
    if write is None:
        raise SegmentError(f"{place}: a file that ends with .csv or .parquet can be written.")
    to = replace(by, url=place)
    try:
        with to.filesystem.open_output_stream(to.path(), compression=None) as stream:
            write(members, stream)
    except OSError as fault:
        raise SegmentError(f"{place} cannot be written: {fault}") from None


def _with_parts(segments: Segments, name: str) -> list[Segment]:
    """The segment, after those that it is made of."""
    usable = {segment.name: segment for segment in segments.usable}
    if name in segments.unusable:
        why = segments.faults.get(name, "its file has a fault, which `event-assets segments check` shows")
        raise SegmentError(f"The segment {name!r} cannot be used: {why}")
    if name not in usable:
        raise SegmentError(f"There is no segment {name!r}; there are {', '.join(sorted(usable)) or 'none'}.")

    def parts(of: str) -> Iterator[str]:
        for each in usable[of].segments_named():
            yield from parts(each)
        yield of

    return [usable[each] for each in dict.fromkeys(parts(name))]
