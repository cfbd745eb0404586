"""Rows are found by where their events came, whatever stands there."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from event_assets.privacy.batches import PLACES, POSITION, at_places

ID = st.sampled_from(["a", "b", "ab"])
ROWS = st.lists(st.tuples(ID, ID, ID, st.integers(0, 2)))
SCHEMA = pa.schema([PLACES.field(name) for name in POSITION])


def rows_at(places: list[tuple[str, str, str, int]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(POSITION, place, strict=True)) for place in places], SCHEMA)


@given(ROWS, ROWS)
def test_rows_are_at_a_place_where_all_four_columns_are(
    rows: list[tuple[str, str, str, int]], places: list[tuple[str, str, str, int]]
) -> None:
    assert at_places(rows_at(rows), rows_at(places)).to_pylist() == [row in places for row in rows]
