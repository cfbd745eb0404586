"""How events travel in a stream record: newline-delimited JSON, gzip or zstd.

A consumer takes plain NDJSON and one bare JSON object too. What the events say is not looked at here.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec
import zstandard

Encoding = Literal["zstd", "gzip", "plain"]
RECORD_BYTES = 25_000
"""Size at which the next record starts: Kinesis bills by 25 KB."""
TEXT_BYTES = 8 * RECORD_BYTES
"""Text that is packed at a time: about as much as a record holds."""
UNPACKED_BYTES = 64 * 1024 * 1024
"""A record that unpacks to more is refused."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some programs write before a text in UTF-8; it says nothing."""
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PIECE_BYTES = 1024
"""Packed bytes that are unpacked at a time: so few that what they may unpack to (32 MB) is bounded."""
_local = threading.local()


class BadEncoding(ValueError):
    """The record says that it is gzip or zstd and cannot be unpacked."""


def pack(lines: Sequence[bytes], encoding: Encoding = "zstd", max_bytes: int = RECORD_BYTES) -> list[bytes]:
    """The lines as as few records as the size allows, in their order. A line larger than the limit has its own.

    A line break within a line, which JSON has only between its tokens, becomes a space.
    """
    if not lines:
        return []
    return pack_text(b"\n".join([line.replace(b"\n", b" ") for line in lines]), encoding, max_bytes)


def pack_text(text: bytes, encoding: Encoding = "zstd", max_bytes: int = RECORD_BYTES) -> list[bytes]:
    """The same of lines that stand in one text."""
    limit = max_bytes if encoding == "plain" else max(TEXT_BYTES, max_bytes)
    if len(text) > limit:
        return [record for chunk in _chunks(text, limit) for record in _encode(chunk, encoding, max_bytes)]
    return list(_encode(text, encoding, max_bytes))


def _chunks(text: bytes, limit: int) -> Iterator[bytes]:
    """The text cut at line breaks into parts of up to so many bytes, where a line is not larger."""
    start = 0
    while len(text) - start > limit:
        end = text.rfind(b"\n", start, start + limit + 1)
        if end < 0:
            end = text.find(b"\n", start + limit)
        if end < 0:
            break
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _encode(text: bytes, encoding: Encoding, max_bytes: int) -> Iterator[bytes]:
    record = _compress(text, encoding)
    if len(record) <= max_bytes or b"\n" not in text:
        yield record
        return
    middle = text.find(b"\n", len(text) // 2)
    if middle < 0:
        middle = text.rfind(b"\n")
    yield from _encode(text[:middle], encoding, max_bytes)
    yield from _encode(text[middle + 1 :], encoding, max_bytes)


def _compress(data: bytes, encoding: Encoding) -> bytes:
    if encoding == "zstd":
        if not hasattr(_local, "compressor"):
            _local.compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        return bytes(_local.compressor.compress(data))
    if encoding == "gzip":
        packer = zlib.compressobj(level=6, wbits=31)
        return packer.compress(data) + packer.flush()
    return data


def repacked(lines: Sequence[bytes], like: bytes) -> bytes:
    """The lines as one record, packed as another one is."""
    encoding: Encoding = "zstd" if like.startswith(_ZSTD) else "gzip" if like.startswith(_GZIP) else "plain"
    return _compress(b"\n".join(lines), encoding)


def unpack(record: bytes) -> list[bytes]:
    """The events of a record, one JSON text each, blank lines left out. Raises `BadEncoding`."""
    return lines_of(unpack_text(record))


def unpack_text(record: bytes) -> bytes:
    """The text of a record, without blanks around it. Raises `BadEncoding`."""
    return decompress(record).removeprefix(BYTE_ORDER_MARK).strip()


def lines_of(text: bytes) -> list[bytes]:
    """The events of a record's text, one JSON text each, blank lines left out."""
    if not text:
        return []
    if b"\n" not in text or _is_one_object(text):
        return [text]
    lines = [*map(bytes.strip, text.split(b"\n"))]
    return lines if all(lines) else [*filter(None, lines)]


def _is_one_object(data: bytes) -> bool:
    """Whether the text is one object printed over several lines."""
    return data.startswith(b"{") and not _is_json(data[: data.index(b"\n")]) and _is_json(data)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def decompress(record: bytes) -> bytes:
    """The record's NDJSON text. Raises `BadEncoding`."""
    if record.startswith(_ZSTD):
        return _unzstd(record)
    if record.startswith(_GZIP):
        return _gunzip(record)
    return record


def _unzstd(record: bytes) -> bytes:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor(max_window_size=UNPACKED_BYTES)
    decompressor = _local.decompressor
    try:
        if 0 < zstandard.frame_content_size(record) <= UNPACKED_BYTES:
            return bytes(decompressor.decompress(record, allow_extra_data=False))
    except zstandard.ZstdError:
        pass  # several frames, or a damaged one: told apart below
    return _inflate(record, decompressor.decompressobj, "zstd")


def _gunzip(record: bytes) -> bytes:
    return _inflate(record, lambda: zlib.decompressobj(wbits=31), "gzip")


def _inflate(record: bytes, unpacker: Callable[[], Any], name: str) -> bytes:
    """Unpacks frames that follow each other, and keeps count of what comes out."""
    parts: list[bytes] = []
    size = place = 0
    frame = None
    while place < len(record):
        frame = frame or unpacker()
        piece = record[place : place + _PIECE_BYTES]
        try:
            part = frame.decompress(piece)
        except (zlib.error, zstandard.ZstdError) as error:
            raise BadEncoding(f"{name}: {error}") from None
        size += len(part)
        if size > UNPACKED_BYTES:
            raise BadEncoding(f"{name}: unpacks to more than {UNPACKED_BYTES} bytes")
        parts.append(part)
        place += len(piece) - len(frame.unused_data)
        frame = None if frame.eof else frame
    if frame is not None:
        raise BadEncoding(f"{name}: the end is missing")
    return b"".join(parts)


def count_events(record: bytes) -> int:
    """How many events the record holds; 1 where it cannot be unpacked, so that the ledger can name it."""
    try:
        return len(unpack(record))
    except BadEncoding:
        return 1
