"""Tables about things, whose rows lie in the order of one column, in files that follow each other: where the rows of
some keys change, only the files between whose bounds one of these lies are written again, and of these only those of
which rows go: a few that only come lie loose beside them.

Which keys those are, and what their rows have become, is not known here.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.files import LAST, LakeFile
from event_assets.lake.row_changes import RowChanges, net, stage
from event_assets.lake.scratch import scratch_folder
from event_assets.lake.snapshot import Snapshot

MOST_ROWS = 50_000
"""Rows of a file, after which it is divided."""
LEAST_IN_PLACE = 10
"""Of so many rows one may lie loose, in a file beside those that follow each other."""
LOOSE = "loose-"
"""How the name of that file begins."""
_AT_ONCE = 5
"""Files whose rows are sorted in memory."""
_SAMPLE = 50_000


class Rewritten(NamedTuple):
    """The files that come in the place of others, not committed yet, and the files of the rows that differ; None where
    these are most of them."""

    add: list[LakeFile]
    remove: list[LakeFile]
    rows: RowChanges | None


def rewrite(base: Snapshot, rows: pa.Table, keys: Sequence[str]) -> Rewritten:
    """The files of a table in which the rows of these keys are `rows`, and all others as they were.

    Where rows only come, the file of their place stays, and they lie loose in a file beside the others, until there are
    so many of these that they are put in their places.
    """
    column, none = base.table.spec.clustered_by, base.table.spec.arrow_schema().empty_table()
    loose, places = [file for file in base.files if _is_loose(file)], _Places(column, base.files)
    wanted, lying = pa.array(sorted(set(keys)), pa.string()), base.arrow(loose)
    are_theirs = pc.is_in(lying[column], value_set=wanted)
    went, stay = [lying.filter(are_theirs)], lying.filter(pc.invert(are_theirs))
    is_full = stay.num_rows + rows.num_rows > min(MOST_ROWS, base.rows // LEAST_IN_PLACE)
    if is_full:
        rows, went, stay = pa.concat_tables([rows, stay]), [lying], none
    add, remove, fresh, waiting = list[LakeFile](), list[LakeFile](), [stay], none
    touched = places.touched(sorted({*keys, *rows[column].to_pylist()}))
    for place in touched or [-1]:
        there = base.arrow([places.files[place]]) if place >= 0 else none
        are_theirs = pc.is_in(there[column], value_set=wanted)
        mine = places.rows_at(place, touched, rows)
        old = there.filter(are_theirs)
        went.append(old)
        more, less = net(mine, old)
        if less.num_rows or (more.num_rows and (is_full or place < 0)):
            remove += places.files[place : place + 1] if place >= 0 else []
            waiting = pa.concat_tables([waiting, there.filter(pc.invert(are_theirs)), mine])
            if waiting.num_rows < MOST_ROWS // 2 and place + 1 in touched:
                continue
        else:
            fresh.append(more)
        add += _written(base, waiting.sort_by(column))
        waiting = none
    lie = pa.concat_tables(fresh)
    if any(net(lie, lying)):
        remove += loose
        add += _written(base, lie.sort_by(column), LOOSE)
    return Rewritten(add, remove, _told(base, net(rows, pa.concat_tables(went)), (*add, *remove)))


def _told(base: Snapshot, changes: tuple[pa.Table, pa.Table], files: Sequence[LakeFile]) -> RowChanges | None:
    """The rows that differ as files, unless the files themselves have few others."""
    is_most = 2 * sum(rows.num_rows for rows in changes) > sum(file.rows for file in files)
    return None if is_most else stage(base.table, *changes)


def _is_loose(file: LakeFile) -> bool:
    return file.path.rpartition("/")[2].startswith(LOOSE)


def holding(base: Snapshot, keys: Sequence[str]) -> list[LakeFile]:
    """The files that may hold a row of one of these keys."""
    wanted = sorted(set(keys))
    return [file for file in base.files if _may_hold(file, base.table.spec.clustered_by, wanted)]


def is_in_order(base: Snapshot) -> bool:
    """Whether most rows lie in files that follow each other. They do not in a table that was written before it was
    clustered, or by a writer that knows nothing of it. One that is not clustered has no order."""
    column, end, astray = base.table.spec.clustered_by, "", 0
    if not column:
        return True
    ordered = (file for file in base.files if not _is_loose(file))
    for file in sorted(ordered, key=lambda file: str(file.low.get(column, ""))):
        if str(file.low.get(column, "")) < end:
            astray += file.rows
        end = max(end, str(file.high.get(column, LAST)))
    return 2 * astray <= base.rows


def in_order(base: Snapshot, staged: Sequence[LakeFile]) -> list[LakeFile]:
    """Staged files as others with the same rows in order: engines deal rows out to the files that they write. What was
    staged is deleted."""
    rows, column = sum(file.rows for file in staged), base.table.spec.clustered_by
    if len(staged) <= 1 and rows <= MOST_ROWS:
        return [*staged]
    if rows <= _AT_ONCE * MOST_ROWS:
        ordered = [*_written(base, base.arrow(staged).sort_by(column))]
    else:
        ordered = [*_sorted_apart(base, staged, rows)]
    for file in staged:
        base.table.storage.filesystem.delete_file(base.table.storage.path(f"{base.table.spec.name}/{file.path}"))
    return ordered


def _sorted_apart(base: Snapshot, staged: Sequence[LakeFile], rows: int) -> Iterator[LakeFile]:
    """The rows in order, where they are too many to be sorted at once: dealt out by ranges of keys, then sorted range
    by range."""
    storage, column = base.table.storage, base.table.spec.clustered_by
    bounds, schema = _bounds(base, staged, rows), base.table.spec.arrow_schema()
    folder = scratch_folder()
    storage.make_folder(folder)
    try:
        paths = [storage.path(f"{folder}/{number}.parquet") for number in range(len(bounds) + 1)]
        with ExitStack() as open_files:
            ranges = [
                open_files.enter_context(pq.ParquetWriter(path, schema, filesystem=storage.filesystem))
                for path in paths
            ]
            for file in staged:
                for batch in _batches(base, file, schema.names):
                    _deal(batch.sort_by(column), column, bounds, ranges)
        for path in paths:
            yield from _written(base, pq.read_table(path, filesystem=storage.filesystem).sort_by(column))
    finally:
        storage.delete_folder(folder)


def _bounds(base: Snapshot, staged: Sequence[LakeFile], rows: int) -> list[str]:
    """Keys between which there are about as many rows as are sorted at once, by a sample."""
    sample: list[str] = []
    for file in staged:
        for batch in _batches(base, file, [base.table.spec.clustered_by]):
            sample += batch.column(0)[:: rows // _SAMPLE + 1].to_pylist()
    sample.sort()
    count = -(-rows // (_AT_ONCE * MOST_ROWS))
    return [sample[len(sample) * number // count] for number in range(1, count)]


def _batches(base: Snapshot, file: LakeFile, columns: list[str]) -> Iterator[pa.Table]:
    table = base.table
    schema = pa.schema([table.spec.arrow_schema().field(name) for name in columns])
    with table.storage.filesystem.open_input_file(table.storage.path(f"{table.spec.name}/{file.path}")) as source:
        for batch in pq.ParquetFile(source).iter_batches(_AT_ONCE * MOST_ROWS, columns=columns):
            yield pa.Table.from_batches([batch]).select(columns).cast(schema)


def _deal(rows: pa.Table, column: str, bounds: Sequence[str], ranges: Sequence[pq.ParquetWriter]) -> None:
    """Writes rows that are in order to the ranges that they lie in."""
    keys = rows[column]
    cuts = [bisect_left(range(len(keys)), bound, key=lambda place: keys[place].as_py()) for bound in bounds]
    for writer, first, last in zip(ranges, [0, *cuts], [*cuts, len(keys)], strict=True):
        if last > first:
            writer.write_table(rows.slice(first, last - first))


def _written(base: Snapshot, rows: pa.Table, named: str = "") -> Iterator[LakeFile]:
    """The rows as files of much the same size, whose names begin so."""
    count = -(-rows.num_rows // MOST_ROWS)
    for number in range(count):
        first, last = (rows.num_rows * edge // count for edge in (number, number + 1))
        yield base.table.stage_arrow(rows.slice(first, last - first), f"{named}{uuid.uuid4().hex}", {})


def _may_hold(file: LakeFile, column: str, keys: Sequence[str]) -> bool:
    """Whether one of these keys, which are in order, lies between the file's bounds."""
    if column not in file.low or column not in file.high:
        return True
    found = bisect_left(keys, str(file.low[column]))
    return found < len(keys) and keys[found] <= str(file.high[column])


class _Places:
    """The files in order, each the place of all keys from its least one to the next file's."""

    def __init__(self, column: str, files: Sequence[LakeFile]) -> None:
        self._column = column
        ordered = (file for file in files if not _is_loose(file))
        self.files = sorted(ordered, key=lambda file: (str(file.low.get(column, "")), file.path))
        self._lows = [str(file.low.get(column, "")) for file in self.files]

    def touched(self, keys: Sequence[str]) -> list[int]:
        """The places of these keys, which are in order, and of the files that may hold one of them."""
        own = {max(bisect_right(self._lows, key) - 1, 0) for key in keys} if self.files else set[int]()
        return sorted(own | {place for place, file in enumerate(self.files) if _may_hold(file, self._column, keys)})

    def rows_at(self, place: int, touched: Sequence[int], rows: pa.Table) -> pa.Table:
        """Those of the rows whose place this is."""
        if place < 0:
            return rows
        column = rows[self._column]
        own = pc.greater_equal(column, "" if place == touched[0] else self._lows[place])
        later = touched[touched.index(place) + 1 :]
        return rows.filter(pc.and_(own, pc.less(column, self._lows[later[0]])) if later else own)
