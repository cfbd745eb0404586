"""The lake's files as a stranger reads them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from event_assets.settings import Settings
from event_assets.verification.reading import scan


def test_a_column_that_came_later_is_read_where_it_is_and_null_where_it_is_not(tmp_path: Path) -> None:
    table = tmp_path / "lake" / "clean" / "events"
    settings = Settings(home=tmp_path)
    assert settings.lake == str(tmp_path / "lake")
    for rows in ({"id": ["a"]}, {"id": ["b"], "group_id": ["g"]}):
        write_deltalake(str(table), pa.table(rows), mode="append", schema_mode="merge")
    found = pa.Table.from_batches(scan(settings, "clean/events", ("id", "group_id", "later"), None)).to_pylist()
    assert sorted(found, key=lambda row: row["id"]) == [
        {"id": "a", "group_id": None, "later": None},
        {"id": "b", "group_id": "g", "later": None},
    ]


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert list(scan(Settings(home=tmp_path), "clean/events", ("id",), None)) == []
