"""Reads the lake's Parquet files as Arrow batches, from a folder or a bucket. What becomes of them is not here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from event_assets.warehouse.dialect import SourceFile

_S3 = "s3://"
_ROWS_PER_BATCH = 16_384
_FETCHED_WHOLE = 8_000_000
_FETCHED_AHEAD = 8


@dataclass(frozen=True)
class LakeFiles:
    """Where the files are reached: AWS region and, where it is not AWS's own, the S3 endpoint."""

    region: str = "us-east-1"
    endpoint: str | None = None

    def batches(self, files: Sequence[SourceFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The files' rows with exactly these columns, in the order of the files, those of small ones together.

        A column that a file has not is taken from its partition's values, else null.
        """
        small, rows = list[pa.RecordBatch](), 0
        for batch in self._batches_by_file(files, schema):
            if small and rows + batch.num_rows > _ROWS_PER_BATCH:
                yield _together(small)
                small, rows = [], 0
            small.append(batch)
            rows += batch.num_rows
        if small:
            yield _together(small)

    def _batches_by_file(self, files: Sequence[SourceFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for file, source in self._fetched(files):
            # Not a pyarrow dataset: that decodes whole row groups, which takes eight times the memory.
            parquet = pq.ParquetFile(source, pre_buffer=True)
            there = {*parquet.schema_arrow.names}  # made of the footer each time that it is asked for
            present = [name for name in schema.names if name in there]
            for batch in parquet.iter_batches(_ROWS_PER_BATCH, columns=present):
                yield _conform(batch, schema, file.partition)

    def filesystem(self, url: str) -> fs.FileSystem:
        """Arrow's view of the storage that holds this URL."""
        return self._bucket if url.startswith(_S3) else fs.LocalFileSystem()

    @cached_property
    def _bucket(self) -> fs.FileSystem:
        if self.endpoint is None:
            return fs.S3FileSystem(region=self.region)
        scheme, _, host = self.endpoint.partition("://")
        return fs.S3FileSystem(region=self.region, endpoint_override=host, scheme=scheme)

    def _fetched(self, files: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, pa.NativeFile]]:
        """The files, opened a few ahead: thousands of small ones would each wait for the bucket otherwise."""
        ahead: deque[tuple[SourceFile, Future[pa.NativeFile]]] = deque()
        with ThreadPoolExecutor(_FETCHED_AHEAD) as pool:
            for file in files:
                ahead.append((file, pool.submit(self._open, file)))
                if len(ahead) > _FETCHED_AHEAD:
                    first, opened = ahead.popleft()
                    yield first, opened.result()
            for last, opened in ahead:
                yield last, opened.result()

    def _open(self, file: SourceFile) -> pa.NativeFile:
        filesystem = self.filesystem(file.url)
        if file.size > _FETCHED_WHOLE:
            return filesystem.open_input_file(path_of(file.url))
        with filesystem.open_input_stream(path_of(file.url), compression=None) as stream:
            return pa.BufferReader(stream.read())


def _together(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of several batches in one: what becomes of one costs much the same however few rows it has."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def path_of(url: str) -> str:
    """The file as Arrow names it."""
    return url.removeprefix(_S3)


def _conform(batch: pa.RecordBatch, schema: pa.Schema, partition: Mapping[str, str]) -> pa.RecordBatch:
    columns, there = [], {name: place for place, name in enumerate(batch.schema.names)}
    for field in schema:
        if field.name in there:
            columns.append(batch.column(there[field.name]).cast(field.type))
        else:
            value = pa.scalar(partition.get(field.name), pa.string()).cast(field.type)
            columns.append(pa.repeat(value, batch.num_rows))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
