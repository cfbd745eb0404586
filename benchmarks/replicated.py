"""A lake many times as large as the platform made it: every row about somebody once more, of others, as often as is
wanted, and every table at the place of the data where it was. What is counted of all together stays as it is: it is
made again of its days, of which none is today's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import DUPLICATE_EVENTS, ENRICHED_EVENTS, EVENT_IDS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import EVENT_DAYS, SESSIONS
from event_assets.lake.clusters import in_order
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.registry import STEPS
from event_assets.transforms.sessions.event_days import days_of_events, days_of_sessions

_IDS = {
    *("event_id", "anonymous_id", "user_id", "session_id", "page_view_id", "person_id", "stitched_user_id"),
    *("first_session_id", "id", "conversion_id", "shard_id"),
}
"""The columns that tell one from another."""
_ROWS = 250_000
"""Rows of a file at the most, but of tables whose files follow each other."""


def copy_of(name: str, copy: int) -> str:
    """The id of whom the copy of this number has in the place of somebody."""
    return f"{name}~{copy}" if copy else name


def replicate(lake: Lake, spark: SparkSession, times: int) -> None:
    """Makes the lake so many times as large. Every table must have taken in all that there is."""
    before, after = dict[str, int](), dict[str, int]()
    for spec in sorted((table for step in STEPS for table in step.tables), key=_order):
        base = lake.table(spec.name).snapshot()
        if spec is EVENT_DAYS:
            files = _index(lake, spark, base)
        elif _IDS.isdisjoint(spec.column_names) or not base.files:
            files = []
        elif spec.clustered_by:
            files = [*_clustered(base, times)]
        else:
            files = [*_by_file(base, times)]
        before[spec.name] = base.version
        after[spec.name] = _commit(base, before, after, files)


def _order(table: Table) -> int:
    """The order of the data, in which each is committed after all that it says it has taken in."""
    names = [each.name for step in STEPS for each in step.tables]
    moved = {EVENT_IDS.name: DUPLICATE_EVENTS.name, EVENT_DAYS.name: SESSIONS.name}
    return 2 * names.index(moved.get(table.name, table.name)) + (table.name in moved)


def _commit(base: Snapshot, before: dict[str, int], after: dict[str, int], files: list[LakeFile]) -> int:
    progress = _advanced(base, before, after)
    if not files and progress == base.progress:
        return base.version
    is_anew = base.table.spec.clustered_by or base.table.spec is EVENT_DAYS
    remove = base.files if is_anew and files else []
    return base.table.commit(base, progress, add=files, remove=remove)


def _advanced(base: Snapshot, before: dict[str, int], after: dict[str, int]) -> Progress:
    """The progress of a table that has the copies of its upstream in it."""
    progress = base.progress
    for name, consumed in progress.upstreams.items():
        if name not in after or consumed.watermark != before[name] or consumed.pending:
            raise RuntimeError(f"{base.table.spec.name} is behind on {name}")
        progress = progress.with_consumed(name, replace(consumed, watermark=after[name]))
    return progress


def _clustered(base: Snapshot, times: int) -> Iterable[LakeFile]:
    """All rows of a table whose files follow each other, in its order."""
    rows = base.arrow()
    return in_order(base, [base.table.stage_arrow(pa.concat_tables(_copies(rows, range(times))), _name(), {})])


def _by_file(base: Snapshot, times: int) -> Iterator[LakeFile]:
    """What there is more, in the partitions that there are."""
    for file in base.files:
        at_once = max(1, _ROWS // max(1, file.rows))
        rows = base.arrow([file])
        for first in range(1, times, at_once):
            copies = _copies(rows, range(first, min(first + at_once, times)))
            yield base.table.stage_arrow(pa.concat_tables(copies), _name(), dict(file.partition))


def _copies(rows: pa.Table, numbers: Sequence[int]) -> list[pa.Table]:
    return [_copy(rows, number) if number else rows for number in numbers]


def _copy(rows: pa.Table, number: int) -> pa.Table:
    for place, field in enumerate(rows.schema):
        if field.name in _IDS:
            others = pc.binary_join_element_wise(rows[field.name], copy_of("", number), "")
            rows = rows.set_column(place, field, others)
    return rows


def _index(lake: Lake, spark: SparkSession, base: Snapshot) -> list[LakeFile]:
    """The index of days, which knows ids by their hashes alone, of the events and sessions that there are now."""
    events, sessions = (lake.table(spec.name).snapshot().read(spark) for spec in (ENRICHED_EVENTS, SESSIONS))
    rows = days_of_events(events).unionByName(days_of_sessions(sessions)).distinct()
    return base.table.stage(rows, 1, base.rows + _ROWS)


def _name() -> str:
    return uuid.uuid4().hex
