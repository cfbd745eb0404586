"""Columns of texts as most of them lie in a file: each value once, and for each row which of them it has. Who looks for
a few texts among many rows looks at each value once.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.files import LakeFile
from event_assets.lake.integrity import require_sound
from event_assets.lake.snapshot import Snapshot


def coded(base: Snapshot, file: LakeFile, columns: Sequence[str]) -> pa.Table:
    """The rows of a file with texts as dictionaries. Columns that the file is older than are null."""
    table, schema = base.table, base.table.spec.arrow_schema()
    require_sound(table.storage, table.spec.name, [file])
    with table.storage.filesystem.open_input_file(table.storage.path(f"{table.spec.name}/{file.path}")) as source:
        footer = pq.read_metadata(source)
        there = [name for name in columns if name in footer.schema.names]
        texts = [name for name in there if pa.types.is_string(schema.field(name).type)]
        reader = pq.ParquetFile(source, metadata=footer, read_dictionary=texts)
        rows = reader.read(there).unify_dictionaries()
    nothing = {name: pa.nulls(file.rows, schema.field(name).type) for name in columns if name not in there}
    return pa.table({name: nothing[name] if name in nothing else rows[name].combine_chunks() for name in columns})


def numbers_of(column: pa.ChunkedArray, values: pa.Array) -> pa.Array:
    """Which of the values each row has, as its place among them; null where none, or no text at all."""
    array = column.combine_chunks()
    if not pa.types.is_dictionary(array.type):
        return pc.index_in(array, value_set=values, skip_nulls=True)
    return pc.index_in(array.dictionary, value_set=values, skip_nulls=True).take(array.indices)


def among(column: pa.ChunkedArray, values: pa.Array) -> pa.Array:
    """Which of the rows have one of the values."""
    return pc.is_valid(numbers_of(column, values))
