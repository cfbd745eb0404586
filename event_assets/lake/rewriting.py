"""A file of a table again without some of its rows. Texts that lie as dictionaries are not unpacked and looked up anew,
and its row groups stay: what it costs is what it has, a small part of what reading rows and writing them would take.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.files import LakeFile
from event_assets.lake.integrity import require_sound
from event_assets.lake.snapshot import Snapshot

_DICTIONARY = 1 << 20
"""Bytes of a dictionary after which writers go on without one."""


def without_rows(base: Snapshot, file: LakeFile, gone: pa.Array, name: str) -> LakeFile | None:
    """A file of this name without the rows of a mask, not committed yet; None where no row stays. Raises `LakeDamaged`
    as reading it does, and `RuntimeError` where the mask is of other rows."""
    table = base.table
    if len(gone) != file.rows:
        raise RuntimeError(f"{file.url} has {file.rows} rows, and {len(gone)} were judged")
    stay = pc.invert(gone)
    if not pc.any(stay).as_py():
        return None
    require_sound(table.storage, table.spec.name, [file])
    with table.storage.filesystem.open_input_file(table.storage.path(f"{table.spec.name}/{file.path}")) as source:
        footer = pq.read_metadata(source)
        texts, compact = _dictionaries(footer)
        reader = pq.ParquetFile(source, metadata=footer, read_dictionary=texts)
        schema = _as_it_lies(table.spec.arrow_schema(), {*texts})

        def write(sink: pa.NativeFile) -> None:
            options = {"compression": "zstd", "write_page_checksum": True, "store_schema": False}
            with pq.ParquetWriter(sink, schema, use_dictionary=[*texts, *compact], **options) as writer:
                first = 0
                for group in range(reader.num_row_groups):
                    rows = reader.read_row_group(group)
                    here = stay.slice(first, rows.num_rows)
                    first += rows.num_rows
                    if pc.any(here).as_py():
                        left = rows.filter(here)
                        writer.write_table(_of(left, schema), row_group_size=left.num_rows)

        return table.stage_file(name, dict(file.partition), write)


def _dictionaries(footer: pq.FileMetaData) -> tuple[list[str], list[str]]:
    """The columns that lie as dictionaries all through the file: of texts and bytes, and of anything else."""
    texts, others = [], []
    for place in range(footer.num_columns):
        chunks = [footer.row_group(group).column(place) for group in range(footer.num_row_groups)]
        if chunks and all(chunk.has_dictionary_page for chunk in chunks):
            size, values = (sum(getattr(c, of) for c in chunks) for of in ("total_uncompressed_size", "num_values"))
            if chunks[0].physical_type == "BYTE_ARRAY":
                texts += [chunks[0].path_in_schema] * (size < len(chunks) * _DICTIONARY + 4 * values)
            else:
                others += [chunks[0].path_in_schema] * (size < 4 * values)
    return texts, others


def _as_it_lies(schema: pa.Schema, dictionaries: set[str]) -> pa.Schema:
    return pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), field.type)) if field.name in dictionaries else field
            for field in schema
        ]
    )


def _of(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows as these columns; those that the file is older than are null."""
    columns = []
    for field in schema:
        if field.name not in rows.column_names:
            columns.append(pa.nulls(rows.num_rows, field.type))
        elif pa.types.is_dictionary(field.type):
            columns.append(_in_use(rows[field.name].combine_chunks(), field.type.value_type))
        else:
            columns.append(rows[field.name].cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _in_use(column: pa.DictionaryArray, type_: pa.DataType) -> pa.DictionaryArray:
    """The column without the values that no row has: they would be written, and may name who is gone."""
    values, used = column.dictionary.cast(type_), np.unique(column.indices.drop_null().to_numpy())
    if len(used) == len(values):
        return pa.DictionaryArray.from_arrays(column.indices, values)
    places = np.zeros(len(values) + 1, np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    indices = pa.array(places[column.indices.fill_null(0).to_numpy()], mask=column.is_null().to_numpy(False))
    return pa.DictionaryArray.from_arrays(indices, values.take(pa.array(used)))
