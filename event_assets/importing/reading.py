"""Lines out of a file: NDJSON, gzip or zstd, one line in memory at a time. What a line says is not looked at."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

MAX_LINE_BYTES = 900_000
"""Longer lines are cut here, which leaves room in a stream record: far above what an event may have."""


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
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)  # type: ignore[return-value]
    return file  # type: ignore[return-value]


def _one_line(text: io.BufferedReader) -> bytes:
    """The next line, cut at `MAX_LINE_BYTES`; what follows the cut is passed over."""
    line = text.readline(MAX_LINE_BYTES)
    rest = line
    while rest and not rest.endswith(b"\n") and len(rest) == MAX_LINE_BYTES:
        rest = text.readline(MAX_LINE_BYTES)
    return line
