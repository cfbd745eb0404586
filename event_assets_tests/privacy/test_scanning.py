"""A scan finds a text wherever it stands and however it is packed, and says what it could not read."""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from event_assets.lake.storage import Storage
from event_assets.privacy.needles import Needles
from event_assets.privacy.scanning import Scan, scan_database, scan_folder, scan_storage
from event_assets_tests.postgres import new_database

NAME = "user-0003"
OTHERS = [f"somebody-{n}" for n in range(50)]


def scanned(folder: Path, *names: str) -> Scan:
    scan = Scan()
    scan_folder(folder, Needles([name.encode() for name in names or (NAME,)]), scan)
    return scan


def parquet(column: pa.Array, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"column": column}), sink, compression="zstd", **options)
    return sink.getvalue()


def zipped(data: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.ndjson", data)
    return sink.getvalue()


def of_many(type_: pa.DataType, value: Callable[[str], Any]) -> pa.Array:
    return pa.array([*map(value, OTHERS), None, value(NAME)], type_)


RECORD = pa.struct({"said": pa.struct({"of": pa.string()}), "n": pa.int32()})
COLUMNS = {
    "text": of_many(pa.string(), str),
    "large text": of_many(pa.large_string(), str),
    "bytes": of_many(pa.binary(), str.encode),
    "list": of_many(pa.list_(pa.string()), lambda name: [name, "x"]),
    "record": of_many(RECORD, lambda name: {"said": {"of": name}, "n": 1}),
    "key": of_many(pa.map_(pa.string(), pa.string()), lambda name: [(name, "x")]),
    "value": of_many(pa.map_(pa.string(), pa.string()), lambda name: [("x", name)]),
    "list of records": of_many(pa.list_(RECORD), lambda name: [{"said": {"of": name}, "n": 1}]),
    "packed bytes": of_many(pa.binary(), lambda name: zstandard.compress(f'{{"id":"{name}"}}\n'.encode() * 9)),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_what_a_column_of_any_type_holds_is_found(tmp_path: Path, column: pa.Array, use_dictionary: bool) -> None:
    (tmp_path / "file").write_bytes(parquet(column, use_dictionary=use_dictionary, write_statistics=False))
    assert scanned(tmp_path).found.keys() == {"file"}
    (tmp_path / "file").write_bytes(parquet(column[:-1], use_dictionary=use_dictionary))
    scan = scanned(tmp_path)
    assert (scan.found, scan.unread, scan.files) == ({}, {}, 1)


def test_a_value_that_stands_in_a_dictionary_and_in_no_row_is_found(tmp_path: Path) -> None:
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([*OTHERS, NAME]))
    data = parquet(dictionary, write_statistics=False)
    (tmp_path / "file").write_bytes(data)
    assert scanned(tmp_path).found.keys() == {"file"}
    assert (
        NAME.encode() not in data
        and NAME not in pq.read_table(io.BytesIO(data))["column"].cast(pa.string()).to_pylist()
    )


def test_least_and_greatest_values_in_footers_are_found_whatever_stands_beside_them(tmp_path: Path) -> None:
    name = "a" * 40 + "@mail.com"  # its length is the letter 1, which stands right before it
    (tmp_path / "file").write_bytes(parquet(pa.array([name, "b"]), compression_level=1))
    assert scanned(tmp_path, name).found["file"] >= 2


def test_values_that_lie_one_behind_another_are_no_word_together(tmp_path: Path) -> None:
    column = pa.array(["x-user-0", "003", "", "user-0003", "4"])
    (tmp_path / "file").write_bytes(parquet(column, write_statistics=False, use_dictionary=False))
    assert Needles([b"user-0003"]).count(b"x-user-0003user-00034", [0, 8, 11, 11, 20, 21]) == 1
    assert scanned(tmp_path).found.keys() == {"file"}
    assert scanned(tmp_path, "0003").found == {}


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "several of gzip": lambda data: gzip.compress(b"other") + gzip.compress(data),
    "zstd": zstandard.compress,
    "several of zstd": lambda data: zstandard.compress(b"other") + zstandard.compress(data),
    "zip": zipped,
    "Parquet in zip": lambda data: zipped(parquet(pa.array([data, b""]))),
    "gzip in zstd in Parquet": lambda data: parquet(pa.array([zstandard.compress(gzip.compress(data)), b""])),
}


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_what_is_packed_is_found_in_files_buckets_and_databases(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = pack(b'{"user_id":"%b","more":"%b"}' % (NAME.encode(), b"word " * 200))
    (tmp_path / "file").write_bytes(data)
    with contextlib.closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        connection.execute("CREATE TABLE records (key TEXT, data BLOB)")
        connection.execute("INSERT INTO records VALUES ('of-nobody', ?)", (data,))
    assert scanned(tmp_path).found.keys() == {"file", "log.db"}
    of_bucket = Scan()
    scan_storage(Storage(str(tmp_path)), Needles([NAME.encode()]), of_bucket, ["log"])
    assert of_bucket.found.keys() == {"lake/file"} and of_bucket.seconds > 0


@pytest.mark.parametrize("head", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"])
def test_what_cannot_be_unpacked_is_told(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "file").write_bytes(head + b" and no more of it PAR1")
    scan = scanned(tmp_path)
    assert scan.unread.keys() == {"file"} and scan.found == {}


def test_every_schema_of_a_database_is_read_and_what_is_packed_in_it(postgres_url: str) -> None:
    url, scan = new_database(postgres_url), Scan()
    with psycopg.connect(url) as session:
        session.execute("CREATE SCHEMA other CREATE TABLE cursors (name text, said bytea)")
        session.execute("INSERT INTO other.cursors VALUES ('of-nobody', %s)", (gzip.compress(NAME.encode()),))
    scan_database(url, Needles([NAME.encode()]), scan, "dagster")
    assert (scan.found, scan.tables) == ({"dagster/other.cursors": 1}, 1)
