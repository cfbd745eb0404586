"""Tables: every row of a CSV or Parquet file is an object, and no cell is lost."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.importing.reading import Form, ReadStopped, read_lines

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def written(rows: list[list[str]], separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def read(folder: Path, data: bytes, form: Form = Form()) -> list[Any]:
    file = folder / "table"
    file.write_bytes(data)
    return [json.loads(line.text) for line in read_lines(file, form=form)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_first_row_names_what_the_others_say(tmp_path: Path, separator: str) -> None:
    rows = [["id", "text", ""], ["1", f'a "quoted"{separator} text\nover lines', ""], ["2", "", "x"]]
    assert read(tmp_path, written(rows, separator)) == [
        {"id": "1", "text": f'a "quoted"{separator} text\nover lines', "column_3": None},
        {"id": "2", "text": None, "column_3": "x"},
    ]


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_every_cell_of_any_table_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str
) -> None:
    names = ["one", "two", "three"]
    found = read(tmp_path_factory.getbasetemp(), written([names, *rows], separator))
    assert found == [{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows]


def test_a_table_without_names_gets_those_of_the_mapping(tmp_path: Path) -> None:
    form = Form(columns=("app", "event", "at"))
    assert read(tmp_path, b"shop\tclick\t2026\nshop\tview\t2027\n", form) == [
        {"app": "shop", "event": "click", "at": "2026"},
        {"app": "shop", "event": "view", "at": "2027"},
    ]


def test_a_row_that_does_not_fit_goes_on_as_it_came(tmp_path: Path) -> None:
    file = tmp_path / "table"
    file.write_bytes(b'id,text\n1,a\n2,b,"c, d"\n3\n4,\xff\n5,e\n')
    assert [line.text for line in read_lines(file)] == [
        b'{"id":"1","text":"a"}',
        b'2,b,"c, d"',
        b"3",
        b"4,\xff",
        b'{"id":"5","text":"e"}',
    ]


def test_a_quote_that_is_never_closed_stops_the_file_at_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("event_assets.importing.tables._LONGEST_CELL", 1_000)
    found: list[bytes] = []
    file = tmp_path / "table"
    file.write_bytes(b'id,text\n1,a\n2,"b\n' + b"3,c\n" * 1_000)
    with pytest.raises(ReadStopped, match="after line 1: field larger than"):
        found.extend(line.text for line in read_lines(file))
    assert found == [b'{"id":"1","text":"a"}']


def test_rows_of_parquet_are_objects_of_json_types(tmp_path: Path) -> None:
    at = dt.datetime(2026, 3, 1, 10, 0, 0, 123456)  # noqa: DTZ001 - a column without an offset
    rows = {
        "id": [1, 2],
        "text": ["a", None],
        "bytes": pa.array([b"text", b"more"], pa.binary()),
        "at": pa.array([at, None], pa.timestamp("ns")),
        "in_utc": pa.array([at, at], pa.timestamp("us", tz="UTC")),
        "money": pa.array([Decimal("12.50"), None]),
        "inside": [{"list": [1, 2], "of": {"a": None}}, None],
        "pairs": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
    }
    pq.write_table(pa.table(rows), tmp_path / "table", row_group_size=1)
    first, second = (json.loads(line.text) for line in read_lines(tmp_path / "table"))
    assert first == {
        "id": 1,
        "text": "a",
        "bytes": "text",
        "at": first["at"],
        "in_utc": "2026-03-01T10:00:00.123456Z",
        "money": 12.5,
        "inside": {"list": [1, 2], "of": {"a": None}},
        "pairs": {"k": 1},
    }
    assert first["at"].replace(" ", "T").startswith("2026-03-01T10:00:00.123456")
    assert second == {**dict.fromkeys(rows), "id": 2, "bytes": "more", "in_utc": first["in_utc"], "pairs": {}}


def test_a_table_that_is_read_on_begins_after_the_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": list(range(3_000))}), tmp_path / "table")
    (tmp_path / "csv").write_bytes(written([["id", "x"], *([str(number), "y"] for number in range(3_000))]))
    for name in ("table", "csv"):
        lines = list(read_lines(tmp_path / name, skip=2_500))
        assert [line.number for line in lines] == list(range(2_501, 3_001))
        assert int(json.loads(lines[0].text)["id"]) == 2_500
        assert lines[-1].read == (tmp_path / name).stat().st_size


def test_a_damaged_parquet_file_says_so(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": list(range(3_000))}), tmp_path / "table")
    (tmp_path / "table").write_bytes((tmp_path / "table").read_bytes()[:-40])
    with pytest.raises(ReadStopped, match="cannot be read after line 0"):
        list(read_lines(tmp_path / "table"))
