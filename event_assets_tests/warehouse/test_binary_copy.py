"""Arrow batches through PostgreSQL's binary COPY and back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.warehouse import binary_copy
from event_assets.warehouse.binary_copy import HEADER, TRAILER, encode, replace_nul
from event_assets_tests.examples import examples, texts

SCHEMA = pa.schema(
    [
        ("n", pa.int32()),
        ("b", pa.int64()),
        ("d", pa.float64()),
        ("o", pa.bool_()),
        ("t", pa.timestamp("us", tz="UTC")),
        ("y", pa.date32()),
        ("s", pa.string()),
        ("x", pa.binary()),
    ]
)
TYPES = ("integer", "bigint", "double precision", "boolean", "timestamptz", "date", "text", "bytea")
TIMES = st.integers(-62_135_510_400_000_000, 253_402_128_000_000_000).map(
    lambda microseconds: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-(2**31), 2**31 - 1),
            "b": st.none() | st.integers(-(2**63), 2**63 - 1),
            "d": st.none() | st.floats(),
            "o": st.none() | st.booleans(),
            "t": st.none() | TIMES,
            "y": st.none() | st.dates(),
            "s": st.none() | texts(),
            "x": st.none() | st.binary(),
        }
    ),
    max_size=20,
)


def through_postgres(url: str, batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as session:
        columns = ", ".join(f"{name} {type_}" for name, type_ in zip(SCHEMA.names, TYPES, strict=True))
        session.execute(f"CREATE TEMP TABLE copied ({columns})".encode())
        with session.cursor().copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(HEADER)
            for piece in encode(batch):
                copy.write(piece)
            copy.write(TRAILER)
        return session.execute("SELECT * FROM copied").fetchall()


def plain(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    """Text, in which NaN is itself, -0.0 is not 0.0 and UTC has one name."""
    return [[value.isoformat() if isinstance(value, dt.date) else repr(value) for value in row] for row in rows]


@given(rows=ROWS, cut=st.integers(0, 3))
@examples(25)
def test_any_rows_come_back_as_they_went(postgres_url: str, rows: list[dict[str, Any]], cut: int) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA).slice(cut)
    clean, _ = replace_nul(batch)
    wanted = [tuple(row.values()) for row in clean.to_pylist()]
    assert plain(through_postgres(postgres_url, clean)) == plain(wanted)


def test_only_values_with_a_nul_are_changed_and_each_is_counted_once() -> None:
    batch = pa.RecordBatch.from_pylist([{"s": "\0a\0"}, {"s": "b"}, {"s": None}, {"s": "c\0"}], schema=SCHEMA)
    clean, changed = replace_nul(batch)
    assert changed == 2
    assert clean.column("s").to_pylist() == ["\ufffda\ufffd", "b", None, "c\ufffd"]


def test_a_large_batch_comes_in_pieces(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_copy, "_MOST_BYTES", 1000)
    batch = pa.RecordBatch.from_pylist([{"s": "x" * 300, "n": n} for n in range(10)], schema=SCHEMA)
    assert len(list(encode(batch))) > 3
    assert [row[0] for row in through_postgres(postgres_url, batch)] == list(range(10))


def test_a_type_that_the_contract_does_not_know_is_refused() -> None:
    batch = pa.record_batch({"list": pa.array([[1]])})
    with pytest.raises(TypeError, match="list"):
        list(encode(batch))
