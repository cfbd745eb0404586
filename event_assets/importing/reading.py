"""Events' texts out of a file, one in memory at a time: its lines, objects that follow each other, in an array too, or
the rows of a table.

What an event says is not looked at; what the file is packed in is unpacking.py's, tables and logs are tables.py's and
logs.py's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from event_assets.importing.avro import AVRO, NoAvro, avro_rows
from event_assets.importing.files import ImportFile
from event_assets.importing.logs import Log, log_lines
from event_assets.importing.tables import PARQUET, NoTable, parquet_rows, row_count, separator_of, table_rows
from event_assets.importing.unpacking import DAMAGE, HEAD_BYTES, Text, UnreadableFile, open_text, unreadable

MAX_LINE_BYTES = 900_000
"""Longer texts are cut here, which leaves room in a stream record: far above what an event may have."""
_LONGEST_BYTES = 64 * 2**20
_PIECE_BYTES = 1 << 18
_BETWEEN = re.compile(rb"[\s,\x1e]*")
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
"""As far as the next bracket that is not in a string."""
_OTHER = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\[\]{}"]++|[}\]]', re.DOTALL)
_LINE_ENDS = re.compile(rb"\s*[\r\n]\s*")


class Line(NamedTuple):
    """One event's text, on one line. `number` counts from 1: lines, blank ones too, or the elements of an array; `read`
    is how many bytes of the file were read so far."""

    number: int
    text: bytes
    read: int


class ReadStopped(Exception):
    """The file cannot be read to its end: it is cut short or damaged."""


class Form(NamedTuple):
    """What cannot be told by a file's bytes: the names of a table's columns where its first row has none, whether
    quotes are around cells that need it, or whose log it is."""

    columns: tuple[str, ...] = ()
    quotes: bool = True
    log: Log | None = None


def read_lines(file: ImportFile | Path, skip: int = 0, form: Form = Form()) -> Iterator[Line]:
    """The texts after the first `skip`, blank lines left out. Raises `UnreadableFile`, `ReadStopped`."""
    source = ImportFile.of(file) if isinstance(file, Path) else file
    number = 0
    try:
        with source.open() as opened:
            found, read = _texts(source, opened, form)
            for number, line in enumerate(found, 1):
                if number > skip and line:
                    yield Line(number, line, read(number))
    except (NoTable, NoAvro) as error:
        raise UnreadableFile(f"{source.place} {error}.") from None
    except (*DAMAGE, csv.Error, pa.ArrowException, OSError) as error:
        raise ReadStopped(f"{source.place} cannot be read after line {number}: {error}") from None


def _texts(source: ImportFile, opened: Any, form: Form) -> tuple[Iterator[bytes], Callable[[int], int]]:
    """The texts of an open file, and how many of its bytes were read for so many of them."""
    head = opened.read(len(PARQUET))
    opened.seek(0)
    if head == PARQUET:
        rows = max(1, row_count(opened))
        return parquet_rows(opened), lambda number: source.size * number // rows
    if head == AVRO:
        return avro_rows(opened), lambda number: opened.tell()
    text = open_text(source.place, opened)
    return _read(source.place, text, form), lambda number: opened.tell()


def _read(place: str, text: Text, form: Form) -> Iterator[bytes]:
    if form.log is not None:
        return log_lines(text.stream, _lines, form.log)
    if form.columns:
        separator = separator_of(_whole_lines(text), form.quotes)
        if separator is None:
            raise unreadable(place, "is no table", "Leave columns out of the mapping where the file is JSON.")
        return table_rows(text.stream, separator, form.columns, form.quotes)
    kind = _kind(place, text)
    if kind == "lines":
        return _lines(text.stream)
    return _values(text.stream) if kind == "values" else table_rows(text.stream, kind)


def _whole_lines(text: Text) -> list[bytes]:
    """The lines at the beginning of a text that are not cut, blank ones left out."""
    lines = [line for line in text.head.strip(b" \r\n").split(b"\n") if line.strip()]
    return lines if text.is_whole or len(lines) == 1 else lines[:-1]


def _lines(text: io.BufferedReader) -> Iterator[bytes]:
    """Each line, cut at `MAX_LINE_BYTES`; what follows the cut is passed over."""
    while line := text.readline(MAX_LINE_BYTES):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == MAX_LINE_BYTES:
            rest = text.readline(MAX_LINE_BYTES)
        yield line.strip()


def _values(text: io.BufferedIOBase) -> Iterator[bytes]:
    """Each value of a sequence of them, and each element of the arrays in it; line ends in a value become spaces.

    Raises `EOFError` where the text ends within one.
    """
    waiting = _Waiting(text)
    in_array = False
    while begin := waiting.begin():
        if begin == b"[" and not in_array:
            in_array = True
            waiting.take(1)
        elif begin == b"]" and in_array:
            in_array = False
            waiting.take(1)
        else:
            value = waiting.value() if begin in (b"{", b"[") else waiting.other()
            yield _LINE_ENDS.sub(b" ", value)
    if in_array:
        raise EOFError("the closing ] of the array is missing")


class _Waiting:
    """The part of the text that was read and not given yet."""

    def __init__(self, text: io.BufferedIOBase) -> None:
        self._text = text
        self._bytes = b""
        self._at = 0

    def begin(self) -> bytes:
        """The first byte of what comes next; nothing at the end."""
        while True:
            found = _BETWEEN.match(self._bytes, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._bytes) or not self._more():
                return self._bytes[self._at : self._at + 1]

    def take(self, size: int) -> bytes:
        """The next bytes, which then are gone."""
        taken = self._bytes[self._at : self._at + size]
        self._at += size
        return taken

    def value(self) -> bytes:
        """An object or an array to its closing bracket, cut at `MAX_LINE_BYTES`."""
        kept, depth, seen = b"", 0, 0
        while True:
            found = _BRACKET.match(self._bytes, self._at + seen)
            if found is None:
                if seen > MAX_LINE_BYTES:
                    passed, seen = self.take(seen), 0
                    kept = kept or passed[:MAX_LINE_BYTES]
                if not self._more():
                    raise EOFError("the text ends within an object or an array")
                continue
            seen = found.end() - self._at
            depth += 1 if found[1] in (b"{", b"[") else -1
            if depth == 0:
                value = self.take(seen)
                return (kept or value)[:MAX_LINE_BYTES]

    def other(self) -> bytes:
        """Anything that is neither an object nor an array, as far as the next blank, comma or bracket."""
        while True:
            found = _OTHER.match(self._bytes, self._at)
            if (found is not None and found.end() < len(self._bytes)) or not self._more():
                return self.take(found.end() - self._at if found else 1)[:MAX_LINE_BYTES]

    def _more(self) -> bool:
        """Reads on, as much again as there is, so that a long text is not looked at too often."""
        self._bytes, self._at = self._bytes[self._at :], 0
        if len(self._bytes) > _LONGEST_BYTES:
            raise EOFError(f"a string has more than {_LONGEST_BYTES:,} bytes")
        piece = self._text.read(max(_PIECE_BYTES, len(self._bytes)))
        self._bytes += piece
        return bool(piece)


def _kind(place: str, text: Text) -> str:
    """Whether the text is `lines`, or `values`, a sequence of JSON values; of a table what separates its cells. Raises
    `UnreadableFile` where it is none of these."""
    head = text.head.strip()
    if not head:
        raise unreadable(place, "is empty", "Name a file with events.")
    whole = _whole_lines(text)
    if _is_object(whole[0]):
        return "lines"
    if _begins_with_object(head) and not (_is_json(whole[0]) and any(map(_is_object, whole[1:]))):
        return "values"
    is_one_endless_line = len(whole) == 1 and not text.is_whole and head.startswith(b"{")
    if is_one_endless_line or any(map(_is_object, whole[1:])):
        return "lines"
    separator = None if head.startswith((b"{", b"[", b"<")) or b"\0" in head[:4096] else separator_of(whole)
    if separator is None:
        raise unreadable(place, *_what_else(head))
    return separator


def _begins_with_object(head: bytes) -> bool:
    """Whether a sequence of values begins here: first an object, then another value or the end."""
    waiting = _Waiting(io.BytesIO(head))
    try:
        in_array = waiting.begin() == b"["
        waiting.take(1 if in_array else 0)
        is_object = waiting.begin() == b"{" and _is_object(waiting.value())
        return is_object and (in_array or waiting.begin() in (b"", b"{", b"["))
    except EOFError:
        return False


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def _is_object(text: bytes) -> bool:
    return text.lstrip().startswith(b"{") and _is_json(text)


def _what_else(head: bytes) -> tuple[str, str]:
    """What a text is that holds no events, as far as can be told, and the way out."""
    if b"\0" in head[:4096]:
        return "is no text", "Write its events as JSON, an object a line."
    if head.startswith(b"<"):
        return "is XML or HTML", "Write its events as JSON, an object a line."
    if head.startswith(b"["):
        return "is an array that does not begin with an object", "Write an array of objects, each an event."
    if head.startswith(b"{"):
        what = f"has no whole object in its first {HEAD_BYTES:,} bytes" if len(head) > MAX_LINE_BYTES else "is damaged"
        return what, "Write an object a line, or an array of objects, each an event."
    return (
        "has no line that is a JSON object, and is no table whose first row names its columns",
        "Write its events as JSON, an object a line; name the log in the mapping where it is a web server's.",
    )
