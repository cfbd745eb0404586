"""A file of a table again without some of its rows. Texts that lie as dictionaries are not unpacked and looked up anew,
which costs a small part of what reading rows and writing them would take. Its row groups are cut into smaller ones,
each read and written before the next: one of a million rows takes a gigabyte of memory, and to fill that costs as much
as its rows.

Footers say least and greatest values of what is looked for by them, and of no other text: of a hundred columns they
would be two fifths of what writing takes, and may name people.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.files import LakeFile, bounded_columns
from event_assets.lake.integrity import require_sound
from event_assets.lake.snapshot import Snapshot

_ROWS = 1 << 16
"""The most rows of a row group that is written."""
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
            empty = _empty(footer)
            told, there = _told(schema, bounded_columns(table.spec) | empty), set(footer.schema.names) - empty
            with pq.ParquetWriter(
                sink, schema, use_dictionary=[*texts, *compact], write_statistics=told, **options
            ) as writer:
                first = 0
                for group in range(reader.num_row_groups):
                    for rows in reader.iter_batches(_ROWS, [group], [*there], use_threads=False):
                        here = stay.slice(first, rows.num_rows)
                        first += rows.num_rows
                        if pc.any(here).as_py():
                            writer.write_table(_of(rows.filter(here), schema), row_group_size=_ROWS)

        return table.stage_file(name, dict(file.partition), write)


def _empty(footer: pq.FileMetaData) -> set[str]:
    """The columns that have no value in any row, as far as the footer says so: nothing of them is read. One is left out
    where all are."""
    chunks = [
        footer.row_group(group).column(n) for group in range(footer.num_row_groups) for n in range(footer.num_columns)
    ]
    filled = {c.path_in_schema for c in chunks if c.statistics is None or c.statistics.null_count != c.num_values}
    return set(footer.schema.names) - filled if filled else set()


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


def _told(schema: pa.Schema, bounded: set[str]) -> list[str]:
    """The columns of which the footer says least and greatest values, and how often there is none."""
    texts = (pa.types.is_string, pa.types.is_binary, pa.types.is_dictionary)
    return [
        field.name
        for field in schema
        if field.name in bounded or not field.nullable or not any(is_text(field.type) for is_text in texts)
    ]


def _as_it_lies(schema: pa.Schema, dictionaries: set[str]) -> pa.Schema:
    return pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), field.type)) if field.name in dictionaries else field
            for field in schema
        ]
    )


def _of(rows: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """The rows as these columns; those that the file is older than are null."""
    columns, there = [], {*rows.schema.names}
    for field in schema:
        column = rows[field.name] if field.name in there else None
        if column is None or column.null_count == len(column):
            columns.append(pa.nulls(rows.num_rows, field.type))
        elif pa.types.is_dictionary(field.type):
            columns.append(_in_use(column, field.type.value_type))
        else:
            columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _in_use(column: pa.DictionaryArray, type_: pa.DataType) -> pa.DictionaryArray:
    """The column without the values that no row has: they would be written, and may name who is gone."""
    values, used = column.dictionary.cast(type_), np.zeros(len(column.dictionary), np.bool_)
    used[column.indices.drop_null().to_numpy()] = True
    if used.all():
        return pa.DictionaryArray.from_arrays(column.indices, values)
    places = np.append(np.cumsum(used, dtype=np.int32) - 1, np.int32(0)).astype(np.int32)
    indices = pa.array(places[column.indices.fill_null(0).to_numpy()], mask=column.is_null().to_numpy(False))
    return pa.DictionaryArray.from_arrays(indices, values.filter(pa.array(used)))
