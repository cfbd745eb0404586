"""Tables about things: what is written again where the rows of some change."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.lake import clusters
from event_assets.lake.files import LAST
from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import vacuum
from event_assets.lake.progress import Progress
from event_assets.lake.row_changes import FOLDER
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets_tests.examples import examples, texts
from event_assets_tests.warehouse.lake import row

Rows = dict[str, list[str]]
"""What is known of each person."""


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "MOST_ROWS", 4)


def table_in(folder: str | Path) -> LakeTable:
    return Lake(Storage(str(folder))).table(USER_TRAITS.name)


def rows_of(people: Rows) -> pa.Table:
    values = [row(USER_TRAITS, person_id=name, value=value) for name, said in people.items() for value in said]
    return pa.Table.from_pylist(values, USER_TRAITS.arrow_schema())


def change(table: LakeTable, people: Rows, keys: Iterable[str]) -> None:
    base = table.snapshot()
    add, remove, rows = clusters.rewrite(base, rows_of(people), [*keys])
    table.commit(base, Progress(), add=add, remove=remove, rows=rows)


def said_in(rows: pa.Table) -> Counter[tuple[str, str]]:
    return Counter((each["person_id"], each["value"]) for each in rows.to_pylist())


def halves(rows: int) -> list[tuple[int, list[bool]]]:
    """Every second row, and the others."""
    return [(n, [place % 2 == n for place in range(rows)]) for n in range(2) if rows > n]


def people_in(table: LakeTable) -> Rows:
    people: Rows = {}
    for each in table.snapshot().arrow().to_pylist():
        people.setdefault(each["person_id"], []).append(each["value"])
    return {name: sorted(said) for name, said in people.items()}


LONG = "x" * 64
NAMES = ["", *"abcdefg", "a\0b", "mm", "ü", "😀", LONG, LONG + "yz", LONG + LAST, LONG + 2 * LAST, 2 * LAST]
changes = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from("1234567"), max_size=6), max_size=8),
    min_size=1,
    max_size=5,
)


@examples(12)
@given(steps=changes, rewritten=st.booleans(), least_in_place=st.sampled_from([1, 10]))
def test_whatever_changes_the_rows_of_those_are_new_and_all_others_stay(
    steps: list[Rows], rewritten: bool, least_in_place: int
) -> None:
    known: Rows = {}
    with TemporaryDirectory() as folder, mock.patch.object(clusters, "LEAST_IN_PLACE", least_in_place):
        table = table_in(folder)
        for step in steps:
            before = table.snapshot()
            change(table, step, step)
            known = {name: sorted(said) for name, said in {**known, **step}.items() if said}
            assert people_in(table) == known
            after = table.snapshot()
            told, then, now = after.rows_since(before.version), said_in(before.arrow()), said_in(after.arrow())
            if told is not None:
                assert (said_in(after.arrow(told.came)), said_in(after.arrow(told.went))) == (now - then, then - now)
        if rewritten:  # as an engine leaves them: each file has some of all
            base = table.snapshot()
            rows = base.arrow()
            dealt = [table.stage_arrow(rows.filter(pa.array(mine)), f"{n}", {}) for n, mine in halves(rows.num_rows)]
            staged = clusters.in_order(base, dealt)
            table.commit(base, Progress(), add=staged, remove=base.files)
            assert people_in(table) == known and clusters.is_in_order(table.snapshot())
            change(table, {"c": ["9"]}, ["c"])
            assert people_in(table) == known | {"c": ["9"]}


@examples(25)
@given(names=st.lists(texts(max_size=70), min_size=1, max_size=4, unique=True))
@example(names=["", "\U00020000"])
@example(names=[LONG + "\U00020000" + LAST, LONG + 2 * LAST])
def test_every_text_lies_between_the_bounds_that_the_log_says_of_its_file(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        table = table_in(folder)
        change(table, {name: ["1"] for name in names}, names)
        for file in Lake(Storage(folder)).table(USER_TRAITS.name).snapshot().files:
            held = [each["person_id"] for each in table.snapshot().arrow([file]).to_pylist()]
            assert file.low["person_id"] <= min(held) and max(held) <= file.high["person_id"]


def test_files_between_whose_bounds_nobody_lies_are_left_alone(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    change(table, {name: ["1"] for name in "abcdefghijkl"}, "abcdefghijkl")
    before = {file.path: (file.low["person_id"], file.high["person_id"]) for file in table.snapshot().files}
    assert sorted(before.values()) == [("a", "d"), ("e", "h"), ("i", "l")]
    change(table, {"f": ["2"], "hh": ["1"]}, ["f", "hh"])
    kept = before.keys() & {file.path for file in table.snapshot().files}
    assert sorted(before[path] for path in kept) == [("a", "d"), ("i", "l")]
    assert people_in(table)["f"] == ["2"]


def test_a_commit_tells_the_rows_that_it_changed_where_they_are_the_fewer(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    change(table, {name: ["1"] for name in "abcdefghijkl"}, "abcdefghijkl")
    before = table.snapshot()
    change(table, {"f": ["2"], "g": ["1"], "b": []}, "bfg")
    told = table.snapshot().rows_since(before.version)
    assert told is not None
    came, went = said_in(before.arrow(told.came)), said_in(before.arrow(told.went))
    assert ([*came], sorted(went)) == ([("f", "2")], [("b", "1"), ("f", "1")])
    assert told.bytes > 0 and table.snapshot().rows_since(-1) is None, "the first commit told files alone"


def test_a_few_rows_that_only_come_lie_loose_until_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MOST_ROWS", 20)
    table, known = table_in(tmp_path), {f"p{number:03}": ["1"] for number in range(100)}
    change(table, known, known)
    in_order, seen = {file.path for file in table.snapshot().files}, set[int]()
    for number in range(0, 100, 5):
        name = f"p{number:03}"
        known[name] = ["1", "2"]
        change(table, {name: known[name]}, [name])
        files = table.snapshot().files
        loose = [file for file in files if file.path.startswith(clusters.LOOSE)]
        assert people_in(table) == known and clusters.is_in_order(table.snapshot())
        assert (len(loose) <= 1 and {f.path for f in files} - {f.path for f in loose} == in_order) or not loose
        in_order = {file.path for file in files} - {file.path for file in loose}
        seen.add(sum(file.rows for file in loose))
    assert seen == set(range(11)), "from none to a tenth of all rows"


def test_what_is_said_of_rows_that_stay_as_they_were_writes_nothing(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    change(table, {name: ["1", "2"] for name in "abcdefgh"}, "abcdefgh")
    files = table.snapshot().files
    change(table, {"c": ["2", "1"], "g": ["1", "2"]}, ["c", "g", "zz"])
    assert table.snapshot().files == files and table.snapshot().version == 2


@pytest.mark.parametrize("lost", ["told rows", "erased"])
def test_rows_that_are_not_kept_or_were_erased_are_not_told(tmp_path: Path, lost: str) -> None:
    table = table_in(tmp_path)
    change(table, {name: ["1"] for name in "abcdefghijkl"}, "abcdefghijkl")
    before = table.snapshot()
    change(table, {"f": ["2"]}, ["f"])
    assert table.snapshot().rows_since(before.version) is not None
    if lost == "erased":
        base = table.snapshot()
        table.erase(base, Progress(), (), base.files[:1], {"batch": "b", "rows": 4})
    else:
        vacuum(table, dt.timedelta(0))
        assert not [*tmp_path.rglob(f"{FOLDER}/*")], "removed with the files that no version needs"
    assert table.snapshot().rows_since(before.version) is None


def test_what_is_new_goes_to_the_last_file_until_that_is_full(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    for number in range(20):
        change(table, {f"p{number:02}": ["1"]}, [f"p{number:02}"])
    files: list[Any] = sorted((file.low["person_id"], file.high["person_id"]) for file in table.snapshot().files)
    assert len(files) <= 10
    assert all(one[1] < other[0] for one, other in pairwise(files))


def test_what_an_engine_wrote_as_one_is_divided(tmp_path: Path) -> None:
    table = table_in(tmp_path)
    base = table.snapshot()
    people = {f"p{number:02}": ["1"] for number in range(30)}
    staged = clusters.in_order(base, [table.stage_arrow(rows_of(people), "whole", {})])
    assert len(staged) > 5
    table.commit(base, Progress(), add=staged)
    assert people_in(table) == people


def test_what_a_table_is_clustered_by_is_a_text_that_every_row_has() -> None:
    clustered = [(spec, spec.column(spec.clustered_by)) for spec in LAKE_TABLES if spec.clustered_by]
    assert len(clustered) > 8
    assert [spec.name for spec, column in clustered if column.type != "string" or column.nullable] == []
    assert [spec.name for spec, _ in clustered if spec.partition_by] == []
