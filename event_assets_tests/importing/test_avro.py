"""Avro: every record of a file is an object, whatever it is packed with, and no value is lost."""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest

from event_assets.importing.reading import ReadStopped, read_lines
from event_assets.importing.unpacking import UnreadableFile

EVENT = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "sum", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "text", "type": "bytes"},
        {"name": "list", "type": {"type": "array", "items": {"type": "map", "values": "double"}}},
        {"name": "nested", "type": {"type": "record", "name": "Page", "fields": [{"name": "url", "type": "bytes"}]}},
    ],
}


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "ä",
        "at": dt.datetime(2026, 3, 1, 10, 0, 0, 123456, dt.UTC),
        "local": dt.datetime.fromisoformat("2026-03-01T10:00:00"),
        "day": dt.date(2026, 3, 1),
        "key": uuid.UUID(int=7),
        "sum": Decimal("12.50"),
        "text": b"text",
        "list": [{"a": 1.5}],
        "nested": {"url": b"https://shop.example/"},
    } | fields


def write(file: Path, rows: list[Any], codec: str = "deflate", schema: Any = EVENT) -> Path:
    with file.open("wb") as opened:
        fastavro.writer(opened, schema, rows, codec, sync_interval=2_000)
    return file


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_every_value_of_a_record_comes_back(tmp_path: Path, codec: str) -> None:
    file = write(tmp_path / "export", [event(1), event(2, name=None, text=b"\xff\xfe")], codec)
    first, second = (json.loads(line.text) for line in read_lines(file))
    assert first == {
        "id": 1,
        "name": "ä",
        "at": "2026-03-01T10:00:00.123456Z",
        "local": "2026-03-01T10:00:00",
        "day": "2026-03-01",
        "key": str(uuid.UUID(int=7)),
        "sum": 12.5,
        "text": "text",
        "list": [{"a": 1.5}],
        "nested": {"url": "https://shop.example/"},
    }
    assert second == {**first, "id": 2, "name": None, "text": "//4="}


def test_a_file_of_no_records_gives_their_values(tmp_path: Path) -> None:
    file = write(tmp_path / "export", ["a", "b"], schema="string")
    assert [json.loads(line.text) for line in read_lines(file)] == [{"value": "a"}, {"value": "b"}]


def test_reading_goes_on_after_a_record(tmp_path: Path) -> None:
    lines = list(read_lines(write(tmp_path / "export", [event(number) for number in range(300)]), skip=250))
    assert [(line.number, json.loads(line.text)["id"]) for line in lines] == [(n + 1, n) for n in range(250, 300)]
    assert 0 <= (tmp_path / "export").stat().st_size - lines[-1].read <= 16  # the last block's mark


@pytest.mark.parametrize("cut", [6, 400, 20_000])
def test_a_damaged_file_says_after_which_record(tmp_path: Path, cut: int) -> None:
    file = write(tmp_path / "export", [event(number) for number in range(300)], "null")
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ReadStopped, match=r"cannot be read after line \d+: its Avro is damaged"):
        list(read_lines(file))


def test_without_the_library_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "export", [event(1)])
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(UnreadableFile, match=r"needs fastavro: pip install 'event-assets\[avro\]'"):
        list(read_lines(file))
