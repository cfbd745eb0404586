"""Loads into a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.loads import LoadExpectation, LoadMismatch, LoadReport, Totals
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import DAY, NEXT_DAY, TABLES, File, Row, row, totals, write

SESSIONS = TABLES["fct_sessions"]
USERS = TABLES["dim_users"]
SEGMENTS = TABLES["dim_user_segments"]


def sessions(count: int, date: dt.date = DAY, **values: Any) -> list[Row]:
    return [row(SESSIONS.lake, session_id=f"{date}/{n}", event_date=date, **values) for n in range(count)]


def replace(
    warehouse: Warehouse, folder: Path, rows: Sequence[Row], dates: Sequence[dt.date], version: int = 1
) -> LoadReport:
    files = [write(folder / f"{version}.parquet", SESSIONS.lake, rows)] if rows else []
    return warehouse.load_partition(SESSIONS, dates, files, totals(SESSIONS, rows), "replace", version)


def dump(warehouse: Warehouse, *names: str) -> dict[str, list[Any]]:
    """Every row of these tables, or of all, loads' own record included."""
    with warehouse.connect() as session:
        return {
            name: sorted(map(repr, session.execute(_all(warehouse, name)).fetchall()))
            for name in names or [table.name for table in warehouse.tables] + ["_loads"]
        }


def _all(warehouse: Warehouse, name: str) -> sql.Composed:
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(warehouse.schema, name))


def read(warehouse: Warehouse, table: WarehouseTable, *columns: str) -> list[Any]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("SELECT {} FROM {} ORDER BY 1").format(names, sql.Identifier(warehouse.schema, table.name))
    with warehouse.connect() as session:
        return session.execute(query).fetchall()


@pytest.mark.representative
@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_every_table_holds_what_its_lake_files_hold(
    warehouse: Warehouse, tmp_path: Path, table: WarehouseTable
) -> None:
    keys = [name for name in table.key if table.lake.column(name).type == "string"]
    rows = [row(table.lake, **{name: f"{name} {n}" for name in keys}) for n in range(3)]
    rows.append({name: value if name in table.key else None for name, value in _key_row(table.lake).items()})
    if table.partition_by:
        rows[-1][table.partition_by] = DAY
    # Nulls in required columns too: the lake checks those, and the warehouse must hold what the lake holds.
    nullable = [field.with_nullable(True) for field in table.lake.arrow_schema()]
    file = write(tmp_path / "a.parquet", table.lake, rows, fields=nullable)
    report = warehouse.load_partition(
        table, [DAY] if table.partition_by else None, [file], totals(table, rows), "replace", 7
    )
    assert (report.rows, report.staged, report.deleted, report.inserted) == (4, 4, 0, 4)
    stored = read(warehouse, table, *table.columns)
    assert sorted(map(repr, stored)) == sorted(repr(tuple(one[name] for name in table.columns)) for one in rows)
    assert warehouse.loaded_versions(table) == {DAY if table.partition_by else None: 7}


def _key_row(table: Table) -> Row:
    return row(table, **{name: "last" for name in table.key if table.column(name).type == "string"})


def test_hostile_values_arrive_as_they_are(warehouse: Warehouse, tmp_path: Path) -> None:
    texts = ["", "\\.", '"\n\\.\n"', "\\N", "a\tb\r\nc", "🦆 Ünï", "'; DROP TABLE x; --", "%s", "x" * 5_000_000, None]
    rows = [row(SESSIONS.lake, session_id=str(n), campaign=text) for n, text in enumerate(texts)]
    replace(warehouse, tmp_path, rows, [DAY])
    assert read(warehouse, SESSIONS, "session_id", "campaign") == [(str(n), text) for n, text in enumerate(texts)]


