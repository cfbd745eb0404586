"""What is remembered of a table's files is what its log says of them, whatever came and went."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.lake import known_files
from event_assets.lake.files import LakeFile
from event_assets.lake.known_files import KnownFiles
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets_tests.examples import examples


def stage(table: LakeTable, day: int, hour: int, name: str) -> LakeFile:
    """A file of one row."""
    date, now = dt.date(2026, 1, day), dt.datetime(2026, 1, day, hour, tzinfo=dt.UTC)
    by_type = {"string": name, "int": hour, "long": 0, "double": 0.0, "boolean": False, "date": date, "timestamp": now}
    row = {c.name: by_type[c.type] for c in table.spec.columns if not c.nullable}
    rows = pa.Table.from_pylist([row], schema=table.spec.arrow_schema())
    return table.stage_arrow(rows, name, {"arrival_date": str(date), "arrival_hour": str(hour)})


def anew(table: LakeTable) -> LakeTable:
    """The table to one who remembers nothing."""
    return Lake(table.storage).table(table.spec.name)


@pytest.mark.slow
@pytest.mark.parametrize("spare", [0, 1_000])
@examples(15)
@given(
    steps=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1), st.lists(st.integers(0, 9), max_size=3)), max_size=6)
)
def test_a_table_looked_at_all_the_time_has_the_files_of_one_opened_anew(
    spare: int, steps: list[tuple[int, int, list[int]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_files, "_SPARE", spare)
        table = Lake(Storage(folder)).table("clean_events")
        assert table.snapshot().files == [] == table.snapshot().of_dates(["2026-01-01"])
        for number, (day, hour, going) in enumerate(steps):
            base = table.snapshot()
            removed = [file for place, file in enumerate(base.files) if place in going]
            table.commit(base, Progress(), add=[stage(table, day, hour, f"f{number}")], remove=removed)
            now, fresh = table.snapshot(), anew(table).snapshot()
            assert now.files == fresh.files
            assert now.rows == sum(file.rows for file in fresh.files) == len(fresh.files)
            assert now.bytes == sum(file.size for file in fresh.files) > 0
            assert now.dates() == {file.partition["arrival_date"] for file in fresh.files}
            for date in ("2026-01-01", "2026-01-02"):
                assert now.of_dates([date]) == [f for f in fresh.files if f.partition["arrival_date"] == date]
            assert base.files == anew(table).at(base.version).files, "an older version stays what it was"


def test_what_was_read_of_a_file_is_not_read_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lake.table("clean_events")
    read: list[int] = []
    made = known_files._files

    def counted(uri: str, actions: pa.Table) -> Iterator[LakeFile]:
        read.append(len(actions))
        return made(uri, actions)

    monkeypatch.setattr(known_files, "_files", counted)
    for number in range(4):
        table.commit(table.snapshot(), Progress(), add=[stage(table, 1, 0, f"f{number}")])
        assert len(table.snapshot().files) == number + 1
    assert read == [1, 1, 1, 1]
    assert isinstance(table.known_files, KnownFiles)


def test_a_version_is_opened_once_until_another_comes(lake: Lake) -> None:
    table = lake.table("clean_events")
    first = table.snapshot()
    assert table.snapshot() is first
    table.commit(first, Progress(), add=[stage(table, 1, 0, "f")])
    second = table.snapshot()
    assert (first.version, first.files, second.version, table.snapshot()) == (0, [], 1, second)


def test_a_table_that_was_made_anew_is_opened_anew(lake: Lake) -> None:
    table = lake.table("clean_events")
    before = table.snapshot()
    lake.storage.delete_folder("clean_events")
    assert table.snapshot().id != before.id
