"""What a file's text is packed in: compression and encoding, told by its bytes, whatever the file is called.

Everything is unpacked on the way, some of it in memory at a time. What the text says is not known here.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import zstandard

HEAD_BYTES = 1 << 20
"""How much of the text is looked at to tell what it is."""
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zstandard.ZstdError, zipfile.BadZipFile, UnicodeError)
"""What reading on raises where a packed file is cut short or damaged; bz2 has no error of its own but `OSError`."""
_READ = (
    "events are read as JSON, an object a line, an array or pretty-printed objects, or as CSV, TSV and the like, "
    "as they are or in gzip, zstd, bzip2, xz or zip, in UTF-8, UTF-16 or UTF-32; and as Parquet or Avro"
)
_UNPACK = "Unpack it and bring the files in it one by one."
_MOST_LAYERS = 3
_PIECE_BYTES = 1 << 16
_FOREIGN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"PAR1"), "a Parquet file that is packed once more"),
    (re.compile(rb"Obj\x01"), "an Avro file that is packed once more"),
    (re.compile(rb"ORC"), "an ORC file"),
    (re.compile(rb"ARROW1"), "an Arrow file"),
    (re.compile(rb"SQLite format 3"), "an SQLite database"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive"),
    (re.compile(rb"Rar!"), "a rar archive"),
    (re.compile(rb"\x04\x22\x4d\x18"), "packed with lz4"),
    (re.compile(rb"\xff\x06\x00\x00sNaPpY"), "packed with snappy"),
    (re.compile(rb"\x1f[\x9d\xa0]"), "packed with compress"),
    (re.compile(rb"PK\x05\x06"), "an empty zip archive"),
)
_ENCODINGS: tuple[tuple[re.Pattern[bytes], str, int], ...] = (
    (re.compile(rb"\xef\xbb\xbf"), "utf-8", 3),
    (re.compile(rb"\xff\xfe\x00\x00"), "utf-32-le", 4),
    (re.compile(rb"\x00\x00\xfe\xff"), "utf-32-be", 4),
    (re.compile(rb"\xff\xfe"), "utf-16-le", 2),
    (re.compile(rb"\xfe\xff"), "utf-16-be", 2),
    (re.compile(rb"[\s\[{]\x00{3}"), "utf-32-le", 0),
    (re.compile(rb"\x00{3}[\s\[{]"), "utf-32-be", 0),
    (re.compile(rb"[\s\[{]\x00"), "utf-16-le", 0),
    (re.compile(rb"\x00[\s\[{]"), "utf-16-be", 0),
)


class UnreadableFile(ValueError):
    """A file that no events can be read from. The message names the file, the rule and the way out."""


def unreadable(place: str, what: str, way_out: str) -> UnreadableFile:
    """The error for a file that `what` is said of."""
    return UnreadableFile(f"{place} {what}; {_READ}. {way_out}")


class Text(NamedTuple):
    """A file's text in UTF-8: how it begins, whether that is all of it, and the whole from its beginning."""

    head: bytes
    is_whole: bool
    stream: io.BufferedReader


def open_text(place: str, file: BinaryIO) -> Text:
    """The text of a file, unpacked on the way. Raises `UnreadableFile`; reading on raises `DAMAGE` and `OSError`."""
    stream = _Resumed.of(file)
    for _ in range(_MOST_LAYERS):
        unpack = _packing(place, file, stream.head)
        if unpack is None:
            break
        stream = _Resumed.of(unpack(stream))
    for pattern, kind in _FOREIGN:
        if pattern.match(stream.head):
            raise unreadable(place, f"is {kind}", _way_out(place, kind))
    for pattern, encoding, mark in _ENCODINGS:
        if pattern.match(stream.head):
            stream.skip(mark)
            stream = stream if encoding == "utf-8" else _Resumed.of(_Transcoded(stream, encoding))
            break
    return Text(stream.head, stream.is_whole, io.BufferedReader(stream, HEAD_BYTES))


