"""Texts that a column of the warehouse cannot hold are shortened; everything beside them is loaded as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.warehouse.dialect import SourceFile
from event_assets.warehouse.fitting import TRUNCATED, Fitted, shortened
from event_assets.warehouse.lake_files import LakeFiles, path_of
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.redshift import RedshiftDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.examples import texts
from event_assets_tests.postgres import new_database
from event_assets_tests.warehouse.lake import DAY, TABLES, row, totals, write

USERS, EVENTS = TABLES["dim_users"], TABLES["fct_events"]
LONGEST = 65_535
TRAITS = {"first": "ü" * 20_000, "story": "x" * 60_000, "last": 12345678901234567890, "plan": {"name": "pro"}}
IDS = [f"device-{number:06}" for number in range(10_000)]

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda inner: st.lists(inner) | st.dictionaries(texts(), inner),
)


@pytest.mark.slow
@given(st.dictionaries(texts(), _JSON) | st.lists(_JSON), st.integers(30, 200), st.booleans())
def test_json_stays_json_of_its_kind_and_says_that_something_is_missing(value: Any, most: int, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    found = shortened(text, most)
    assert len(found.encode()) <= max(most, 0)
    if len(text.encode()) <= most:
        assert found == text
        return
    left = json.loads(found)
    if isinstance(value, dict):
        assert left.pop(TRUNCATED) is True
        assert left.items() <= value.items() if _hashable(left) else all(left[name] == value[name] for name in left)
    else:
        assert left.pop() == TRUNCATED
        assert all(item in value for item in left)


def _hashable(value: dict[str, Any]) -> bool:
    return all(not isinstance(each, dict | list) for each in value.values())


@given(texts(), st.integers(0, 50))
def test_other_text_is_cut_between_characters(text: str, most: int) -> None:
    found = shortened(f"<{text}", most)
    assert f"<{text}".startswith(found) and len(found.encode()) <= most
    assert len(found.encode()) > most - 4 or found == f"<{text}"


class NarrowDialect(PostgresDialect):
    """PostgreSQL with the widths of Redshift's columns, and Redshift's way out."""

    def __init__(self, redshift: RedshiftDialect) -> None:
        super().__init__(LakeFiles())
        self._redshift = redshift

    def type_of(self, column: Column) -> sql.SQL:
        return self._redshift.type_of(column) if column.type == "string" else super().type_of(column)

    def fitted(self, table: Any, files: Any) -> AbstractContextManager[Fitted | None]:
        return self._redshift.fitted(table, files)


@pytest.fixture
def narrow(postgres_url: str, tmp_path: Path) -> Iterator[Warehouse]:
    for table in (USERS, EVENTS):
        (tmp_path / "manifests" / table.name).mkdir(parents=True)
    redshift = RedshiftDialect(LakeFiles(), None, str(tmp_path / "manifests"))
    made = Warehouse(NarrowDialect(redshift), new_database(postgres_url))
    made.ensure()
    yield made
    assert not [*(tmp_path / "manifests").rglob("*.parquet")]


def test_one_person_with_long_traits_and_ids_does_not_fail_the_load_of_all(narrow: Warehouse, tmp_path: Path) -> None:
    rows = [row(USERS.lake, person_id=name, traits='{"a": 1}', anonymous_ids='["a"]') for name in ("p1", "p3")]
    rows.insert(
        1, row(USERS.lake, person_id="p2", traits=json.dumps(TRAITS, ensure_ascii=False), anonymous_ids=json.dumps(IDS))
    )
    files = [write(tmp_path / "1.parquet", USERS.lake, rows), write(tmp_path / "2.parquet", USERS.lake, [])]
    report = narrow.load_partition(USERS, None, files, totals(USERS, rows), "replace", 1)
    assert (report.rows, report.inserted, report.shortened) == (3, 3, 2)
    with narrow.connect() as session:
        columns = "person_id, traits::jsonb, anonymous_ids::jsonb"
        loaded = session.execute(f"SELECT {columns} FROM analytics.dim_users ORDER BY 1").fetchall()
    assert [loaded[0], loaded[2]] == [("p1", {"a": 1}, ["a"]), ("p3", {"a": 1}, ["a"])]
    assert loaded[1][1] == {"first": TRAITS["first"], "last": TRAITS["last"], "plan": TRAITS["plan"], TRUNCATED: True}
    *ids, mark = loaded[1][2]
    assert mark == TRUNCATED and ids == IDS[: len(ids)] and len(ids) > 3000


def test_every_text_of_an_event_may_be_too_long(narrow: Warehouse, tmp_path: Path) -> None:
    """Trusted imports have events of up to 900,000 bytes."""
    long = {"page_url": "https://shop.example/?q=" + "ü" * 70_000, "extra": json.dumps({"a": "x" * 70_000, "b": 1})}
    rows = [row(EVENTS.lake, event_id="e1", event_date=DAY), row(EVENTS.lake, event_id="e2", event_date=DAY, **long)]
    file = write(tmp_path / "1.parquet", EVENTS.lake, rows)
    report = narrow.load_partition(EVENTS, [DAY], [file], totals(EVENTS, rows), "append", 1)
    assert (report.inserted, report.shortened) == (2, 2)
    with narrow.connect() as session:
        [(url,)] = session.execute("SELECT page_url FROM analytics.fct_events WHERE event_id = 'e2'").fetchall()
    assert long["page_url"].startswith(url) and len(url.encode()) in (LONGEST, LONGEST - 1)


def test_another_fault_of_the_data_stays_a_fault(narrow: Warehouse, tmp_path: Path) -> None:
    rows = [row(USERS.lake, person_id=None)]
    nullable = [field.with_nullable(True) for field in USERS.lake.arrow_schema()]
    file = write(tmp_path / "1.parquet", USERS.lake, rows, fields=nullable)
    with pytest.raises(psycopg.errors.NotNullViolation):
        narrow.load_partition(USERS, None, [file], totals(USERS, rows), "replace", 1)


@pytest.mark.slow
def test_copies_stand_beside_the_manifests_while_they_are_loaded_and_only_for_files_that_need_one(
    bucket: tuple[LakeFiles, str], tmp_path: Path
) -> None:
    lake, root = bucket
    dialect = RedshiftDialect(lake, None, f"{root}/manifests")
    files: list[SourceFile] = []
    for number, traits in enumerate(['{"a": 1}', json.dumps(TRAITS)]):
        local = write(tmp_path / f"{number}.parquet", USERS.lake, [row(USERS.lake, traits=traits)])
        url = f"{root}/users/{number}.parquet"
        with lake.filesystem(url).open_output_stream(path_of(url)) as stream:
            stream.write(Path(local.url).read_bytes())
        files.append(local._replace(url=url))
    with dialect.fitted(USERS, files) as fitted:
        assert fitted is not None and fitted.texts == 1
        kept, copy = fitted.files
        assert kept.url == files[0].url and copy.url.startswith(f"{root}/manifests/dim_users/")
        with lake.filesystem(copy.url).open_input_file(path_of(copy.url)) as source:
            found = pq.read_table(source)
        assert found.schema.names == list(USERS.lake.column_names)
        assert len(found["traits"][0].as_py().encode()) <= LONGEST
        assert lake.filesystem(copy.url).get_file_info(path_of(copy.url)).size == copy.size
    assert not lake.filesystem(copy.url).get_file_info(path_of(copy.url)).is_file
    with dialect.fitted(USERS, files[:1]) as nothing:
        assert nothing is None
