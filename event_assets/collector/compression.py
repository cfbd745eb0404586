"""A body without its content encoding: gzip, deflate, zstd. In time and memory that grow with the body, never faster.

What is in it is not looked at here.
"""

from __future__ import annotations

import zlib

import zstandard

from event_assets.collector.errors import RequestRefused
from event_assets.collector.limits import CollectorLimits

_RATIO_FREE_BYTES = 65_536
_CHUNK_BYTES = 65_536
_MEMBER_CHUNK_BYTES = 16_384
"""A decompressor copies what follows its member: that much at the most."""
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"
"""All but the first byte, which is any of sixteen."""

_END = b"\x00the body was whole\x00"
_END_FRAME = zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(_END)


def unpack(body: bytes, encoding: str, limits: CollectorLimits) -> bytes:
    """The body without its content encoding: gzip, deflate, zstd, identity.

    Stops as soon as the text passes `limits.unpacked_bytes` or a hundred times the body, so a bomb costs little.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    allowed = min(limits.unpacked_bytes, max(len(body) * limits.unpack_ratio, _RATIO_FREE_BYTES))
    if encoding in ("gzip", "x-gzip"):
        _check_members(body.count(_GZIP_MAGIC), limits)
        return _inflate(body, 31, allowed)
    if encoding == "deflate":
        return _inflate(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS, allowed)
    if encoding == "zstd":
        _check_members(body.count(_ZSTD_MAGIC) + body.count(_ZSTD_SKIPPABLE_MAGIC), limits)
        return _unzstd(body, allowed)
    raise RequestRefused(415, "unsupported_encoding", "Content-Encoding may be gzip, deflate, zstd or identity")


def _check_members(most: int, limits: CollectorLimits) -> None:
    """Refuses a body of too many members or frames. `most`: how often one may begin in it."""
    if most > limits.members:
        raise RequestRefused(413, "too_many_members", f"a body may have {limits.members} compressed members or frames")


def _has_zlib_header(body: bytes) -> bool:
    """`deflate` means zlib (RFC 9110), yet some clients send the bare stream."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, wbits: int, allowed: int) -> bytes:
    view = memoryview(body)
    parts: list[bytes] = []
    size = taken = 0
    unpacker = zlib.decompressobj(wbits)
    while taken < len(body) or not unpacker.eof:
        if unpacker.eof:
            if wbits != 31:
                raise _bad_encoding()
            unpacker = zlib.decompressobj(wbits)
        given = unpacker.unconsumed_tail or view[taken : taken + _MEMBER_CHUNK_BYTES]
        taken += 0 if unpacker.unconsumed_tail else len(given)
        try:
            part = unpacker.decompress(given, min(_CHUNK_BYTES, allowed - size + 1))
        except zlib.error:
            raise _bad_encoding() from None
        taken -= len(unpacker.unused_data)
        size += len(part)
        if size > allowed:
            raise _bomb(allowed)
        if not part and not given:
            raise _bad_encoding()
        parts.append(part)
    return b"".join(parts)


def _unzstd(body: bytes, allowed: int) -> bytes:
    """Reads all frames and one more of our own: the reader is silent about an end that is missing, and what is missing
    would swallow that one."""
    whole = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).stream_reader(
        body + _END_FRAME, read_across_frames=True
    )
    try:
        text = whole.read(allowed + len(_END) + 1)
    except zstandard.ZstdError:
        raise _bad_encoding() from None
    if len(text) > allowed + len(_END):
        raise _bomb(allowed)
    if not text.endswith(_END):
        raise _bad_encoding()
    return text[: -len(_END)]


def _bad_encoding() -> RequestRefused:
    return RequestRefused(400, "bad_encoding", "the body is not what Content-Encoding says, or its end is missing")


def _bomb(allowed: int) -> RequestRefused:
    return RequestRefused(413, "body_too_large", f"the unpacked body may have {allowed} bytes")
