"""The lake's files as a stranger reads them: Delta's log and Parquet, and the record of how far a table is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow import fs

from event_assets.settings import Settings

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_SECOND = 1e6
_PROGRESS = "progress"


def scan(
    settings: Settings, name: str, columns: tuple[str, ...], wanted: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    """The rows of a lake table; a column that a file or the table does not have is null. None, where it is no table."""
    delta, filesystem = _table(settings, name), access(settings)[1]
    files = [] if delta is None else delta.file_uris()
    if delta is None or not files:
        return
    paths = sorted(uri.removeprefix("s3://").removeprefix("file://") for uri in files)
    schema = pa.schema(delta.schema().to_arrow())
    dataset = ds.dataset(paths, schema=schema, format="parquet", filesystem=filesystem)
    known = [column for column in columns if column in schema.names]
    for batch in dataset.to_batches(columns=known, filter=wanted):
        arrays = [batch[name] if name in known else pa.nulls(batch.num_rows) for name in columns]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


class Version(NamedTuple):
    """A version of a Delta table, and the id by which it is another one than the one that was there before it."""

    number: int
    table: str

    def is_before(self, other: Version) -> bool:
        """Whether the other one is later, or another table's. A record may know no id."""
        return self.number < other.number or self.table not in ("", other.table)


def version(settings: Settings, name: str) -> Version:
    """The version of a lake table; -1 where it is not there."""
    delta = _table(settings, name)
    return Version(-1, "") if delta is None else Version(delta.version(), str(delta.metadata().id))


@dataclass(frozen=True)
class Refreshed:
    """When the analyses of a table were made, and of which versions of the lake, by `name@code/table`."""

    at: Mapping[str, dt.datetime]
    through: Mapping[str, Version]

    def sources_of(self, name: str, digest: str) -> dict[str, Version]:
        """By table the version that an analysis was made of; empty where it was not, or by another definition."""
        sources = {}
        for key, through in self.through.items():
            made, _, table = key.rpartition("/")
            analysis, _, code = made.partition("@")
            if analysis == name and digest in code.split("-"):
                sources[table] = through
        return sources


class MadeWhole(NamedTuple):
    """When a table was made, and of which versions of which tables; of none where it was not."""

    at: dt.datetime | None
    through: Mapping[str, Version]


def made_whole(settings: Settings, name: str) -> MadeWhole:
    """What the last commit of a table that is made whole says of it."""
    delta = _table(settings, name)
    if delta is None:
        return MadeWhole(None, {})
    written = [_written_at(action) for action in pa.table(delta.get_add_actions(flatten=True)).to_pylist()]
    return MadeWhole(max(written, default=None), _sources(settings, name, delta))


def refreshed(settings: Settings, name: str) -> Refreshed:
    """What the last commit of a table of analyses says of them."""
    delta = _table(settings, name)
    through = {} if delta is None else _sources(settings, name, delta)
    if delta is None or not through:
        return Refreshed({}, {})
    at: dict[str, dt.datetime] = {}
    for action in pa.table(delta.get_add_actions(flatten=True)).to_pylist():
        written = _written_at(action)
        analysis = action["partition.analysis"]
        at[analysis] = max(written, at.get(analysis, written))
    return Refreshed(at, through)


def _sources(settings: Settings, name: str, delta: DeltaTable) -> dict[str, Version]:
    """What the last commit with progress was made of."""
    number = delta.transaction_version(_PROGRESS)
    if not number:
        return {}
    root = settings.lake.removeprefix("s3://").removeprefix("file://")
    with access(settings)[1].open_input_stream(f"{root}/{name}/_progress/{number}.json") as file:
        progress = json.loads(file.read())
    sources = progress["sources"].items()
    return {key: Version(source["through"], source.get("table", "")) for key, source in sources}


def _written_at(action: Mapping[str, Any]) -> dt.datetime:
    """When a file of a Delta table was written."""
    return _EPOCH + dt.timedelta(milliseconds=action["modification_time"])


def columns_of(batch: pa.RecordBatch) -> list[list[Any]]:
    """The values of each column, as SQLite takes them."""
    return [_values(column) for column in batch.columns]


def plain(value: Any) -> Any:
    """A value as SQLite takes it: times as seconds since 1970, what it has no type for as text."""
    if isinstance(value, dt.datetime):
        return (value - _EPOCH) // _MICROSECOND / _SECOND
    return value if value is None or isinstance(value, (str, int, float, bytes)) else str(value)


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        microseconds = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        return [None if value is None else value / _SECOND for value in microseconds.to_pylist()]
    return [plain(value) for value in column.to_pylist()]


def _table(settings: Settings, name: str) -> DeltaTable | None:
    root, options = f"{settings.lake}/{name}", access(settings)[0]
    return DeltaTable(root, storage_options=options) if DeltaTable.is_deltatable(root, options) else None


def access(settings: Settings) -> tuple[dict[str, str], fs.FileSystem]:
    """How Delta's log and Arrow reach the lake."""
    if not settings.lake.startswith("s3://"):
        return {}, fs.LocalFileSystem()
    options = {"AWS_REGION": settings.aws_region}
    if settings.s3_endpoint_url is None:
        return options, fs.S3FileSystem(region=settings.aws_region)
    scheme, _, host = settings.s3_endpoint_url.partition("://")
    options |= {"AWS_ENDPOINT_URL": settings.s3_endpoint_url, "AWS_ALLOW_HTTP": str(scheme == "http").lower()}
    return options, fs.S3FileSystem(region=settings.aws_region, endpoint_override=host, scheme=scheme)
