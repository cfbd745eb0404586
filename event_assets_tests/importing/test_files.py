"""The files of a place: one, a folder, a pattern, here and in a bucket; and what is imported of several."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import boto3
import pytest

from event_assets.importing import ImportFile, ImportStopped, StreamSink, UnreadableFile, files_at, find_mapping
from event_assets.importing.importer import ImportProgress, import_files
from event_assets.importing.sinks import SinkError, Written
from event_assets.settings import Settings
from event_assets.streams import EventStream, open_stream

NAMES = ("a.ndjson", "deep/b.ndjson", "deep/deeper/c.csv", "_marks/d", ".hidden", "deep/_SUCCESS")


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def stream(home: Settings) -> Iterator[EventStream]:
    opened = open_stream(home)
    opened.create(1)
    yield opened
    opened.close()


def event(number: int) -> str:
    fields = {"event_id": f"e{number}", "event": "commit", "user_id": "u", "platform": "server"}
    return json.dumps({**fields, "received_at": "2026-03-01T10:00:00Z", "derived_at": "2026-03-01T10:00:00Z"}) + "\n"


def fill(folder: Path) -> None:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(event(1))


def named(files: Sequence[ImportFile], root: str) -> list[str]:
    return [file.place.removeprefix(f"{root}/") for file in files]


PLACES: list[tuple[str, list[str]]] = [
    ("", ["a.ndjson", "deep/b.ndjson", "deep/deeper/c.csv"]),
    ("/deep/", ["deep/b.ndjson", "deep/deeper/c.csv"]),
    ("/a.ndjson", ["a.ndjson"]),
    ("/*.ndjson", ["a.ndjson"]),
    ("/deep/*/?.csv", ["deep/deeper/c.csv"]),
    ("/**/*.csv", ["deep/deeper/c.csv"]),
]


@pytest.mark.parametrize(("below", "found"), PLACES)
def test_a_folder_a_file_and_a_pattern_name_files_in_order(
    tmp_path: Path, home: Settings, below: str, found: list[str]
) -> None:
    fill(tmp_path / "in")
    files = files_at(f"{tmp_path}/in{below}", home)
    assert named(files, f"{tmp_path}/in") == found
    assert {file.size for file in files} == {len(event(1))}


def test_in_a_bucket_the_same_places_name_the_same_files(tmp_path: Path, s3_emulator: str) -> None:
    client = boto3.client("s3", endpoint_url=s3_emulator, region_name="us-east-1")
    client.create_bucket(Bucket="exports")
    for name in NAMES:
        client.put_object(Bucket="exports", Key=f"in/{name}", Body=event(1).encode())
    settings = Settings(home=tmp_path, s3_endpoint_url=s3_emulator)
    for below, found in PLACES:
        assert named(files_at(f"s3://exports/in{below}", settings), "s3://exports/in") == found
    (file,) = files_at("s3://exports/in/a.ndjson", settings)
    with file.open() as opened:
        assert opened.read() == event(1).encode()
    for place in ("s3://exports/none", "s3://exports/*.gz", "s3://no-such-bucket/x"):
        with pytest.raises(UnreadableFile, match=re.escape(place)):
            files_at(place, settings)


@pytest.mark.parametrize("place", ["none.ndjson", "*.gz", "empty"])
def test_a_place_without_a_file_is_said(tmp_path: Path, home: Settings, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableFile, match=r"No such file|names no file"):
        files_at(f"{tmp_path}/{place}", home)


def test_of_several_files_each_is_read_and_one_that_cannot_be_stops_no_other(
    tmp_path: Path, home: Settings, stream: EventStream
) -> None:
    (tmp_path / "a").write_text(event(1) + event(2))
    (tmp_path / "b").write_text("<html></html>")
    (tmp_path / "c").write_text(event(3) + "no event\n")
    files = [ImportFile.of(tmp_path / name) for name in "abc"]
    seen: list[ImportProgress] = []
    result = import_files("all", files, lambda file: None, StreamSink(home, stream), seen.append)
    assert (result.lines, result.accepted, result.aside) == (4, 3, {"malformed_json": 1})
    assert result.files == 2 and "is XML or HTML" in result.unread[0]
    assert [progress.lines for progress in seen] == [2, 4]
    assert seen[0].share < 1.0 == seen[-1].share


def test_a_mapping_is_judged_by_all_files_together(tmp_path: Path, home: Settings, stream: EventStream) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("fields: {event_id: a, event: b, user_id: c, platform: {value: web}, ip: d, derived_at: t}")
    (tmp_path / "x").write_text('{"a": 1, "b": "view"}\n')
    (tmp_path / "y").write_text('{"a": 2, "c": "u"}\n')
    rules = find_mapping(mapping)
    files = [ImportFile.of(tmp_path / name) for name in "xy"]
    result = import_files("all", files, lambda file: rules, StreamSink(home, stream))
    assert {found.path: found.lines for found in result.paths} == {"a": 2, "b": 1, "c": 1, "d": 0, "t": 0}
    assert result.never_found == ("d (for ip)", "t (for derived_at)")


class Breaking:
    """A sink whose so-many-th batch fails."""

    def __init__(self, sink: StreamSink, at: int) -> None:
        self._sink, self._left = sink, at

    def write(self, lines: Sequence[bytes]) -> Written:
        self._left -= 1
        if self._left < 0:
            raise SinkError("the stream is away")
        return self._sink.write(lines)


def test_an_import_of_several_files_that_stopped_reads_none_of_them_twice(
    tmp_path: Path, home: Settings, stream: EventStream
) -> None:
    for number, name in enumerate("abc"):
        (tmp_path / name).write_text(event(number))
    files = [ImportFile.of(tmp_path / name) for name in "abc"]
    sink, marks = StreamSink(home, stream), tmp_path / "marks"
    rules: Callable[[ImportFile], None] = lambda file: None  # noqa: E731
    with pytest.raises(ImportStopped, match="the stream is away"):
        import_files("all", files, rules, Breaking(sink, 2), bookmarks=marks)
    result = import_files("all", files, rules, sink, bookmarks=marks)
    assert (result.lines, result.resumed_after) == (1, 2)
    assert list(marks.iterdir()) == []
    assert import_files("all", files, rules, sink, bookmarks=marks).lines == 3, "it is an import of its own again"