def test_nul_characters_become_replacement_characters_and_are_reported(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [row(SESSIONS.lake, session_id=text, campaign=text) for text in ("a\0\0b", "plain")]
    assert replace(warehouse, tmp_path, rows, [DAY]).replaced_nuls == 2
    assert read(warehouse, SESSIONS, "campaign") == [
        ("a\ufffd\ufffdb",),
        ("plain",),
    ]


@pytest.mark.parametrize(
    "values",
    [[math.nan, 1.0], [math.inf], [-math.inf, math.inf], [1e308, 1e308], [1e18, 0.1, -1e18], [5e-324], [-0.0]],
    ids=str,
)
def test_doubles_of_every_kind_are_loaded(warehouse: Warehouse, tmp_path: Path, values: list[float]) -> None:
    rows = [row(SESSIONS.lake, session_id=str(n), revenue=value) for n, value in enumerate(values)]
    replace(warehouse, tmp_path, rows, [DAY])
    assert repr(read(warehouse, SESSIONS, "session_id", "revenue")) == repr([(str(n), v) for n, v in enumerate(values)])


@pytest.mark.parametrize("at", ["1900-01-01T00:00:00.000001", "1999-12-31T23:59:59.999999", "2262-04-12T00:00:00.5"])
def test_times_keep_their_microseconds_in_utc(warehouse: Warehouse, tmp_path: Path, at: str) -> None:
    time = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)
    replace(warehouse, tmp_path, [row(SESSIONS.lake, start_at=time)], [DAY])
    assert read(warehouse, SESSIONS, "start_at") == [(time,)]


def test_loading_the_same_partition_again_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = sessions(50) + sessions(30, NEXT_DAY)
    replace(warehouse, tmp_path, rows, [DAY, NEXT_DAY])
    before = dump(warehouse)
    report = replace(warehouse, tmp_path, rows, [DAY, NEXT_DAY])
    assert (report.deleted, report.inserted) == (80, 80)
    assert dump(warehouse) == before


def test_only_the_dates_of_the_load_are_replaced(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(5) + sessions(7, NEXT_DAY), [DAY, NEXT_DAY])
    replace(warehouse, tmp_path, sessions(2), [DAY], version=2)
    assert warehouse.counts_and_sums(SESSIONS, [DAY, NEXT_DAY]) == {
        DAY: Totals(2, {"events": 4, "page_views": 4, "engaged_seconds": 2, "revenue": 1.0}),
        NEXT_DAY: Totals(7, {"events": 14, "page_views": 14, "engaged_seconds": 7, "revenue": 3.5}),
    }
    assert warehouse.loaded_versions(SESSIONS) == {DAY: 2, NEXT_DAY: 1}


def test_the_version_up_to_which_all_dates_are_loaded_is_kept_with_the_load(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    for version in (3, 4):
        rows = sessions(version)
        file = write(tmp_path / "a.parquet", SESSIONS.lake, rows)
        expected = totals(SESSIONS, rows)
        warehouse.load_partition(SESSIONS, [DAY], [file], expected, "replace", version, through=version - 1)
        assert warehouse.loaded_versions(SESSIONS) == {DAY: version, None: version - 1}


def test_a_date_that_the_lake_has_emptied_is_emptied(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(5), [DAY])
    assert replace(warehouse, tmp_path, [], [DAY], version=2).deleted == 5
    assert warehouse.counts_and_sums(SESSIONS, [DAY])[DAY].rows == 0
    assert warehouse.loaded_versions(SESSIONS) == {DAY: 2}


def test_a_row_keeps_the_time_at_which_its_key_first_came_in(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(2), [DAY])
    first = dict(read(warehouse, SESSIONS, "session_id", "loaded_at"))
    replace(warehouse, tmp_path, sessions(3, events=9), [DAY], version=2)
    second = dict(read(warehouse, SESSIONS, "session_id", "loaded_at"))
    assert {key: second[key] for key in first} == first
    assert second[f"{DAY}/2"] > max(first.values())


def test_a_row_that_moves_between_dates_of_one_load_keeps_its_time(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(1), [DAY, NEXT_DAY])
    [(before,)] = read(warehouse, SESSIONS, "loaded_at")
    replace(warehouse, tmp_path, [{**sessions(1)[0], "event_date": NEXT_DAY}], [DAY, NEXT_DAY], version=2)
    assert read(warehouse, SESSIONS, "event_date", "loaded_at") == [(NEXT_DAY, before)]


def test_an_append_stages_only_new_files_and_leaves_other_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(5), [DAY])
    before = set(read(warehouse, SESSIONS, "session_id", "loaded_at"))
    new = [row(SESSIONS.lake, session_id=key) for key in ("new 1", "new 2")]
    changed = row(SESSIONS.lake, session_id=f"{DAY}/3", events=40)
    file = write(tmp_path / "new.parquet", SESSIONS.lake, [*new, changed])
    whole = [one for one in sessions(5) if one["session_id"] != changed["session_id"]] + [*new, changed]
    report = warehouse.load_partition(SESSIONS, [DAY], [file], totals(SESSIONS, whole), "append", 2)
    assert (report.rows, report.staged, report.deleted, report.inserted) == (7, 3, 1, 3)
    assert before < set(read(warehouse, SESSIONS, "session_id", "loaded_at"))
    once = dump(warehouse)
    warehouse.load_partition(SESSIONS, [DAY], [file], totals(SESSIONS, whole), "append", 2)
    assert dump(warehouse) == once