def _way_out(place: str, kind: str) -> str:
    if kind in ("an SQLite database", "an Arrow file", "an ORC file"):
        name = place.rpartition("/")[2]
        return f"Write it as JSON first, with DuckDB for example: COPY (FROM '{name}') TO 'events.ndjson'."
    return _UNPACK


def _packing(place: str, file: BinaryIO, head: bytes) -> Callable[[Any], Any] | None:
    """What unpacks a text that begins so; None where nothing does."""
    if head.startswith(b"\x1f\x8b"):
        return lambda stream: gzip.GzipFile(fileobj=io.BufferedReader(stream))
    if head.startswith(b"\x28\xb5\x2f\xfd") or re.match(rb"[\x50-\x5f]\x2a\x4d\x18", head):
        return _ZstdFile
    if re.match(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)", head):
        return lambda stream: bz2.BZ2File(io.BufferedReader(stream))
    if head.startswith(b"\xfd7zXZ\x00"):
        return lambda stream: lzma.LZMAFile(io.BufferedReader(stream))
    if head.startswith(b"PK\x03\x04"):
        return lambda stream: _zip_member(place, file)
    return None


def _zip_member(place: str, file: BinaryIO) -> Any:
    """The one file of a zip archive; it must be the outermost packing, since its directory is at its end."""
    try:
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not (member.is_dir() or "__MACOSX/" in member.filename)]
        if len(members) == 1:
            return archive.open(members[0])
        what = f"is a zip archive of {len(members)} files, where one is expected"
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        what = f"is a zip archive that cannot be opened ({error})"
    raise unreadable(place, what, _UNPACK)


class _Resumed(io.RawIOBase):
    """A stream whose beginning has been read: gives that again, and then the rest, or the error that came instead."""

    def __init__(self, head: bytes, rest: Any, is_whole: bool, error: Exception | None) -> None:
        self.head, self.is_whole = head, is_whole
        self._ready, self._rest, self._error = memoryview(head), rest, error

    @staticmethod
    def of(stream: Any) -> _Resumed:
        head, piece = bytearray(), b""
        try:
            while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
                head += piece
        except (*DAMAGE, OSError) as error:
            if not head:
                raise
            return _Resumed(bytes(head), stream, False, error)
        return _Resumed(bytes(head), stream, not piece, None)

    def skip(self, size: int) -> None:
        """Passes over the first bytes, for good."""
        self.head, self._ready = self.head[size:], self._ready[size:]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._ready:
            size = min(len(buffer), len(self._ready))
            buffer[:size] = self._ready[:size]
            self._ready = self._ready[size:]
            return size
        if self._error is not None:
            raise self._error
        return int(self._rest.readinto(buffer) or 0)


class _Unpacking(io.RawIOBase):
    """Gives what `_more` gives, in whatever pieces are asked for."""

    _ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            piece = self._more()
            if piece is None:
                return 0
            self._ready = memoryview(piece)
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _more(self) -> bytes | None:
        """Some more, maybe empty; None at the end."""
        raise NotImplementedError


class _ZstdFile(_Unpacking):
    """Unpacks zstd frames that follow each other. Raises `EOFError` where the last one is cut short."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""

    def _more(self) -> bytes | None:
        self._packed = self._packed or self._file.read(4096)
        if not self._packed:
            if self._frame is not None:
                raise EOFError("the end is missing")
            return None
        self._frame = self._frame or self._decompressor.decompressobj()
        piece = self._frame.decompress(self._packed)
        self._packed = self._frame.unused_data
        self._frame = None if self._frame.eof else self._frame
        return piece


class _Transcoded(_Unpacking):
    """Text of another encoding as UTF-8; half a surrogate pair goes on, so that it breaks its own event alone."""

    def __init__(self, file: Any, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")

    def _more(self) -> bytes | None:
        piece = self._file.read(_PIECE_BYTES)
        text = self._decoder.decode(piece, final=not piece)
        return text.encode("utf-8", "surrogatepass") if piece else None
