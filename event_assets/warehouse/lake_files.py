"""Reads the lake's Parquet files as Arrow batches, from a folder or a bucket. What becomes of them is not here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from event_assets.warehouse.dialect import SourceFile

_S3 = "s3://"
_ROWS_PER_BATCH = 16_384


@dataclass(frozen=True)
class LakeFiles:
    """Where the files are reached: AWS region and, where it is not AWS's own, the S3 endpoint."""

    region: str = "us-east-1"
    endpoint: str | None = None

    def batches(self, files: Sequence[SourceFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The files' rows with exactly these columns.

        A column that a file has not is taken from its partition's values, else null.
        """
        if not files:
            return
        dataset = ds.FileSystemDataset.from_paths(
            [path_of(file.url) for file in files],
            schema=schema,
            format=ds.ParquetFileFormat(),
            filesystem=self.filesystem(files[0].url),
            partitions=[_values(file, schema) for file in files],
        )
        yield from dataset.to_batches(columns=schema.names, batch_size=_ROWS_PER_BATCH)

    def filesystem(self, url: str) -> fs.FileSystem:
        """Arrow's view of the storage that holds this URL."""
        return self._bucket if url.startswith(_S3) else fs.LocalFileSystem()

    @cached_property
    def _bucket(self) -> fs.FileSystem:
        if self.endpoint is None:
            return fs.S3FileSystem(region=self.region)
        scheme, _, host = self.endpoint.partition("://")
        return fs.S3FileSystem(region=self.region, endpoint_override=host, scheme=scheme)


def path_of(url: str) -> str:
    """The file as Arrow names it."""
    return url.removeprefix(_S3)


def _values(file: SourceFile, schema: pa.Schema) -> ds.Expression:
    rule = ds.scalar(True)
    for name, text in file.partition.items():
        if name in schema.names:
            rule &= ds.field(name) == pa.scalar(text).cast(schema.field(name).type)
    return rule
