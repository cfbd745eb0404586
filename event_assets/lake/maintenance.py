"""Keeps tables small in files: compaction, and removal of what no version needs any more. No row changes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable, retry_on_conflict

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SMALL_FILE_BYTES = 32_000_000
"""Files below this size are put together."""
LEAST_FILES = 8
"""From how many small files on a partition is compacted."""
LARGEST_FILE_BYTES = 256_000_000
MOST_PARTITIONS = 60
"""Partitions whose files are put together by one job and one commit: an engine holds a file open for each."""

Partition = tuple[tuple[str, str], ...]


class Compaction(NamedTuple):
    """What a compaction of one table did: files before and after, bytes that were written again."""

    table: str
    files_before: int
    files_after: int
    bytes_rewritten: int


def compact(
    table: LakeTable, spark: SparkSession, least_files: int = LEAST_FILES, among: Container[str] | None = None
) -> Compaction:
    """Puts the small files of each partition together, as many partitions at once as are small, a commit each time: all
    of them, or those `among` these paths. The files of a table that is clustered are of the size that they should
    be."""
    before = table.snapshot()
    written = 0
    if table.spec.clustered_by:
        return Compaction(table.spec.name, before.count, before.count, written)
    groups = merges(_small(before, among), least_files)
    for together in [*_together(groups)]:
        partitions = {partition_of(file) for file in together}
        written += retry_on_conflict(partial(_compact, table, spark, partitions, least_files, among))
    return Compaction(table.spec.name, before.count, table.snapshot().count, written)


def _small(snapshot: Snapshot, among: Container[str] | None) -> list[LakeFile]:
    return [file for file in snapshot.smaller_than(SMALL_FILE_BYTES) if among is None or file.path in among]


def _compact(
    table: LakeTable,
    spark: SparkSession,
    partitions: Container[Partition],
    least_files: int,
    among: Container[str] | None,
) -> int:
    base = table.snapshot()
    files = [file for file in _small(base, among) if partition_of(file) in partitions]
    written = 0
    for together in [*_together(merges(files, least_files))]:
        rows, count = base.read(spark, together), sum(file.rows for file in together)
        sort_by = (*table.spec.partition_by, *(table.spec.sort_by or table.spec.key))
        ordered = rows.coalesce(1).sortWithinPartitions(*dict.fromkeys(sort_by))
        staged = table.stage(ordered, len({partition_of(file) for file in together}), count)
        if sum(file.rows for file in staged) != count:
            raise RuntimeError(f"{table.spec.name}: compaction would change the number of rows")
        table.compact(base, add=staged, remove=together)
        written += sum(file.size for file in staged)
        base = table.snapshot()
    return written


def small_files(files: Iterable[LakeFile]) -> dict[Partition, list[LakeFile]]:
    """Those that are put together, by partition."""
    partitions: dict[Partition, list[LakeFile]] = defaultdict(list)
    for file in files:
        if file.size < SMALL_FILE_BYTES:
            partitions[partition_of(file)].append(file)
    return partitions


def partition_of(file: LakeFile) -> Partition:
    """The partition that a file is of."""
    return tuple(file.partition.items())


def merges(files: list[LakeFile], least_files: int) -> Iterator[list[LakeFile]]:
    """Small files of one partition, as many as make a file that is not too large."""
    for small in small_files(files).values():
        if len(small) < least_files:
            continue
        group: list[LakeFile] = []
        for file in sorted(small, key=lambda one: one.path):
            if group and sum(one.size for one in group) + file.size > LARGEST_FILE_BYTES:
                yield group
                group = []
            group.append(file)
        if len(group) > 1:
            yield group


def _together(groups: Iterable[list[LakeFile]]) -> Iterator[list[LakeFile]]:
    """The files of groups of several partitions, as many as are small together."""
    together: list[LakeFile] = []
    partitions = 0
    for group in groups:
        size = sum(file.size for file in (*together, *group))
        if together and (size > SMALL_FILE_BYTES or partitions == MOST_PARTITIONS):
            yield together
            together, partitions = [], 0
        together = [*together, *group]
        partitions += 1
    if together:
        yield together


def vacuum(table: LakeTable, keep: dt.timedelta = dt.timedelta(days=7)) -> int:
    """Deletes files that no version younger than `keep` needs: replaced ones, and those of writes that were cut short;
    and of the log what is older than the table keeps it.

    Gives how many were deleted. Readers of older versions, and steps that take longer than `keep`, would miss theirs.
    """
    snapshot = table.snapshot()
    hours = int(keep.total_seconds() // 3600)
    deleted = snapshot.delta.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True)
    snapshot.delta.cleanup_metadata()
    current = snapshot.progress_number
    deleted_notes = table.delete_progress_before(min(current, _nanoseconds_ago(keep)))
    return len(deleted) + deleted_notes


def _nanoseconds_ago(keep: dt.timedelta) -> int:
    return int((dt.datetime.now(dt.UTC) - keep).timestamp() * 1e9)
