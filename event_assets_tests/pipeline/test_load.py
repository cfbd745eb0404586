"""What a load into the warehouse, and its check, read of the lake, what it moves, and which days of events it has."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import Loaded, behind, lake_totals, load_step, wanted
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.settings import Settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.loads import Totals
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.examples import examples
from event_assets_tests.factories import row_of

TABLES = {table.name: table for table in WAREHOUSE_TABLES}
DAYS = ("2026-11-22", "2026-11-23")
Keys = dict[str, int]


class Loading:
    """A lake table whose rows are given, and a warehouse that it is loaded into."""

    def __init__(self, folder: str | Path, warehouse: Warehouse, table: WarehouseTable) -> None:
        self.lake, self.warehouse, self.table = Lake(Storage(str(folder))), warehouse, table
        self.lake_table = self.lake.table(table.lake.name)

    def write(self, days: dict[str, Keys]) -> None:
        """Writes these days, or the whole table, again: a row a key, with so many events."""
        base, add = self.lake_table.snapshot(), list[LakeFile]()
        for day, keys in days.items():
            partition = {"event_date": day} if self.table.partition_by else {}
            dated = {"event_date": dt.date.fromisoformat(day)} if self.table.partition_by else {}
            rows = [{**row_of(self.table.lake), **dated, self._key: k, "events": n} for k, n in keys.items()]
            made = pa.Table.from_pylist(rows, self.table.lake.arrow_schema())
            add += [self.lake_table.stage_arrow(made, uuid.uuid4().hex, partition)] if rows else []
        gone = [file for file in base.files if not file.partition or file.partition["event_date"] in days]
        affected = dict.fromkeys(days, 1) if self.table.partition_by else None
        self.lake_table.commit(base, base.progress, add=add, remove=gone, affected=affected)

    def load(self) -> tuple[int, int]:
        """Rows that were deleted and inserted."""
        reports = load_step(self.lake, self.warehouse, self.table, EVERYTHING).reports
        return sum(each.deleted for each in reports), sum(each.inserted for each in reports)

    def loaded(self) -> dict[tuple[str, str], int]:
        day = "event_date::text" if self.table.partition_by else "''"
        with self.warehouse.connect() as session:
            query = f"SELECT {day}, {self._key}, events FROM {self.warehouse.schema}.{self.table.name}"
            rows = session.execute(query.encode()).fetchall()
        assert len({row[:2] for row in rows}) == len(rows)
        return {row[:2]: row[2] for row in rows}

    @property
    def _key(self) -> str:
        return self.table.key[0]


ALWAYS = [f"always {number}" for number in range(40)]
"""So many that those which come and go are few."""
keys = st.dictionaries(st.sampled_from([*"abcdefgh", "a\0b", "ü"]), st.integers(0, 3), max_size=10)


@pytest.mark.representative
@pytest.mark.slow
@examples(8)
@given(data=st.data())
@pytest.mark.parametrize("name", ["fct_sessions", "dim_visitors"])
def test_whatever_is_written_again_the_warehouse_holds_the_same(
    warehouse: Warehouse, name: str, data: st.DataObject
) -> None:
    table = TABLES[name]
    with TemporaryDirectory() as folder, warehouse.connect() as session:
        session.execute(f"TRUNCATE {warehouse.schema}.{name}, {warehouse.schema}._loads".encode())
        loading, known = Loading(folder, warehouse, table), dict[str, Keys]()
        for _ in range(data.draw(st.integers(2, 5))):
            days = st.dictionaries(st.sampled_from(DAYS), keys, min_size=1) if table.partition_by else st.just({})
            drawn = data.draw(days) or {"": data.draw(keys)}
            step = {day: {**dict.fromkeys(ALWAYS, 1), **some} for day, some in drawn.items()}
            loading.write(step)
            known |= step
            if data.draw(st.booleans()):
                loading.load()
        loading.load()
        held = {(day, key.replace("\0", "\ufffd")): n for day, rows in known.items() for key, n in rows.items()}
        assert loading.loaded() == held
        assert loading.load() == (0, 0)


@pytest.mark.parametrize("name", ["fct_sessions", "dim_visitors"])
def test_of_what_is_written_again_only_rows_that_differ_are_loaded(
    warehouse: Warehouse, tmp_path: Path, name: str
) -> None:
    loading = Loading(tmp_path, warehouse, TABLES[name])
    day = DAYS[0] if TABLES[name].partition_by else ""
    many = dict.fromkeys(map(str, range(100)), 1)
    loading.write({day: many})
    assert loading.load() == (0, 100)
    loading.write({day: many | {"7": 2, "new": 1}})
    assert loading.load() == (1, 2)
    loading.write({day: {key: n for key, n in many.items() if key != "9"}})
    assert loading.load() == (3, 1)
    assert loading.loaded() == {(day, key): 1 for key in many if key != "9"}


def test_a_row_that_moves_to_another_day_keeps_when_it_first_came_in(warehouse: Warehouse, tmp_path: Path) -> None:
    loading = Loading(tmp_path, warehouse, TABLES["fct_sessions"])
    first, second = (dict.fromkeys((f"{day}-{number}" for number in range(9)), 1) for day in DAYS)
    query = f"SELECT event_date::text, loaded_at FROM {warehouse.schema}.fct_sessions WHERE session_id = 'moves'"

    def standing() -> tuple[Any, ...]:
        with warehouse.connect() as session:
            [row] = session.execute(query.encode()).fetchall()
        return row

    loading.write({DAYS[0]: first | {"moves": 1}, DAYS[1]: second})
    loading.load()
    before = standing()
    loading.write({DAYS[0]: first, DAYS[1]: second | {"moves": 1}})
    assert loading.load() == (1, 1)
    assert (before[0], *standing()) == (DAYS[0], DAYS[1], before[1])


def test_what_the_lake_does_not_keep_any_more_is_loaded_whole(warehouse: Warehouse, tmp_path: Path) -> None:
    loading = Loading(tmp_path, warehouse, TABLES["dim_visitors"])
    many = dict.fromkeys(map(str, range(20)), 1)
    loading.write({"": many})
    loading.load()
    [before] = loading.lake_table.snapshot().files
    loading.write({"": many | {"7": 2}})
    Path(before.url).unlink()
    assert loading.load() == (20, 20)
    assert loading.loaded()["", "7"] == 2


def test_what_is_spoilt_of_an_earlier_version_holds_no_load_up(warehouse: Warehouse, tmp_path: Path) -> None:
    loading = Loading(tmp_path, warehouse, TABLES["dim_visitors"])
    many = dict.fromkeys(map(str, range(20)), 1)
    loading.write({"": many})
    loading.load()
    [before] = loading.lake_table.snapshot().files
    loading.write({"": many | {"7": 2}})
    Path(before.url).write_bytes(Path(before.url).read_bytes()[:-9])
    assert loading.load() == (20, 20)
    assert loading.loaded()["", "7"] == 2


def test_where_most_rows_differ_all_are_loaded(warehouse: Warehouse, tmp_path: Path) -> None:
    loading = Loading(tmp_path, warehouse, TABLES["dim_visitors"])
    loading.write({"": dict.fromkeys(map(str, range(20)), 1)})
    loading.load()
    loading.write({"": dict.fromkeys(map(str, range(12)), 1) | dict.fromkeys("abcd", 1)})
    assert loading.load() == (20, 16)
    loading.write({"": {}})
    assert loading.load() == (16, 0)
    assert loading.loaded() == {}


[FCT_PAGE_VIEWS] = [table for table in WAREHOUSE_TABLES if table.name == "fct_page_views"]
FIRST = dt.date(2026, 3, 1)
_NUMBERS = itertools.count()


def day(number: int) -> str:
    return str(FIRST + dt.timedelta(days=number))


class Views:
    """Page views in a lake, and the warehouse that they are loaded into."""

    def __init__(self, postgres_url: str, folder: str) -> None:
        self.schema = f"load_{next(_NUMBERS)}"
        self.url = postgres_url
        self.lake = Lake(Storage(folder))
        self.warehouse(None).ensure()

    def warehouse(self, days: int | None) -> Warehouse:
        return Warehouse(PostgresDialect(LakeFiles()), self.url, self.schema, [FCT_PAGE_VIEWS], event_days=days)

    def come(self, *days: int, instead: bool = False) -> None:
        """A view on each of these days, in one commit; `instead` of those that are there."""
        base = self.lake.table("page_views").snapshot()
        staged = []
        for number in days:
            row = row_of(FCT_PAGE_VIEWS.lake) | {"page_view_id": f"v{next(_NUMBERS)}"}
            row["event_date"] = FIRST + dt.timedelta(days=number)
            rows = pa.Table.from_pylist([row], FCT_PAGE_VIEWS.lake.arrow_schema())
            staged.append(base.table.stage_arrow(rows, f"f{next(_NUMBERS)}", {"event_date": day(number)}))
        affected = {day(number) for number in days}
        base.table.commit(base, base.progress, add=staged, remove=base.of_dates(affected) if instead else [])

    def load(self, days: int | None, window: Window = EVERYTHING, most_never: int | None = None) -> Loaded:
        return load_step(self.lake, self.warehouse(days), FCT_PAGE_VIEWS, window, most_never=most_never)

    def standing(self, days: int | None) -> tuple[dict[str, int], dict[str, int]]:
        """Rows by day that stand, and that have to."""
        warehouse, snapshot = self.warehouse(days), self.lake.table("page_views").snapshot()
        assert not behind(snapshot, warehouse, FCT_PAGE_VIEWS).dates
        every = [FIRST + dt.timedelta(days=number) for number in range(-1, 40)]
        there = warehouse.counts_and_sums(FCT_PAGE_VIEWS, every).items()
        is_wanted = wanted(snapshot, warehouse, FCT_PAGE_VIEWS)
        expected = lake_totals(snapshot, FCT_PAGE_VIEWS, sorted(filter(is_wanted, snapshot.dates()))).items()
        return _rows(there), _rows(expected)


def _rows(totals: Sequence[tuple[Any, Totals]] | Any) -> dict[str, int]:
    return {str(date): each.rows for date, each in totals if each.rows}


CHANGES = st.one_of(
    st.tuples(st.just("come"), st.lists(st.integers(0, 12), min_size=1, max_size=3, unique=True), st.booleans()),
    st.tuples(
        st.just("load"),
        st.sampled_from([None, 0, 1, 3, 9]),
        st.sampled_from([EVERYTHING, Window(FIRST, FIRST + dt.timedelta(days=5))]),
        st.sampled_from([None, 0, 2]),
    ),
)


@pytest.mark.slow
@examples(25)
@given(changes=st.lists(CHANGES, max_size=8), last=st.sampled_from([None, 0, 1, 3, 9]))
def test_whatever_the_setting_was_before_the_warehouse_has_the_events_of_the_days_that_it_says_now(
    postgres_url: str, changes: list[Any], last: int | None
) -> None:
    with TemporaryDirectory() as folder:
        views = Views(postgres_url, folder)
        for kind, *change in changes:
            if kind == "come":
                views.come(*change[0], instead=change[1])
            else:
                views.load(*change)
        views.load(last)
        there, expected = views.standing(last)
    assert there == expected
    days = sorted(there)
    if last is not None and days:
        assert dt.date.fromisoformat(days[-1]) - dt.date.fromisoformat(days[0]) < dt.timedelta(days=last)


def test_what_is_missing_is_loaded_newest_first_and_so_much_at_a_time_whatever_the_window_is(
    postgres_url: str, tmp_path: Path
) -> None:
    views = Views(postgres_url, str(tmp_path))
    for number in range(5):
        views.come(number)
    views.load(1)
    views.come(5)
    none = Window(FIRST - dt.timedelta(days=9), FIRST - dt.timedelta(days=8))
    assert views.load(1, none).rows == 1
    assert views.load(None, none, most_never=2).dates == (day(3), day(4))
    assert views.load(None, none, most_never=2).dates == (day(1), day(2))
    assert views.load(None).dates == (day(0), day(5))
    there, expected = views.standing(None)
    assert there == expected == {day(number): 1 for number in range(6)}
    assert views.load(None).reports == ()
    assert views.load(0).rows == 0
    assert views.standing(0) == ({}, {})


@pytest.mark.parametrize("told", ["all", "none", "days:30", "days:1"])
def test_the_setting_says_how_many_days(told: str) -> None:
    days = Settings(warehouse_events=told).warehouse_event_days
    assert days == {"all": None, "none": 0, "days:30": 30, "days:1": 1}[told]


@pytest.mark.parametrize("told", ["days:0", "days", "some", "days:-1", "days:100000", "all "])
def test_another_setting_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="warehouse_events"):
        Settings(warehouse_events=told)


@pytest.mark.parametrize("table", WAREHOUSE_TABLES, ids=lambda table: table.name)
def test_totals_are_read_from_the_columns_that_are_summed_and_from_no_others(
    table: WarehouseTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake_table = Lake(Storage(str(tmp_path))).table(table.lake.name)
    base, row = lake_table.snapshot(), row_of(table.lake)
    partition = {name: str(row[name]) for name in table.lake.partition_by}
    rows = pa.Table.from_pylist([row, row], table.lake.arrow_schema())
    lake_table.commit(base, base.progress, add=[lake_table.stage_arrow(rows, "rows", partition)])
    read: set[str] = set()
    really = pq.read_table

    def noted(path: str, *, columns: list[str], **how: Any) -> pa.Table:
        read.update(columns)
        return really(path, columns=columns, **how)

    monkeypatch.setattr(pq, "read_table", noted)
    snapshot = lake_table.snapshot()
    [totals] = lake_totals(snapshot, table, sorted(snapshot.dates()) if table.partition_by else None).values()
    assert totals.rows == 2 and totals.sums.keys() == set(table.sums)
    assert read == set(table.sums)
