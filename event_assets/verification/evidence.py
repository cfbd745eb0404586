"""What is found at every stage, brought into one SQLite database beside the truth. Nothing is judged here.

Only rows about events of the truth are read, so that other people's events on the same platform do not disturb.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import zstandard
from deltalake import DeltaTable
from psycopg import sql
from pyarrow import fs

from event_assets.settings import Settings

_EVENT_ID = re.compile(rb'"event_id"\s*:\s*"([^"]+)"')
_EPOCH_MICROSECONDS = 1e6

_LAKE: dict[str, tuple[tuple[str, ...], str]] = {
    "clean_events": (("event_id", "shard_id", "sequence_number", "line"), "event_id"),
    "duplicate_events": (("event_id", "is_conflict"), "event_id"),
    "enriched_events": (("event_id", "event", "anonymous_id", "user_id", "derived_at"), "event_id"),
    "page_views": (("page_view_id", "session_id", "engaged_seconds"), "page_view_id"),
    "sessions": (("session_id", "anonymous_id", "user_id", "events", "revenue"), ""),
    "visitors": (("anonymous_id",), "anonymous_id"),
    "identities": (("id_type", "id", "person_id"), "id"),
    "users": (("person_id", "events", "revenue"), ""),
    "quarantined_events": (("event_id", "reason", "shard_id", "sequence_number", "line"), ""),
    "event_ledger": (("arrival_date", "arrival_hour", "balanced"), ""),
}
"""Lake tables with the columns that are read, and the one by which rows are about the truth."""

_WAREHOUSE: dict[str, tuple[str, ...]] = {
    "fct_events": ("event_id",),
    "fct_page_views": ("page_view_id",),
    "fct_sessions": ("session_id", "anonymous_id", "user_id", "revenue"),
    "dim_users": ("person_id",),
    "user_segments": ("person_id",),
    "agg_daily": ("event_date", "platform"),
}


class Evidence:
    """Truth and findings in one database: `truth.submissions`, `lake_<table>`, `warehouse_<table>`, `raw`."""

    def __init__(self, truth: Path) -> None:
        if not truth.exists():
            raise FileNotFoundError(f"{truth}: there is no truth; it is written when the simulator sends")
        self.connection = sqlite3.connect(":memory:", uri=True)
        self.connection.execute("ATTACH ? AS truth", (f"{truth.absolute().as_uri()}?mode=ro",))
        self._ids = {
            "event_id": self._column("event_id"),
            "page_view_id": self._column("page_view_id"),
            "anonymous_id": self._column("anonymous_id"),
            "id": self._column("anonymous_id") | self._column("user_id"),
        }

    def rows(self, query: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query, tuple(parameters)).fetchall()

    def number(self, query: str) -> float:
        """The first column of the first row of a query; 0 where it is null."""
        return self.rows(query)[0][0] or 0

    def anomalies(self) -> list[tuple[str, float, float, str]]:
        """Kind, beginning and end (epoch seconds) and metric of every planted anomaly."""
        if not self.rows("SELECT 1 FROM truth.sqlite_master WHERE name = 'anomalies'"):
            return []
        return self.rows("SELECT kind, begins_at, ends_at, metric FROM truth.anomalies ORDER BY begins_at")

    def read_lake(self, settings: Settings) -> None:
        """Reads what the lake's tables say. A table that is not there yet is empty."""
        for name, (columns, key) in _LAKE.items():
            wanted = pc.field(key).isin(pa.array(sorted(self._ids[key]))) if key else None
            self._create(f"lake_{name}", columns)
            for batch in _scan(settings, name, columns, wanted):
                self._insert(f"lake_{name}", batch)
        self._create("raw", ("event_id", "shard_id", "sequence_number", "line"))
        for batch in _scan(settings, "raw_events", ("shard_id", "sequence_number", "data"), None):
            self._insert_raw(batch)

    def read_warehouse(self, url: str, schema: str) -> None:
        """Reads what the warehouse's tables say. A table that is not there yet is empty."""
        with psycopg.connect(url) as connection:
            for name, columns in _WAREHOUSE.items():
                self._create(f"warehouse_{name}", columns)
                found = connection.execute("SELECT to_regclass(%s)", (f'"{schema}"."{name}"',)).fetchone()
                if found is None or found[0] is None:
                    continue
                names = sql.SQL(", ").join(map(sql.Identifier, columns))
                query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(schema, name))
                marks = ", ".join("?" * len(columns))
                with connection.cursor(name=f"verify_{name}") as cursor:
                    rows = ([_plain(value) for value in row] for row in cursor.execute(query))
                    self.connection.executemany(f"INSERT INTO warehouse_{name} VALUES ({marks})", rows)

    def _column(self, name: str) -> set[str]:
        return {value for (value,) in self.rows(f"SELECT DISTINCT {name} FROM truth.submissions") if value is not None}

    def _create(self, table: str, columns: tuple[str, ...]) -> None:
        self.connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")

    def _insert(self, table: str, batch: pa.RecordBatch) -> None:
        marks = ", ".join("?" * batch.num_columns)
        columns = [_values(column) for column in batch.columns]
        self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", zip(*columns, strict=True))

    def _insert_raw(self, batch: pa.RecordBatch) -> None:
        known = self._ids["event_id"]
        for shard, sequence, data in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for line, event_id in enumerate(_event_ids(data)):
                if event_id in known:
                    self.connection.execute("INSERT INTO raw VALUES (?, ?, ?, ?)", (event_id, shard, sequence, line))


def _scan(
    settings: Settings, name: str, columns: tuple[str, ...], wanted: pc.Expression | None
) -> Iterator[pa.RecordBatch]:
    root = f"{settings.lake}/{name}"
    options, filesystem = _access(settings)
    if not DeltaTable.is_deltatable(root, options):
        return
    files = [
        uri.removeprefix("s3://").removeprefix("file://")
        for uri in DeltaTable(root, storage_options=options).file_uris()
    ]
    if files:
        dataset = ds.dataset(sorted(files), format="parquet", filesystem=filesystem)
        yield from dataset.to_batches(columns=list(columns), filter=wanted)


def _access(settings: Settings) -> tuple[dict[str, str], fs.FileSystem]:
    """How Delta's log and Arrow reach the lake."""
    if not settings.lake.startswith("s3://"):
        return {}, fs.LocalFileSystem()
    options = {"AWS_REGION": settings.aws_region}
    if settings.s3_endpoint_url is None:
        return options, fs.S3FileSystem(region=settings.aws_region)
    scheme, _, host = settings.s3_endpoint_url.partition("://")
    options |= {"AWS_ENDPOINT_URL": settings.s3_endpoint_url, "AWS_ALLOW_HTTP": str(scheme == "http").lower()}
    return options, fs.S3FileSystem(region=settings.aws_region, endpoint_override=host, scheme=scheme)


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        microseconds = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        return [None if value is None else value / _EPOCH_MICROSECONDS for value in microseconds.to_pylist()]
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int, float, bytes)) else str(value)


def _event_ids(record: bytes) -> Iterator[str | None]:
    """The id of each line of a stream record, None where there is none to be seen."""
    for line in _text(record).splitlines():
        found = _EVENT_ID.search(line)
        yield found.group(1).decode(errors="replace") if found else None


def _text(record: bytes) -> bytes:
    try:
        if record[:4] == b"\x28\xb5\x2f\xfd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(record)
        return gzip.decompress(record) if record[:2] == b"\x1f\x8b" else record
    except (zstandard.ZstdError, OSError, EOFError, zlib.error):
        return b""
