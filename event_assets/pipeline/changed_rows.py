"""Which rows of a table came or went since a version, for what is brought up to date row by row and not day by day.

Told by the files that only one of the two versions has: what both have cannot differ; of tables about things by the
rows that their commits say they changed. What follows from a changed row is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.fs as fs
from deltalake.exceptions import DeltaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import is_before
from event_assets.lake.progress import Consumed
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.pending_changes import was_recreated
from event_assets.transforms.affected import TIMES


def signed_rows(spark: SparkSession, then: Snapshot, now: Snapshot, columns: Sequence[str]) -> DataFrame:
    """What one version of a table has more often than the other, in these columns, with `TIMES`.

    What both have equally often, as they do of rows that were only written again, alone, is not there.
    """
    came, went = files_between(then, now)
    signed = now.read(spark, came).select(*columns).withColumn(TIMES, F.lit(1))
    if not went:
        return signed
    signed = signed.unionByName(then.read(spark, went).select(*columns).withColumn(TIMES, F.lit(-1)))
    return signed.groupBy(*columns).agg(F.sum(TIMES).alias(TIMES)).where(F.col(TIMES) != 0)


def changed_rows(spark: SparkSession, then: Snapshot, now: Snapshot, columns: Sequence[str]) -> DataFrame:
    """The rows of `signed_rows`, whether they came or went."""
    return signed_rows(spark, then, now, columns).drop(TIMES)


def files_between(then: Snapshot, now: Snapshot) -> tuple[list[LakeFile], list[LakeFile]]:
    """The files that came, and those that went, but for days that retention took: nobody takes in that they went. Or
    files of the rows alone that did, where the log tells them."""
    horizon = now.whole_since
    came, went = _only_in(now, then, horizon), _only_in(then, now, horizon)
    told = now.rows_since(then.version) if now.table.spec.clustered_by else None
    return (came, went) if told is None else (told.came, told.went)


def readable(now: Snapshot, consumed: Consumed) -> Snapshot | None:
    """The table as it was taken in, if it is the same, and its log and those of its files that are gone now are still
    kept."""
    if consumed.watermark < 0 or was_recreated(now, consumed):
        return None
    try:
        then = now.table.at(consumed.watermark)
        gone = [now.table.storage.path(f"{now.table.spec.name}/{file.path}") for file in files_between(then, now)[1]]
    except DeltaError:
        return None
    kept = now.table.storage.filesystem.get_file_info(gone)
    return then if all(info.type == fs.FileType.File for info in kept) else None


def _only_in(one: Snapshot, other: Snapshot, horizon: str) -> list[LakeFile]:
    paths = {file.path for file in other.files}
    return [file for file in one.files if file.path not in paths and not is_before(file, horizon)]
