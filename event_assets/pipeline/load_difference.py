"""Which rows differ between two versions of a table, for a load of days, or of a whole table, that were written again.

In the lake a file is written again for a few rows. Where its commits do not say which, what only one version has is
compared file by file, days or neighbouring files at a time, so that no more of a table is held in memory than was
written again in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.lake.files import LAST, LakeFile
from event_assets.lake.integrity import LakeDamaged
from event_assets.lake.row_changes import net
from event_assets.lake.scratch import scratch_folder
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.changed_rows import files_between

MOST_BYTES = 16_000_000
"""Bytes of the files of one place that are compared: of wide rows forty times as much is held in memory."""
MOST_ROWS = 200_000
"""Rows that differ. Where there are more, all of them are loaded."""


class Difference(NamedTuple):
    """The rows that came or changed, and what finds those that went: values of some columns."""

    rows: pa.Table
    gone: pa.Table


def difference(
    then: Snapshot, now: Snapshot, found_by: Sequence[str], dates: Iterable[str] | None = None
) -> Difference | None:
    """What came and went of these dates, or of all; None where it is too much to be told, most of the rows, or where
    the earlier version cannot be read any more."""
    came, went = files_between(then, now)
    spec = now.table.spec
    column = spec.partition_by[0] if spec.partition_by else spec.clustered_by
    wanted = None if dates is None else set(dates)
    mine = [[file for file in files if _is_of(file, column, wanted)] for files in (came, went)]
    places = list(_places(mine[0], mine[1], column))
    rows = sum(file.rows for file in now.files if _is_of(file, column, wanted))
    if any(sum(file.size for file in (*one, *other)) > MOST_BYTES for one, other in places):
        return None
    found = Difference(
        spec.arrow_schema().empty_table(),
        pa.schema([spec.arrow_schema().field(name) for name in found_by]).empty_table(),
    )
    for one, other in places:
        try:
            before = then.arrow(other)
        except (LakeDamaged, OSError, ValueError):  # cleared away or spoilt since, or of columns that are no more
            return None
        here = _compared(now.arrow(one), before, found_by)
        found = Difference(*map(pa.concat_tables, zip(found, here, strict=True)))
        differ = found.rows.num_rows + found.gone.num_rows
        if differ > MOST_ROWS or 2 * differ > rows:
            return None
    return found


def _is_of(file: LakeFile, column: str, dates: set[str] | None) -> bool:
    return dates is None or file.partition[column] in dates


def _places(
    came: Sequence[LakeFile], went: Sequence[LakeFile], column: str
) -> Iterator[tuple[list[LakeFile], list[LakeFile]]]:
    """The files of both versions, put together where they may hold the same rows."""
    bounds = [(*_bounds(file, column), side, file) for side, files in enumerate((came, went)) for file in files]
    place: tuple[list[LakeFile], list[LakeFile]] = ([], [])
    end = ""
    for low, high, side, file in sorted(bounds, key=lambda each: each[:2]):
        if low > end and any(place):
            yield place
            place = ([], [])
        end = max(end, high)
        place[side].append(file)
    if any(place):
        yield place


def _bounds(file: LakeFile, column: str) -> tuple[str, str]:
    if column in file.partition:
        return file.partition[column], file.partition[column]
    if column in file.low and column in file.high:
        return str(file.low[column]), str(file.high[column])
    return "", LAST


def _compared(came: pa.Table, went: pa.Table, found_by: Sequence[str]) -> Difference:
    rows, lost = net(came, went)
    gone = lost.select(found_by).join(rows.select(found_by), list(found_by), join_type="left anti")
    return Difference(rows, gone.cast(went.select(found_by).schema))


@contextmanager
def beside(now: Snapshot, found: Difference) -> Iterator[tuple[list[LakeFile], list[LakeFile]]]:
    """What differs as files beside the lake's tables, for a load: the rows, and what finds those that went."""
    storage = now.table.storage
    folder = scratch_folder()
    storage.make_folder(folder)
    files: tuple[list[LakeFile], list[LakeFile]] = ([], [])
    try:
        for name, rows, written in zip(Difference._fields, found, files, strict=True):
            if rows.num_rows:
                path = storage.path(f"{folder}/{name}.parquet")
                pq.write_table(rows, path, filesystem=storage.filesystem, compression="zstd")
                size = storage.filesystem.get_file_info(path).size
                written.append(LakeFile(storage.uri(f"{folder}/{name}.parquet"), size, rows.num_rows, {}))
        yield files
    finally:
        storage.delete_folder(folder)
