"""What one run of erasures works off, kept beside the lake's tables so that a run that was killed goes on where it was:
of which requests, the places of the events that go, and what each table did. It names nobody.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from event_assets.lake.coded import numbers_of
from event_assets.lake.storage import Storage

FOLDER = "privacy/batches"
POSITION = ("stream", "shard_id", "sequence_number", "line")
PLACES = pa.schema(
    [
        *(("stream", pa.string()), ("shard_id", pa.string()), ("sequence_number", pa.string()), ("line", pa.int32())),
        *(("arrival_date", pa.string()), ("request", pa.int32()), ("at", pa.timestamp("us", "UTC"))),
    ]
)
"""Where the events are that go, of which request of the batch, and when they happened."""


class Erased(NamedTuple):
    """What a table did: its version before, the one without the rows of people who go whole, and the one without all
    (the same, where nobody shares a device with others)."""

    before: int
    after: int
    last: int


@dataclass
class Batch:
    """One batch. `mixed` are the places, among the requests, of those whose rows others share: what tables say of them
    is made again the ordinary way."""

    id: str
    requests: list[str]
    began_at: str
    mixed: list[int] | None = None
    tables: dict[str, Erased] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    """The version of each table when the batch began."""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> dt.datetime:
        """When it began."""
        return dt.datetime.fromisoformat(self.began_at)


def write_batch(storage: Storage, batch: Batch) -> None:
    """Keeps how far a batch is."""
    storage.replace(f"{FOLDER}/{batch.id}.json", json.dumps(vars(batch)).encode())


def read_batch(storage: Storage, name: str) -> Batch:
    """A batch as far as it is. Raises `FileNotFoundError`."""
    told = json.loads(storage.read(f"{FOLDER}/{name}.json"))
    told["tables"] = {table: Erased(*erased) for table, erased in told["tables"].items()}
    return Batch(**told)


def write_places(storage: Storage, batch: Batch, places: pa.Table) -> None:
    """Keeps the places of the events that go."""
    sink = io.BytesIO()
    pq.write_table(places.cast(PLACES), sink, compression="zstd")
    storage.replace(f"{FOLDER}/{batch.id}.parquet", sink.getvalue())


def read_places(storage: Storage, batch: Batch) -> pa.Table:
    """The places as they were kept; none where that is still to come."""
    try:
        return pq.read_table(io.BytesIO(storage.read(f"{FOLDER}/{batch.id}.parquet"))).cast(PLACES)
    except FileNotFoundError:
        return PLACES.empty_table()


def write_hashes(storage: Storage, batch: Batch, hashes: pa.Array) -> None:
    """Keeps by which hashes the index of days knows what goes."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"id_hash": hashes}), sink)
    storage.replace(f"{FOLDER}/{batch.id}.hashes.parquet", sink.getvalue())


def read_hashes(storage: Storage, batch: Batch) -> pa.Array:
    """The hashes as they were kept; none in a batch that was begun before they were."""
    try:
        kept = pq.read_table(io.BytesIO(storage.read(f"{FOLDER}/{batch.id}.hashes.parquet")))
    except FileNotFoundError:
        return pa.array([], pa.int64())
    return kept["id_hash"].combine_chunks()


def left_batch(storage: Storage) -> str:
    """The batch that a run left, which it was killed in; empty without one."""
    kept = (path.rpartition("/")[2] for path, _ in storage.walk(FOLDER))
    return next((name.removesuffix(".json") for name in sorted(kept) if name.endswith(".json")), "")


def delete_batch(storage: Storage, batch: Batch) -> None:
    """Forgets a batch that is done; last what tells a run that is killed meanwhile that there is one."""
    for suffix in ("hashes.parquet", "parquet", "json"):
        storage.delete(f"{FOLDER}/{batch.id}.{suffix}")


def position_keys(rows: pa.Table) -> pa.ChunkedArray:
    """A text for each row that tells where its event came."""
    texts = [rows[name].cast(pa.string()) for name in POSITION]
    return pc.binary_join_element_wise(*texts, "\x1f")


def at_places(rows: pa.Table, places: pa.Table) -> pa.Array:
    """Which of the rows came at one of the places: by numbers of what stands there, which are compared faster than
    texts of all four columns."""
    key, wanted = (pa.repeat(pa.scalar(0, pa.int64()), each.num_rows) for each in (rows, places))
    for name in POSITION:
        values = places[name].combine_chunks().unique()
        key, wanted = (_next(of, each[name], values) for of, each in ((key, rows), (wanted, places)))
        among = wanted.unique()
        key, wanted = (pc.index_in(of, value_set=among).cast(pa.int64()) for of in (key, wanted))
    return pc.is_valid(key)


def _next(key: pa.Array, column: pa.ChunkedArray, values: pa.Array) -> pa.Array:
    return pc.add(pc.multiply(key, len(values)), numbers_of(column, values).cast(pa.int64()))


def together(batches: Iterator[Mapping[str, Any]]) -> pa.Table:
    """Places, each once."""
    found = {tuple(place[name] for name in POSITION): place for place in batches}
    return pa.Table.from_pylist([dict(place) for place in found.values()], PLACES)
