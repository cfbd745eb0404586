"""Lines out of a file: NDJSON, gzip or zstd, one line in memory at a time. What a line says is not looked at."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import zstandard

MAX_LINE_BYTES = 900_000
"""Longer lines are cut here, which leaves room in a stream record: far above what an event may have."""
_PIECE_BYTES = 4096


class Line(NamedTuple):
    """One line that is not blank. `number` counts from 1; `read` is how many bytes of the file were read so far."""

    number: int
    text: bytes
    read: int


class ReadStopped(Exception):
    """The file cannot be read to its end: it is cut short or damaged."""


def read_lines(path: Path, skip: int = 0) -> Iterator[Line]:
    """The lines after the first `skip`, blank ones left out. Raises `OSError`, `ReadStopped`."""
    with path.open("rb") as file:
        text: io.BufferedReader = io.BufferedReader(_unpacked(path, file), 1 << 20)
        number = 0
        try:
            while line := _one_line(text):
                number += 1
                if number <= skip:
                    continue
                stripped = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
                if stripped:
                    yield Line(number, stripped, file.tell())
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise ReadStopped(f"{path} cannot be read after line {number}: {error}") from None


def _unpacked(path: Path, file: BinaryIO) -> io.RawIOBase:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if path.suffix in (".zst", ".zstd"):
        return _ZstdFile(file)
    return file  # type: ignore[return-value]


class _ZstdFile(io.RawIOBase):
    """Unpacks zstd frames that follow each other. Raises `EOFError` where the last one is cut short."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            self._packed = self._packed or self._file.read(_PIECE_BYTES)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the end is missing")
                return 0
            self._frame = self._frame or self._decompressor.decompressobj()
            self._ready = memoryview(self._frame.decompress(self._packed))
            self._packed = self._frame.unused_data
            self._frame = None if self._frame.eof else self._frame
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def _one_line(text: io.BufferedReader) -> bytes:
    """The next line, cut at `MAX_LINE_BYTES`; what follows the cut is passed over."""
    line = text.readline(MAX_LINE_BYTES)
    rest = line
    while rest and not rest.endswith(b"\n") and len(rest) == MAX_LINE_BYTES:
        rest = text.readline(MAX_LINE_BYTES)
    return line
