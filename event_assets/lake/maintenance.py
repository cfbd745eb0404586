"""Keeps tables small in files: compaction, and removal of what no version needs any more. No row changes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from event_assets.lake.files import LakeFile
from event_assets.lake.table import LakeTable, retry_on_conflict

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SMALL_FILE_BYTES = 32_000_000
"""Files below this size are put together."""
LEAST_FILES = 8
"""From how many small files on a partition is compacted."""
LARGEST_FILE_BYTES = 256_000_000


class Compaction(NamedTuple):
    """What a compaction of one table did: files before and after, bytes that were written again."""

    table: str
    files_before: int
    files_after: int
    bytes_rewritten: int


def compact(
    table: LakeTable, spark: SparkSession, least_files: int = LEAST_FILES, among: Container[str] | None = None
) -> Compaction:
    """Puts the small files of each partition together, one partition and one commit at a time: all of them, or those
    `among` these paths. The files of a table that is clustered are of the size that they should be."""
    before = table.snapshot()
    written = 0
    if table.spec.clustered_by:
        return Compaction(table.spec.name, len(before.files), len(before.files), written)
    groups = _groups([file for file in before.files if among is None or file.path in among], least_files)
    for partition in {tuple(group[0].partition.items()) for group in groups}:
        written += retry_on_conflict(partial(_compact, table, spark, dict(partition), least_files, among))
    return Compaction(table.spec.name, len(before.files), len(table.snapshot().files), written)


def _compact(
    table: LakeTable,
    spark: SparkSession,
    partition: dict[str, str],
    least_files: int,
    among: Container[str] | None,
) -> int:
    base = table.snapshot()
    files = [f for f in base.files if f.partition == partition and (among is None or f.path in among)]
    written = 0
    for group in _groups(files, least_files):
        rows = base.read(spark, group)
        sort_by = table.spec.sort_by or table.spec.key
        staged = table.stage(rows.coalesce(1).sortWithinPartitions(*sort_by), 1, sum(file.rows for file in group))
        if sum(file.rows for file in staged) != sum(file.rows for file in group):
            raise RuntimeError(f"{table.spec.name}: compaction of {partition} would change the number of rows")
        table.compact(base, add=staged, remove=group)
        written += sum(file.size for file in staged)
        base = table.snapshot()
    return written


def _groups(files: list[LakeFile], least_files: int) -> Iterator[list[LakeFile]]:
    """Small files of one partition, as many as make a file that is not too large."""
    partitions: dict[tuple[tuple[str, str], ...], list[LakeFile]] = defaultdict(list)
    for file in files:
        if file.size < SMALL_FILE_BYTES:
            partitions[tuple(file.partition.items())].append(file)
    for small in partitions.values():
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


def vacuum(table: LakeTable, keep: dt.timedelta = dt.timedelta(days=7)) -> int:
    """Deletes files that no version younger than `keep` needs: replaced ones, and those of writes that were cut short.

    Gives how many were deleted. Readers of older versions, and steps that take longer than `keep`, would miss theirs.
    """
    snapshot = table.snapshot()
    hours = int(keep.total_seconds() // 3600)
    deleted = snapshot.delta.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True)
    current = snapshot.progress_number
    deleted_notes = table.delete_progress_before(min(current, _nanoseconds_ago(keep)))
    return len(deleted) + deleted_notes


def _nanoseconds_ago(keep: dt.timedelta) -> int:
    return int((dt.datetime.now(dt.UTC) - keep).timestamp() * 1e9)
