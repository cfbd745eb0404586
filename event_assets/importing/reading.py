"""Events' texts out of a file, one in memory at a time: its lines, or objects that follow each other, in an array too.

What an event says is not looked at; what the file is packed in is unpacking.py's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

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


def check_readable(path: Path) -> None:
    """Raises `UnreadableFile` where there is no such file, or it cannot be opened."""
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder; name one file, and bring several one after the other.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from None


def read_lines(path: Path, skip: int = 0) -> Iterator[Line]:
    """The texts after the first `skip`, blank lines left out. Raises `UnreadableFile`, `ReadStopped`."""
    check_readable(path)
    number = 0
    with path.open("rb", buffering=0) as file:
        try:
            text = open_text(path, file)
            found = _values(text.stream) if _is_values(path, text) else _lines(text.stream)
            for number, line in enumerate(found, 1):
                if number > skip and line:
                    yield Line(number, line, file.tell())
        except (*DAMAGE, OSError) as error:
            raise ReadStopped(f"{path} cannot be read after line {number}: {error}") from None


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


def _is_values(path: Path, text: Text) -> bool:
    """Whether the text is a sequence of JSON values, and not of lines. Raises `UnreadableFile` where it is neither."""
    head = text.head.strip()
    if not head:
        raise unreadable(path, "is empty", "Name a file with events.")
    lines = [line for line in head.split(b"\n") if line.strip()]
    whole = lines if text.is_whole or len(lines) == 1 else lines[:-1]
    if _is_object(whole[0]):
        return False
    if _begins_with_object(head) and not (_is_json(whole[0]) and any(map(_is_object, whole[1:]))):
        return True
    is_one_endless_line = len(lines) == 1 and not text.is_whole and head.startswith(b"{")
    if is_one_endless_line or any(map(_is_object, whole[1:])):
        return False
    raise unreadable(path, *_what_else(path, head, whole))


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


def _what_else(path: Path, head: bytes, lines: Sequence[bytes]) -> tuple[str, str]:
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
    if _is_table(lines):
        return "is a table (CSV or the like)", (
            f"Write it as JSON first, with DuckDB for example: COPY (FROM '{path.name}') TO 'events.ndjson'."
        )
    return "has no line that is a JSON object", "Write its events as JSON, an object a line."


def _is_table(lines: Sequence[bytes]) -> bool:
    """Whether the first lines have the same number of separators."""
    counts = [{line.count(separator) for line in lines[:10]} for separator in (b",", b";", b"\t", b"|")]
    return any(len(count) == 1 and 0 not in count for count in counts)
