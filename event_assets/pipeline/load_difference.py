"""Which rows differ between two versions of a table, for a load of days, or of a whole table, that were written again.

In the lake a file is written again for a few rows. What only one version has is compared file by file, days or
neighbouring files at a time, so that no more of a table is held in memory than was written again in one place.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.changed_rows import files_between

MOST_ROWS = 2_000_000
"""Rows of one place that are compared. Where there are more, all of them are loaded."""
_TIMES = "_times"


class Difference(NamedTuple):
    """The rows that came or changed, and what finds those that went: values of some columns."""

    rows: pa.Table
    gone: pa.Table


def difference(
    then: Snapshot, now: Snapshot, found_by: Sequence[str], dates: Iterable[str] | None = None
) -> Difference | None:
    """What came and went of these dates, or of all; None where it is too much to be told."""
    came, went = files_between(then, now)
    wanted, spec = None if dates is None else set(dates), now.table.spec
    kept = [
        [file for file in files if wanted is None or file.partition[spec.partition_by[0]] in wanted]
        for files in (came, went)
    ]
    places = list(_places(kept[0], kept[1], spec.partition_by[0] if spec.partition_by else spec.clustered_by))
    if any(sum(file.rows for file in (*one, *other)) > MOST_ROWS for one, other in places):
        return None
    found = [_compared(now.arrow(one), then.arrow(other), found_by) for one, other in places]
    empty = spec.arrow_schema().empty_table()
    rows = pa.concat_tables([empty, *(each.rows for each in found)])
    return Difference(rows, pa.concat_tables([empty.select(found_by), *(each.gone for each in found)]))


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


_LAST = chr(0x10FFFF)


def _bounds(file: LakeFile, column: str) -> tuple[str, str]:
    if column in file.partition:
        return file.partition[column], file.partition[column]
    if column in file.low and column in file.high:
        return str(file.low[column]), str(file.high[column])
    return "", _LAST


def _compared(came: pa.Table, went: pa.Table, found_by: Sequence[str]) -> Difference:
    signed = pa.concat_tables([_with(came, 1), _with(went, -1)])
    times = signed.group_by(came.column_names).aggregate([(_TIMES, "sum")])
    count = times[f"{_TIMES}_sum"].to_numpy()
    rows = times.filter(pa.array(count > 0)).select(came.column_names)
    lost = times.filter(pa.array(count < 0)).select(found_by)
    gone = lost.join(rows.select(found_by), list(found_by), join_type="left anti")
    return Difference(rows.cast(came.schema), gone.cast(lost.schema))


def _with(rows: pa.Table, times: int) -> pa.Table:
    return rows.append_column(_TIMES, pa.repeat(pa.scalar(times, pa.int8()), rows.num_rows))


@contextmanager
def beside(now: Snapshot, rows: pa.Table) -> Iterator[list[LakeFile]]:
    """The rows as a file beside the lake's tables, for a load."""
    storage = now.table.storage
    folder = f"_scratch/{uuid.uuid4().hex}"
    path = f"{folder}/rows.parquet"
    storage.make_folder(folder)
    try:
        pq.write_table(rows, storage.path(path), filesystem=storage.filesystem, compression="zstd")
        size = storage.filesystem.get_file_info(storage.path(path)).size
        yield [LakeFile(storage.uri(path), size, rows.num_rows, {})] if rows.num_rows else []
    finally:
        storage.delete_folder(folder)


def values_of(rows: pa.Table) -> list[tuple[Any, ...]]:
    """The rows as tuples."""
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
