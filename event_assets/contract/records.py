"""How events travel in a stream record: newline-delimited JSON of one partition key, gzip or zstd.

A consumer takes plain NDJSON and one bare JSON object too. What the events say is not looked at here.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import zstandard

Encoding = Literal["zstd", "gzip", "plain"]
RECORD_BYTES = 25_000
"""Size at which the next record starts: Kinesis bills by 25 KB."""
UNPACKED_BYTES = 64 * 1024 * 1024
"""A record that unpacks to more is refused."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK_BYTES = 8 * RECORD_BYTES
_local = threading.local()


class BadEncoding(ValueError):
    """The record says that it is gzip or zstd and cannot be unpacked."""


def pack(lines: Sequence[bytes], encoding: Encoding = "zstd", max_bytes: int = RECORD_BYTES) -> list[bytes]:
    """The lines as as few records as the size allows, in their order. A line larger than the limit has its own."""
    return [record for chunk in _chunks(lines, encoding, max_bytes) for record in _encode(chunk, encoding, max_bytes)]


def _chunks(lines: Sequence[bytes], encoding: Encoding, max_bytes: int) -> Iterator[list[bytes]]:
    limit = max_bytes if encoding == "plain" else max(_CHUNK_BYTES, max_bytes)
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) + 1 > limit:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line) + 1
    if chunk:
        yield chunk


def _encode(lines: list[bytes], encoding: Encoding, max_bytes: int) -> Iterator[bytes]:
    record = _compress(b"\n".join(lines), encoding)
    if len(record) <= max_bytes or len(lines) == 1:
        yield record
        return
    middle = len(lines) // 2
    yield from _encode(lines[:middle], encoding, max_bytes)
    yield from _encode(lines[middle:], encoding, max_bytes)


def _compress(data: bytes, encoding: Encoding) -> bytes:
    if encoding == "zstd":
        if not hasattr(_local, "compressor"):
            _local.compressor = zstandard.ZstdCompressor(level=1)
        return bytes(_local.compressor.compress(data))
    if encoding == "gzip":
        packer = zlib.compressobj(level=6, wbits=31)
        return packer.compress(data) + packer.flush()
    return data


def unpack(record: bytes) -> list[bytes]:
    """The events of a record, one JSON text each, blank lines left out. Raises `BadEncoding`."""
    data = decompress(record).strip()
    if not data:
        return []
    if b"\n" not in data:
        return [data]
    lines = [line for line in (part.strip() for part in data.split(b"\n")) if line]
    return [data] if _is_one_object(data, lines[0]) else lines


def _is_one_object(data: bytes, first_line: bytes) -> bool:
    """Whether the text is one object printed over several lines."""
    if not data.startswith(b"{") or first_line.endswith(b"}"):
        return False
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
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
        _local.decompressor = zstandard.ZstdDecompressor()
    try:
        if 0 <= zstandard.frame_content_size(record) <= UNPACKED_BYTES:
            return bytes(_local.decompressor.decompress(record))
        reader = _local.decompressor.stream_reader(record, read_across_frames=True)
        data = bytes(reader.read(UNPACKED_BYTES + 1))
    except zstandard.ZstdError as error:
        raise BadEncoding(f"zstd: {error}") from None
    if len(data) > UNPACKED_BYTES:
        raise BadEncoding(f"zstd: unpacks to more than {UNPACKED_BYTES} bytes")
    return data


def _gunzip(record: bytes) -> bytes:
    parts: list[bytes] = []
    rest, size = record, 0
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(rest, UNPACKED_BYTES - size + 1)
        except zlib.error as error:
            raise BadEncoding(f"gzip: {error}") from None
        size += len(part)
        if size > UNPACKED_BYTES:
            raise BadEncoding(f"gzip: unpacks to more than {UNPACKED_BYTES} bytes")
        if not unpacker.eof:
            raise BadEncoding("gzip: the end is missing")
        parts.append(part)
        rest = unpacker.unused_data
    return b"".join(parts)


def count_events(record: bytes) -> int:
    """How many events the record holds; 1 where it cannot be unpacked, so that the books can name it."""
    try:
        return len(unpack(record))
    except BadEncoding:
        return 1
