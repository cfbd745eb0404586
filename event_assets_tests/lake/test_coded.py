"""Texts are found in columns as they lie as they are in columns that were read whole."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.lake.coded import among, coded, numbers_of
from event_assets_tests.lake.test_rewriting import ROWS, rows_of, staged, table_in


@given(ROWS, st.integers(1, 12), st.booleans(), st.booleans())
def test_a_column_as_it_lies_has_the_rows_that_it_has_when_it_is_read_whole(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[str | None, bool, bool]],
    group: int,
    dictionary: bool,
    is_old: bool,
) -> None:
    table, rows = table_in(tmp_path_factory.mktemp("lake")), rows_of(said)
    base, file = table.snapshot(), staged(table, rows, group, dictionary, is_old=is_old)
    lying, wanted = coded(base, file, ("colour", "later", "size", "id")), pa.array(["green", "red-gone", ""])
    assert lying.column_names == ["colour", "later", "size", "id"] and lying.num_rows == rows.num_rows
    assert lying["size"].equals(rows["size"])
    for name in ("colour", "later", "id"):
        assert numbers_of(lying[name], wanted).equals(pc.index_in(rows[name].combine_chunks(), value_set=wanted))
        assert among(lying[name], wanted).to_pylist() == [
            value in wanted.to_pylist() for value in rows[name].to_pylist()
        ]
