"""How many rows a second are loaded into the embedded PostgreSQL: `python -m benchmarks warehouse [--json]`.

Lake files of `fct_events` as wide as the contract makes it are loaded by `Warehouse.load_partition`, with all that a
load does: staged, compared with what stands, inserted, indexed, counted against the lake. Once into days that were
empty, once as more of days that have as many rows, once in the place of all of them. `plain_copy` is what a bare COPY
of the same bytes into a table of the same columns takes, without an index and without a second pass: the ratio says
what the rest costs. `encode` is the share that makes PostgreSQL's binary form of the Parquet files.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from benchmarks.data import START, event_blocks
from event_assets.contract.event import Event
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.embedded.postgres import open_postgres
from event_assets.warehouse.binary_copy import HEADER, TRAILER, encode, replace_nul
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.loads import LoadExpectation, Totals
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse

TABLE = next(table for table in WAREHOUSE_TABLES if table.name == "fct_events")
DAY = START.date()
ROWS = 200_000
_FILE_ROWS = 50_000
_DERIVED: dict[str, Any] = {
    "event_date": DAY,
    "arrival_date": DAY,
    "arrival_hour": 9,
    "arrived_at": START,
    "stream": "events",
    "shard_id": "shardId-000000000000",
    "sequence_number": "0" * 56,
    "line": 0,
    "country": "AT",
    "page_host": "www.plotto.example",
    "page_path": "/p/templates",
    "browser": "Chrome",
    "browser_version": "131.0.0",
    "os": "Windows",
    "os_version": "10",
    "device_type": "desktop",
    "is_bot": False,
    "referrer_medium": "search",
    "referrer_source": "Google",
    "source": "google",
    "medium": "organic",
    "channel_group": "Organic Search",
    "library_name": "web",
    "library_version": "0.4.0",
}
"""What enriching adds, about as wide as it is of real events."""


class File(NamedTuple):
    """What the lake says about one of its files."""

    url: str
    size: int
    rows: int
    partition: dict[str, str]


def lake_files(folder: Path, rows: int, seed: int) -> list[File]:
    """So many events of one day as Parquet files, like those of the lake."""
    files = []
    schema = TABLE.lake.arrow_schema()
    decode = msgspec.json.Decoder(Event).decode_lines
    for number, block in enumerate(event_blocks(rows, seed=seed, duplicates=0.0)):
        events = decode(block)
        path = folder / f"{seed}-{number}.parquet"
        columns = [_column(field, events) for field in schema]
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), path, compression="zstd")
        files.append(File(str(path), path.stat().st_size, len(events), {"event_date": str(DAY)}))
    return files


def _column(field: pa.Field, events: Sequence[Event]) -> pa.Array:
    if field.name in _DERIVED:
        return pa.array([_DERIVED[field.name]] * len(events), field.type)
    values = [_value(event, field.name) for event in events]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([None if value is None else str(value) for value in values], field.type)


def _value(event: Event, name: str) -> Any:
    if name == "derived_at":
        return event.received_at
    if name in Event.__struct_fields__:
        value = getattr(event, name)
        return (bytes(value).decode() or None) if isinstance(value, msgspec.Raw) else value
    head, _, inside = name.partition("_")
    nested = getattr(event, head, None)
    value = getattr(nested, inside, None)
    return int(value) if isinstance(value, float) else value


def expected(files: Sequence[File], more: int = 0) -> LoadExpectation:
    """What the day must hold of these files, each `schema_version` being 1."""
    rows = sum(file.rows for file in files) + more
    return {DAY: Totals(rows, dict.fromkeys(TABLE.sums, rows))}


def measure(rows: int) -> dict[str, float]:
    """Rows a second of each way, and the ratios."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as home, open_postgres(Path(home)) as url:
        first, more = lake_files(Path(home), rows, 7), lake_files(Path(home), rows, 11)
        encoded = _seconds(lambda: deque(_pieces(first), maxlen=0))
        row_bytes = sum(map(len, _pieces(first))) / rows
        plain = _plain_copy(url, first)
        warehouse = Warehouse(PostgresDialect(LakeFiles()), url)
        warehouse.ensure()

        def load(files: Sequence[File], mode: Any, version: int, before: int = 0) -> float:
            whole, came = expected(files, before), expected(files)
            grown: LoadExpectation | None = None
            if mode == "append":
                grown = {DAY: Totals(whole[DAY].rows, came[DAY].sums)}
            return _seconds(lambda: warehouse.load_partition(TABLE, [DAY], files, whole, mode, version, grown=grown))

        seconds = {
            "empty": load(first, "append", 1),
            "append": load(more, "append", 2, rows),
            "replace": load([*first, *more], "replace", 3) / 2,
        }
    return {
        **{f"rows_per_second_{name}": round(rows / taken) for name, taken in seconds.items()},
        "rows_per_second_plain_copy": round(rows / plain),
        "rows_per_second_encode": round(rows / encoded),
        **{f"ratio_{name}": round(plain / taken, 2) for name, taken in seconds.items()},
        "row_bytes": round(row_bytes),
        "columns": len(TABLE.specs()),
        "rows": rows,
    }


def _pieces(files: Sequence[File]) -> Iterator[memoryview]:
    lake = TABLE.lake.arrow_schema()
    schema = pa.schema([lake.field(name).with_nullable(True) for name in TABLE.columns])
    for batch in LakeFiles().batches(files, schema):
        yield from encode(replace_nul(batch)[0])


def _plain_copy(url: str, files: Sequence[File]) -> float:
    dialect = PostgresDialect(LakeFiles())
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), dialect.type_of(c)) for c in TABLE.specs()]
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(sql.SQL("CREATE TABLE plain ({})").format(sql.SQL(", ").join(columns)))

        def copy_all() -> None:
            with session.cursor().copy("COPY plain FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(HEADER)
                for piece in _pieces(files):
                    copy.write(piece)
                copy.write(TRAILER)

        seconds = _seconds(copy_all)
        session.execute("DROP TABLE plain")
    return seconds


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks warehouse", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of each load")
    asked = parser.parse_args(argv)
    figures = measure(asked.rows)
    print(json.dumps(figures) if asked.json else "\n".join(f"{n:<32} {value:>12,}" for n, value in figures.items()))
    return 0
