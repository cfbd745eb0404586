"""A file without some of its rows has the others as they were, and nothing of those that went."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.schema import Column, Table, required
from event_assets.lake import rewriting
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.rewriting import without_rows
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.privacy.needles import Needles
from event_assets.privacy.scanning import Scan, scan_folder

TABLE = Table(
    "things",
    "Things.",
    (
        required("id", "string", "The thing."),
        Column("colour", "string", "Its colour."),
        Column("data", "binary", "What it says."),
        Column("at", "timestamp", "When."),
        Column("size", "long", "How large."),
        Column("is_new", "boolean", "It is new."),
        Column("later", "string", "A column that older files have not."),
    ),
    key=("id",),
)
AT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
COLOURS = st.sampled_from([None, "", "red", "green", "a long name of a colour that is used often"])
ROWS = st.lists(st.tuples(COLOURS, st.booleans(), st.booleans()), min_size=1, max_size=30)


def table_in(folder: Path) -> LakeTable:
    return LakeTable(Lake(Storage(str(folder))).storage, TABLE)


def rows_of(said: list[tuple[str | None, bool, bool]]) -> pa.Table:
    rows = [
        {
            "id": f"id-{number}-{'gone' if goes else 'stays'}",
            "colour": None if colour is None else colour + ("-gone" if goes else ""),
            "data": None if is_null else b"data",
            "at": None if is_null else AT + dt.timedelta(seconds=number),
            "size": None if is_null else number % 3,
            "is_new": None if is_null else number % 2 == 0,
        }
        for number, (colour, is_null, goes) in enumerate(said)
    ]
    return pa.Table.from_pylist(rows, TABLE.arrow_schema())


def staged(table: LakeTable, rows: pa.Table, group: int, dictionary: bool, *, is_old: bool = False) -> LakeFile:
    """A file of several row groups, as another writer may have left it."""

    def write(sink: pa.NativeFile) -> None:
        kept = rows.drop_columns("later") if is_old else rows
        pq.write_table(kept, sink, row_group_size=group, use_dictionary=dictionary, compression="zstd")

    if not is_old:
        return table.stage_file("before", {}, write)
    path = table.storage.path("things/before.parquet")
    table.storage.make_folder("things")
    with table.storage.filesystem.open_output_stream(path) as sink:
        write(sink)
    size = table.storage.filesystem.get_file_info(path).size
    return LakeFile(table.storage.uri("things/before.parquet"), size, rows.num_rows, {}, "before.parquet")


@given(ROWS, st.integers(1, 12), st.integers(1, 12), st.booleans(), st.booleans())
def test_the_other_rows_stay_as_they_were_and_no_byte_of_those_that_went(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[str | None, bool, bool]],
    group: int,
    most: int,
    dictionary: bool,
    is_old: bool,
) -> None:
    table, rows = table_in(tmp_path_factory.mktemp("lake")), rows_of(said)
    base, file = table.snapshot(), staged(table, rows, group, dictionary, is_old=is_old)
    gone = pa.array([goes for _, _, goes in said])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewriting, "_ROWS", most)
        made = without_rows(base, file, gone, "after")
    left = rows.filter(pc.invert(gone))
    assert (made is None) == (left.num_rows == 0)
    if made is None:
        return
    assert made.rows == left.num_rows
    assert base.arrow([made]).equals(left)
    footer = pq.read_metadata(made.url)
    assert max(footer.row_group(number).num_rows for number in range(footer.num_row_groups)) <= most
    assert (made.low["id"], made.high["id"]) == (min(left["id"].to_pylist()), max(left["id"].to_pylist()))
    Path(file.url).unlink()
    scan, names = Scan(), [*rows.filter(gone)["id"].to_pylist(), "red-gone", "green-gone"]
    scan_folder(Path(table.storage.path()), Needles([name.encode() for name in names]), scan)
    assert (scan.found, scan.unread) == ({}, {})


def test_a_mask_of_other_rows_is_refused(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    file = staged(table, rows_of([("red", False, False)] * 3), 2, True)
    with pytest.raises(RuntimeError, match="3 rows, and 2 were judged"):
        without_rows(table.snapshot(), file, pa.array([True, False]), "after")


def test_footers_say_bounds_of_what_is_found_by_them_and_of_no_other_text(tmp_path: Path) -> None:
    table, rows = table_in(tmp_path), rows_of([("red", False, False), ("green", False, False), ("red", False, True)])
    base, file = table.snapshot(), staged(table, rows, 2, True)
    made = without_rows(base, file, pa.array([False, False, True]), "after")
    assert made is not None
    footer = pq.read_metadata(made.url)
    chunks = [footer.row_group(0).column(place) for place in range(footer.num_columns)]
    told = {chunk.path_in_schema for chunk in chunks if chunk.statistics is not None and chunk.statistics.has_min_max}
    assert told == {"id", "at", "size", "is_new"}
    empty = {chunk.path_in_schema for chunk in chunks if chunk.statistics and chunk.statistics.null_count == 2}
    assert empty == {"later"}, "who takes rows away again need not read it"
    assert (made.low, made.high) == ({"id": "id-0-stays"}, {"id": "id-1-stays"})