def test_a_table_without_partitions_is_replaced_whole_and_appended_to(warehouse: Warehouse, tmp_path: Path) -> None:
    def load(names: str, whole: str, mode: Any, version: int) -> LoadReport:
        rows = [row(USERS.lake, person_id=name) for name in names]
        expected = totals(USERS, [row(USERS.lake, person_id=name) for name in whole])
        file = write(tmp_path / f"{version}.parquet", USERS.lake, rows)
        return warehouse.load_partition(USERS, None, [file], expected, mode, version)

    load("abc", "abc", "replace", 1)
    first = dict(read(warehouse, USERS, "person_id", "loaded_at"))
    load("cd", "abcd", "append", 2)
    load("ad", "ad", "replace", 3)
    last = dict(read(warehouse, USERS, "person_id", "loaded_at"))
    assert set(last) == {"a", "d"}
    assert last["a"] == first["a"]
    assert warehouse.loaded_versions(USERS) == {None: 3}


@pytest.mark.parametrize("dates", [None, [DAY]])
def test_dates_are_for_tables_that_have_them(warehouse: Warehouse, dates: list[dt.date] | None) -> None:
    table = USERS if dates else SESSIONS
    with pytest.raises(ValueError, match=table.name):
        warehouse.load_partition(table, dates, [], {}, "replace", 1)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({DAY: Totals(4, {})}, "2026-11-22: 3 rows instead of 4"),
        ({}, "2026-11-22: 3 rows instead of 0"),
        (
            {DAY: Totals(3, {"events": 7, "page_views": 6, "engaged_seconds": 3, "revenue": 1.5})},
            "2026-11-22: sum of events is 6 instead of 7",
        ),
        (
            {DAY: Totals(3, {"events": 6, "page_views": 6, "engaged_seconds": 3, "revenue": 1.51})},
            "2026-11-22: sum of revenue is 1.5 instead of 1.51",
        ),
    ],
)
def test_a_load_that_would_differ_from_the_lake_is_rolled_back(
    warehouse: Warehouse, tmp_path: Path, expected: LoadExpectation, said: str
) -> None:
    replace(warehouse, tmp_path, sessions(9), [DAY])
    before = dump(warehouse)
    file = write(tmp_path / "new.parquet", SESSIONS.lake, sessions(3))
    with pytest.raises(LoadMismatch, match=said):
        warehouse.load_partition(SESSIONS, [DAY], [file], expected, "replace", 2)
    assert dump(warehouse) == before


def test_rows_outside_the_dates_of_the_load_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = sessions(3) + sessions(2, NEXT_DAY)
    with pytest.raises(LoadMismatch, match="2 rows of the files are outside the dates"):
        replace(warehouse, tmp_path, rows, [DAY])
    assert warehouse.counts_and_sums(SESSIONS, [DAY, NEXT_DAY])[NEXT_DAY].rows == 0


def test_a_key_that_comes_twice_in_the_files_is_refused_by_an_append(warehouse: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path / "twice.parquet", SESSIONS.lake, sessions(1) * 2)
    with pytest.raises(LoadMismatch, match="2 rows instead of 1"):
        warehouse.load_partition(SESSIONS, [DAY], [file], totals(SESSIONS, sessions(1)), "append", 1)


@pytest.mark.slow
def test_thousands_of_dates_are_one_load(warehouse: Warehouse, tmp_path: Path) -> None:
    dates = [dt.date(2010, 1, 1) + dt.timedelta(days=n) for n in range(5860)]
    rows = [one for date in dates for one in sessions(2, date)]
    report = replace(warehouse, tmp_path, rows, dates)
    assert (report.dates, report.rows) == (5860, 11720)
    assert warehouse.loaded_versions(SESSIONS) == dict.fromkeys(dates, 1)
    assert replace(warehouse, tmp_path, rows, dates, version=2).deleted == 11720
    assert warehouse.loaded_versions(SESSIONS) == dict.fromkeys(dates, 2)


