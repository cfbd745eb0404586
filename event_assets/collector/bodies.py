"""A request's body: read, unpacked and cut into single events, within limits that hold while it is read.

What the events say is not looked at here.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import zstandard
from starlette.types import Receive

from event_assets.collector.errors import RequestRefused
from event_assets.collector.limits import CollectorLimits

_RATIO_FREE_BYTES = 65_536
_CHUNK_BYTES = 65_536
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_JSON_SPACE = b" \t\r\n"

_array = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(msgspec.Raw)


async def read_body(receive: Receive, limits: CollectorLimits, on_bytes: Callable[[int], None]) -> bytes:
    """The whole body as it came. `on_bytes` is told of each part before it is kept, and may refuse it."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    first: bytes = message.get("body", b"")
    on_bytes(len(first))
    _check_size(len(first), limits)
    if not message.get("more_body", False):
        return first
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read_rest(first, receive, limits, on_bytes)
    except TimeoutError:
        raise RequestRefused(408, "body_timeout", "the body did not arrive in time") from None


async def _read_rest(first: bytes, receive: Receive, limits: CollectorLimits, on_bytes: Callable[[int], None]) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        on_bytes(len(part))
        size += len(part)
        _check_size(size, limits)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


class ClientGone(Exception):
    """The client closed the connection before its body was complete: there is nobody to answer."""


def _check_size(size: int, limits: CollectorLimits) -> None:
    if size > limits.body_bytes:
        raise RequestRefused(413, "body_too_large", f"a body may have {limits.body_bytes} bytes")


def unpack(body: bytes, encoding: str, limits: CollectorLimits) -> bytes:
    """The body without its content encoding: gzip, deflate, zstd, identity.

    Stops as soon as the text passes `limits.unpacked_bytes` or a hundred times the body, so a bomb costs little.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    allowed = min(limits.unpacked_bytes, max(len(body) * limits.unpack_ratio, _RATIO_FREE_BYTES))
    if encoding in ("gzip", "x-gzip"):
        return _inflate(body, 31, allowed)
    if encoding == "deflate":
        return _inflate(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS, allowed)
    if encoding == "zstd":
        return _unzstd(body, allowed)
    raise RequestRefused(415, "unsupported_encoding", "Content-Encoding may be gzip, deflate, zstd or identity")


def _has_zlib_header(body: bytes) -> bool:
    """`deflate` means zlib (RFC 9110), yet some clients send the bare stream."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, wbits: int, allowed: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    while True:
        unpacker = zlib.decompressobj(wbits)
        while not unpacker.eof:
            try:
                part = unpacker.decompress(rest, min(_CHUNK_BYTES, allowed - size + 1))
            except zlib.error:
                raise _bad_encoding() from None
            rest = unpacker.unconsumed_tail
            size += len(part)
            if size > allowed:
                raise _bomb(allowed)
            parts.append(part)
            if not part and not unpacker.eof and not rest:
                raise _bad_encoding()
        rest = unpacker.unused_data
        if not rest:
            return b"".join(parts)
        if wbits != 31:
            raise _bad_encoding()


def _unzstd(body: bytes, allowed: int) -> bytes:
    parts: list[bytes] = []
    try:
        bounded = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).stream_reader(
            body, read_across_frames=True
        )
        if len(bounded.read(allowed + 1)) > allowed:
            raise _bomb(allowed)
        # The bounded reader is silent about a missing end; now that the size is known to be small, read again with one
        # that tells.
        rest = body
        while rest:
            frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
            parts.append(frame.decompress(rest))
            if not frame.eof:
                raise _bad_encoding()
            rest = frame.unused_data
    except zstandard.ZstdError:
        raise _bad_encoding() from None
    return b"".join(parts)


def _bad_encoding() -> RequestRefused:
    return RequestRefused(400, "bad_encoding", "the body is not what Content-Encoding says, or its end is missing")


def _bomb(allowed: int) -> RequestRefused:
    return RequestRefused(413, "body_too_large", f"the unpacked body may have {allowed} bytes")


class Events(NamedTuple):
    """The events of a body, each as its own JSON text on one line, and the array that they are elements of, if any."""

    texts: list[bytes]
    array: bytes | None = None


def split(text: bytes, limits: CollectorLimits, *, lines: bool = False) -> Events:
    """The events of a body, each as its own JSON text on one line: an array, one object, or one object a line.

    `lines` says that the body is NDJSON whatever it looks like. A line or an element that is no event is kept, for
    its own verdict; only a body that cannot be cut at all is refused.
    """
    text = text.strip(_JSON_SPACE)
    if not text:
        raise RequestRefused(400, "empty_body", "the body has no event")
    events = _split(text, lines)
    if not events.texts:
        raise RequestRefused(400, "empty_body", "the body has no event")
    if len(events.texts) > limits.events:
        raise RequestRefused(413, "too_many_events", f"a body may have {limits.events} events")
    return events


def _split(text: bytes, lines: bool) -> Events:
    if text.startswith(b"[") and not lines:
        return _elements(_one_line(text))
    if b"\n" not in text:
        return Events([text])
    if not lines and _is_one_value(text):
        return Events([_one_line(text)])
    return Events([line for line in (part.strip(_JSON_SPACE) for part in text.split(b"\n")) if line])


def _elements(array: bytes) -> Events:
    try:
        return Events(list(map(bytes, _array.decode(array))), array)
    except RecursionError:
        raise RequestRefused(400, "too_deep", "the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestRefused(400, "malformed_json", str(error)) from None


def _is_one_value(text: bytes) -> bool:
    try:
        _value.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _one_line(event: bytes) -> bytes:
    """JSON has line breaks between its tokens only, so each may become a space; records are cut at them."""
    if b"\n" in event or b"\r" in event:
        return event.translate(_SPACES)
    return event


_SPACES = bytes.maketrans(b"\r\n", b"  ")
