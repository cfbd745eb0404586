"""Tables about things, whose rows lie in the order of one column, in files that follow each other: where the rows of
some keys change, only the files between whose bounds one of these lies are written again.

Which keys those are, and what their rows have become, is not known here.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot

MOST_ROWS = 50_000
"""Rows of a file, after which it is divided."""


class Rewritten(NamedTuple):
    """The files that come in the place of others, not committed yet."""

    add: list[LakeFile]
    remove: list[LakeFile]


def rewrite(base: Snapshot, rows: pa.Table, keys: Sequence[str]) -> Rewritten:
    """The files of a table in which the rows of these keys are `rows`, and all others as they were."""
    column = base.table.spec.clustered_by
    places = _Places(column, base.files)
    wanted = sorted(set(keys))
    touched = places.touched(wanted)
    table_of = pa.array(wanted, pa.string())
    add: list[LakeFile] = []
    waiting = base.table.spec.arrow_schema().empty_table()
    for place in touched or [-1]:
        mine = places.rows_at(place, touched, rows)
        if place >= 0:
            there = base.arrow([places.files[place]])
            mine = pa.concat_tables([there.filter(pc.invert(pc.is_in(there[column], value_set=table_of))), mine])
        waiting = pa.concat_tables([waiting, mine])
        if waiting.num_rows >= MOST_ROWS // 2 or place + 1 not in touched:
            add += _written(base, waiting.sort_by(column))
            waiting = waiting.slice(0, 0)
    return Rewritten(add, [places.files[place] for place in touched])


def divide(base: Snapshot, files: Sequence[LakeFile]) -> list[LakeFile]:
    """Staged files, those in the place of which there are several that are too large."""
    divided: list[LakeFile] = []
    for file in files:
        divided += [file] if file.rows <= 2 * MOST_ROWS else _in_pieces(base, file)
    return divided


def _in_pieces(base: Snapshot, file: LakeFile) -> Iterator[LakeFile]:
    table = base.table
    with table.storage.filesystem.open_input_file(table.storage.path(f"{table.spec.name}/{file.path}")) as source:
        for batch in pq.ParquetFile(source).iter_batches(MOST_ROWS):
            yield from _written(base, pa.Table.from_batches([batch]).cast(table.spec.arrow_schema()))


def _written(base: Snapshot, rows: pa.Table) -> Iterator[LakeFile]:
    """The rows as files of much the same size."""
    count = -(-rows.num_rows // MOST_ROWS)
    for number in range(count):
        first, last = (rows.num_rows * edge // count for edge in (number, number + 1))
        yield base.table.stage_arrow(rows.slice(first, last - first), uuid.uuid4().hex, {})


class _Places:
    """The files in order, each the place of all keys from its least one to the next file's."""

    def __init__(self, column: str, files: Sequence[LakeFile]) -> None:
        self._column = column
        self.files = sorted(files, key=lambda file: (str(file.low.get(column, "")), file.path))
        self._lows = [str(file.low.get(column, "")) for file in self.files]

    def touched(self, keys: Sequence[str]) -> list[int]:
        """The places of these keys, which are in order, and of the files that may hold one of them."""
        own = {max(bisect_right(self._lows, key) - 1, 0) for key in keys} if self.files else set[int]()
        return sorted(own | {place for place, file in enumerate(self.files) if self._may_hold(file, keys)})

    def _may_hold(self, file: LakeFile, keys: Sequence[str]) -> bool:
        if self._column not in file.low or self._column not in file.high:
            return True
        found = bisect_left(keys, str(file.low[self._column]))
        return found < len(keys) and keys[found] <= str(file.high[self._column])

    def rows_at(self, place: int, touched: Sequence[int], rows: pa.Table) -> pa.Table:
        """Those of the rows whose place this is."""
        if place < 0:
            return rows
        column = rows[self._column]
        own = pc.greater_equal(column, "" if place == touched[0] else self._lows[place])
        later = touched[touched.index(place) + 1 :]
        return rows.filter(pc.and_(own, pc.less(column, self._lows[later[0]])) if later else own)
