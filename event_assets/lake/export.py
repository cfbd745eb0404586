"""Tables of the lake as single Parquet files, for whoever reads them without the lake.

What the columns are is the contract's to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.lake.snapshot import Snapshot

ROW_GROUP_ROWS = 100_000
ROW_GROUP_BYTES = 64_000_000


def export(snapshot: Snapshot, folder: Path) -> int:
    """Writes a table as `folder/<table>.parquet`, in place of the one that was there. Gives its rows.

    The columns are those of the contract, in its order, times in UTC microseconds. Memory holds a row group.
    """
    spec = snapshot.table.spec
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{spec.name}.parquet"
    fresh = folder / f".{spec.name}.{os.getpid()}"
    schema = spec.arrow_schema()
    rows = 0
    try:
        with pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
            for group in _row_groups(snapshot):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                rows += group.num_rows
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return rows


def _row_groups(snapshot: Snapshot) -> Iterator[pa.Table]:
    """The table's rows, in the order of its dates, in pieces that are worth a row group."""
    waiting: list[pa.Table] = []
    rows = size = 0
    for piece in _pieces(snapshot):
        waiting.append(piece)
        rows, size = rows + piece.num_rows, size + piece.nbytes
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.concat_tables(waiting)


def _pieces(snapshot: Snapshot) -> Iterator[pa.Table]:
    table = snapshot.table
    schema = table.spec.arrow_schema()
    for file in sorted(snapshot.files, key=lambda file: (sorted(file.partition.items()), file.path)):
        with table.storage.filesystem.open_input_file(table.storage.path(f"{table.spec.name}/{file.path}")) as source:
            for batch in pq.ParquetFile(source).iter_batches(ROW_GROUP_ROWS, columns=schema.names):
                yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)
