"""Small files of the tables that micro-batches write are put together while events come, so that what a batch costs
does not grow with how many there were. No row changes.

Only files that every table which follows has taken in go: what is new is told by file, and where one is missing its day
is made again from all rows. Late events leave a file on each of many days: where these are many together, though few a
day, they are put together too, the days with the most of them first.
"""

from __future__ import annotations

from collections.abc import Iterable

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import MOST_PARTITIONS, SMALL_FILE_BYTES, compact, small_files
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.raw_objects import merge_objects
from event_assets.pipeline.registry import STEPS
from event_assets.pipeline.run import Run

MOST_FILES = 60
"""Small files of a partition from which on they are put together."""
MOST_SPARE = 300
"""Small files of a table, beyond one a partition, from which on those of the partitions with the most are."""


def compact_new(run: Run, table: Table) -> int:
    """Puts the small files of each partition of a table together that has many. Gives how many files it has fewer."""
    lake_table = run.lake.table(table.name)
    snapshot = lake_table.snapshot()
    full = run.rules.raw_object_bytes
    small = snapshot.smaller_than(full // 2 if table is RAW_EVENTS else SMALL_FILE_BYTES)
    if len(small) < MOST_FILES:
        return 0
    known = taken_in(run.lake, snapshot, small)
    if table is RAW_EVENTS:
        return retry_on_conflict(lambda: merge_objects(lake_table, known, MOST_FILES, full))
    chosen = _crowded(file for file in small if file.path in known)
    if not chosen:
        return 0
    done = compact(lake_table, run.open_spark(), 2, chosen)
    return done.files_before - done.files_after


def _crowded(files: Iterable[LakeFile]) -> set[str]:
    """The paths of the small files of partitions that have many, and of those that have the most where all together
    have."""
    partitions = sorted(small_files(files).values(), key=len, reverse=True)
    is_crowded = sum(len(small) - 1 for small in partitions) > MOST_SPARE
    chosen = [
        small
        for place, small in enumerate(partitions)
        if len(small) >= MOST_FILES or (is_crowded and place < MOST_PARTITIONS and len(small) > 1)
    ]
    return {file.path for small in chosen for file in small}


def taken_in(lake: Lake, snapshot: Snapshot, files: Iterable[LakeFile]) -> set[str]:
    """The paths of those of a table's files that each which follows new events has taken in."""
    name = snapshot.table.spec.name
    followers = [t.name for step in STEPS if step.pace != "pauses" for t in step.tables if t is not snapshot.table.spec]
    sources = (lake.table(each).snapshot().progress.upstreams.get(name) for each in followers)
    changes = snapshot.changes_since(min((each.watermark for each in sources if each), default=snapshot.version))
    waiting = {path for commit in changes.commits for path in commit.added}
    return {file.path for file in files if changes.known and file.path not in waiting}