def test_files_without_the_partition_column_or_newer_columns_are_filled(warehouse: Warehouse, tmp_path: Path) -> None:
    old = [name for name in SESSIONS.lake.column_names if name not in ("event_date", "sequence_gaps")]
    file = write(tmp_path / "old.parquet", SESSIONS.lake, sessions(2), columns=old)
    file = file._replace(partition={"event_date": DAY.isoformat(), "unknown": "x"})
    expected = totals(SESSIONS, sessions(2))
    warehouse.load_partition(SESSIONS, [DAY], [file], expected, "replace", 1)
    assert read(warehouse, SESSIONS, "event_date", "sequence_gaps") == [(DAY, None)] * 2


def test_concurrent_loads_of_one_table_wait_for_each_other(warehouse: Warehouse, tmp_path: Path) -> None:
    def load(version: int) -> None:
        replace(warehouse, tmp_path, sessions(20 + version), [DAY, NEXT_DAY][: 1 + version % 2], version)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(load, range(12)))
    version = warehouse.loaded_versions(SESSIONS)[DAY]
    assert warehouse.counts_and_sums(SESSIONS, [DAY])[DAY].rows == 20 + version


def test_loads_of_different_tables_and_ensure_do_not_block_each_other(warehouse: Warehouse, tmp_path: Path) -> None:
    def load(number: int) -> None:
        table = [SESSIONS, USERS, SEGMENTS][number % 3]
        rows = [row(table.lake, **{table.key[0]: f"{n}"}) for n in range(10)]
        file = write(tmp_path / f"{number}.parquet", table.lake, rows)
        warehouse.ensure()
        dates = [DAY] if table.partition_by else None
        warehouse.load_partition(table, dates, [file], totals(table, rows), "replace", number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(load, range(18)))
    assert warehouse.counts_and_sums(USERS, None)[None].rows == 10


def test_a_reader_sees_the_old_rows_until_the_load_is_done(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(5), [DAY])
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(warehouse.counts_and_sums(SESSIONS, [DAY])[DAY].rows)

    watcher = threading.Thread(target=watch)
    watcher.start()
    replace(warehouse, tmp_path, sessions(2000), [DAY], version=2)
    done.set()
    watcher.join()
    assert set(seen) <= {5, 2000}


_LOADER = """
import sys
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.warehouse.lake import DAY, File, TABLES

url, schema, file, step = sys.argv[1:]

class Stopping(Warehouse):
    def _pause(self, name):
        if name == step:
            print("there", flush=True)
            sys.stdin.read()

    def _swap(self, *arguments):
        self._pause("staged")
        swapped = super()._swap(*arguments)
        self._pause("swapped")
        return swapped

warehouse = Stopping(PostgresDialect(LakeFiles()), url, schema)
warehouse.load_partition(TABLES["fct_sessions"], [DAY], [File(file, 0, 0, {})], {}, "replace", 2)
"""


@pytest.mark.representative
@pytest.mark.slow
@pytest.mark.parametrize("step", ["staged", "swapped"])
def test_a_loader_killed_in_the_middle_leaves_the_old_rows(warehouse_url: str, tmp_path: Path, step: str) -> None:
    warehouse = Warehouse(PostgresDialect(LakeFiles()), warehouse_url)
    replace(warehouse, tmp_path, sessions(5), [DAY])
    before = dump(warehouse)
    rows = sessions(3, events=99)
    file = write(tmp_path / "new.parquet", SESSIONS.lake, rows)
    command = [sys.executable, "-c", _LOADER, warehouse_url, warehouse.schema, file.url, step]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline() == b"there\n"
        os.kill(loader.pid, signal.SIGKILL)
    assert dump(warehouse) == before
    report = warehouse.load_partition(SESSIONS, [DAY], [file], totals(SESSIONS, rows), "replace", 2)
    assert report.rows == 3


def test_a_file_that_is_gone_leaves_the_old_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    replace(warehouse, tmp_path, sessions(5), [DAY])
    before = dump(warehouse)
    with pytest.raises(FileNotFoundError):
        warehouse.load_partition(SESSIONS, [DAY], [File(str(tmp_path / "gone"), 1, 1, {})], {}, "replace", 2)
    assert dump(warehouse) == before
