"""What a file is, told by its bytes: every packing and encoding gives the same events, and what holds none is said."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from event_assets.importing import ImportFile, UnreadableFile
from event_assets.importing.reading import MAX_LINE_BYTES, ReadStopped, read_lines
from event_assets_tests.examples import examples, texts

EVENTS: list[dict[str, Any]] = [
    {"id": number, "text": 'a "quoted" { [ , \\ größe 😀', "list": [1, [2, {}]], "inside": {"a": {}}}
    for number in range(50)
]


def _zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        archive.writestr("folder/events.json", data)
        archive.writestr("__MACOSX/events.json", b"other")
    return file.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "zstd after a frame to skip": lambda data: b"\x50\x2a\x4d\x18\x01\x00\x00\x00x" + zstandard.compress(data),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": _zipped,
    "zip of gzip": lambda data: _zipped(gzip.compress(data)),
}
WRITTEN: dict[str, Callable[[list[Any]], str]] = {
    "lines": lambda events: "\n".join(json.dumps(event) for event in events),
    "lines as they are, with blank ones": lambda events: "\r\n\r\n".join(_plain(event) for event in events) + "\r\n",
    "an array": lambda events: json.dumps(events),
    "an array over lines": lambda events: "[\n" + ",\n".join(_plain(event) for event in events) + "\n]\n",
    "a pretty-printed array": lambda events: json.dumps(events, indent=2),
    "pretty-printed objects": lambda events: "\n".join(json.dumps(event, indent="\t") for event in events),
    "objects without anything between them": lambda events: "".join(_plain(event) for event in events),
    "lines that end with a comma": lambda events: ",\n".join(_plain(event) for event in events) + ",\n",
    "several arrays": lambda events: f"{json.dumps(events[:20])}\n{json.dumps(events[20:])}",
}
VALUES = st.recursive(st.none() | texts() | st.integers(), st.lists)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


def _plain(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False)


def _file(folder: Path, data: bytes, name: str = "events.txt") -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def _read(file: Path) -> list[Any]:
    return [json.loads(line.text) for line in read_lines(file)]


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("form", WRITTEN)
def test_every_form_in_every_packing_gives_the_same_events(tmp_path: Path, packing: str, form: str) -> None:
    assert _read(_file(tmp_path, PACKED[packing](WRITTEN[form](EVENTS).encode()))) == EVENTS


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", ["lines as they are, with blank ones", "an array over lines"])
def test_every_encoding_gives_the_same_events(tmp_path: Path, encoding: str, form: str) -> None:
    assert _read(_file(tmp_path, gzip.compress(WRITTEN[form](EVENTS).encode(encoding)))) == EVENTS


@pytest.mark.parametrize("name", ["events.gz", "events.zst", "events.csv", "events"])
def test_what_a_file_is_called_does_not_matter(tmp_path: Path, name: str) -> None:
    assert _read(_file(tmp_path, bz2.compress(WRITTEN["lines"](EVENTS).encode()), name)) == EVENTS


@pytest.mark.slow
@examples(50)
@given(
    st.lists(st.dictionaries(texts(), VALUES, min_size=1), min_size=1),
    st.sampled_from(sorted(WRITTEN)),
    st.integers(1, 40),
)
def test_whatever_the_objects_hold_they_are_found(
    tmp_path_factory: pytest.TempPathFactory, events: list[Any], form: str, piece: int
) -> None:
    def compressed(data: bytes) -> bytes:
        pieces = (data[at : at + piece] for at in range(0, len(data), piece))
        return b"".join(map(zstandard.compress, pieces))

    text = WRITTEN[form](events).encode("utf-8", "replace")
    assert _read(_file(tmp_path_factory.getbasetemp(), compressed(text))) == json.loads(
        json.dumps(events, ensure_ascii=False).encode("utf-8", "replace")
    )


def _parquet(data: bytes) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), file)
    return file.getvalue()


NO_EVENTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n \r\n\t\n", "is empty"),
    "nothing, packed": (gzip.compress(b""), "is empty"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty"),
    "an empty array": (b"[]", "does not begin with an object"),
    "numbers": (b"[1, 2, 3]", "does not begin with an object"),
    "a table with two columns of a name": (b"id,event,id\n1,click,2\n", "two columns that are called id"),
    "html": (b"<!doctype html><html></html>", "is XML or HTML"),
    "a log": (b"one line\nanother, longer one\n", "has no line that is a JSON object"),
    "packed parquet": (gzip.compress(_parquet(b"")), "is a Parquet file that is packed once more"),
    "tar": (b"events.json".ljust(257, b"\0") + b"ustar" + bytes(800), "is a tar archive"),
    "bytes": (bytes(range(256)), "is no text"),
    "a cut object": (b'{"id": 1, "event": ', "is damaged"),
    "single quotes": (b"{'id': 1}\n{'id': 2}\n", "is damaged"),
    "a huge object": (b'{"events": [' + b'{"id": 1},\n' * 100_000 + b"{}]}", "has no whole object in its first"),
}


@pytest.mark.parametrize("kind", NO_EVENTS)
def test_what_holds_no_events_is_said_with_the_file_the_rule_and_the_way_out(tmp_path: Path, kind: str) -> None:
    data, what = NO_EVENTS[kind]
    file = _file(tmp_path, data)
    with pytest.raises(UnreadableFile) as error:
        list(read_lines(file))
    assert str(error.value).startswith(f"{file} ") and what in str(error.value)
    assert re.search(
        r"; (events are read as JSON, an object a line, .*\. [A-Z]|give each a name).*\.$", str(error.value)
    )


def test_a_folder_a_missing_file_and_an_archive_of_many_are_said_too(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "is a folder; name one file"), (tmp_path / "none", "No such file")):
        with pytest.raises(UnreadableFile, match=said):
            ImportFile.of(path)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{}")
    for data in ((tmp_path / "many.zip").read_bytes(), b"PK\x03\x04 cut short"):
        with pytest.raises(UnreadableFile, match=r"zip archive .* Unpack it"):
            list(read_lines(_file(tmp_path, data)))


def test_lines_that_are_no_objects_among_others_go_on_as_they_came(tmp_path: Path) -> None:
    lines = [b"not json", b"[1,2]", b'{"id":', b'{"id":1}', b"{'id': 2}", b'{"id":NaN}', b"\xff", b'[{"id":3}]']
    assert [line.text for line in read_lines(_file(tmp_path, b"\n".join(lines)))] == lines


def test_elements_that_are_no_objects_go_on_as_they_came_and_stop_no_other(tmp_path: Path) -> None:
    elements = [b'{"id":1}', b"NaN", b'{"id":NaN}', b'"a text, [with] {brackets}"', b"[1, {}]", b"{id: 2}", b'{"id":3}']
    assert [line.text for line in read_lines(_file(tmp_path, b"[" + b",\n ".join(elements) + b"]"))] == elements


@pytest.mark.parametrize("end", [b"", b",", b', {"id": 2', b', {"id": "a', b', {"id": [{"a": 1}'])
def test_an_array_that_is_cut_short_says_so_after_its_last_element(tmp_path: Path, end: bytes) -> None:
    read: list[bytes] = []
    with pytest.raises(ReadStopped, match="cannot be read after line 1"):
        read.extend(line.text for line in read_lines(_file(tmp_path, b'[{"id": 1}' + end)))
    assert read == [b'{"id": 1}']


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, _zipped])
def test_a_packed_file_that_is_cut_short_is_no_whole_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(WRITTEN["lines"](EVENTS * 500).encode())
    with pytest.raises((ReadStopped, UnreadableFile), match=r"cannot be (read|opened)"):
        list(read_lines(_file(tmp_path, packed[: len(packed) // 2])))


def test_a_broken_character_of_another_encoding_breaks_its_own_event_alone(tmp_path: Path) -> None:
    text = '{"id": "\ud83d"}\n{"id": 2}\n'.encode("utf-16-le", "surrogatepass")
    first, second = read_lines(_file(tmp_path, text))
    with pytest.raises(UnicodeDecodeError):
        first.text.decode()
    assert json.loads(second.text) == {"id": 2}


def test_a_huge_element_is_cut_and_the_next_is_whole(tmp_path: Path) -> None:
    huge = {"id": 1, "list": [{"n": number} for number in range(300_000)]}
    text = b"[" + json.dumps({"id": 0}).encode() + b"," + json.dumps(huge).encode() + b',{"id": 2}]'
    first, second, third = read_lines(_file(tmp_path, text))
    assert (first.text, third.text) == (b'{"id": 0}', b'{"id": 2}')
    assert second.text == json.dumps(huge).encode()[:MAX_LINE_BYTES]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    file = _file(tmp_path, gzip.compress(b"[" + (b'{"text": "' + b"x" * 5_000 + b'"}, ') * 8_000 + b"{}]", 1))
    tracemalloc.start()
    for _ in read_lines(file):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
