"""A request's body: read and cut into single events, within limits that hold while it is read.

What the events say is not looked at here; its content encoding is `compression`'s.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.types import Receive

from event_assets.collector.errors import RequestRefused
from event_assets.collector.limits import MIB, CollectorLimits
from event_assets.contract.records import BYTE_ORDER_MARK

_JSON_SPACE = b" \t\r\n"
_NO_NUMBER = re.compile(rb"(?<=[\[:,\s])-?(?:NaN|Infinity)(?=[\],}\s])")

_LINES_OF_AN_EVENT = 10
"""Lines that a body of NDJSON may have for each event, empty ones among them."""
_FEW_BYTES = 65_536
"""An array of so many bytes cannot have elements enough to be a burden before they are counted."""
_MOST_AT_ONCE = MIB
"""An array of so many bytes cannot hold events enough to be a burden before they are counted."""
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


def array_of(text: bytes) -> bytes | None:
    """The body's array on one line, where it seems to be one and is not too large to be looked at as a whole."""
    text = _trimmed(text)
    return _one_line(text) if text.startswith(b"[") and len(text) <= _MOST_AT_ONCE else None


def split(text: bytes, limits: CollectorLimits, *, lines: bool = False) -> list[bytes]:
    """The events of a body, each as its own JSON text on one line: an array, one object, or one object a line.

    `lines` says that the body is NDJSON whatever it looks like. A line or an element that is no event is kept, for
    its own verdict; only a body that cannot be cut at all is refused.
    """
    text = _trimmed(text)
    events = _split(text, limits.events, lines) if text else []
    if not events:
        raise RequestRefused(400, "empty_body", "the body has no event")
    if len(events) > limits.events:
        raise _too_many(limits.events)
    return events


def _trimmed(text: bytes) -> bytes:
    return text.removeprefix(BYTE_ORDER_MARK).strip(_JSON_SPACE)


def _split(text: bytes, most: int, lines: bool) -> list[bytes]:
    if text.startswith(b"[") and not lines:
        return _elements(_one_line(text), most)
    if b"\n" not in text:
        return [text]
    if not lines and _is_one_value(text):
        return [_one_line(text)]
    if text.count(b"\n") >= most * _LINES_OF_AN_EVENT:
        raise _too_many(most)
    return [line for line in (part.strip(_JSON_SPACE) for part in text.split(b"\n")) if line]


def _elements(array: bytes, most: int, numbers: bool = True) -> list[bytes]:
    try:
        if len(array) <= _FEW_BYTES:
            return list(map(bytes, _array.decode(array)))
        elements = _decoder_of_arrays(most).decode(array)
    except RecursionError:
        raise RequestRefused(400, "too_deep", "the body is nested too deeply") from None
    except msgspec.ValidationError:  # an array is all it asks for, and JSON that begins with a bracket is one
        raise _too_many(most) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if numbers and _NO_NUMBER.search(array):
            return _elements_with_no_numbers(array, most)
        raise RequestRefused(400, "malformed_json", str(error)) from None
    return [bytes(element) for element in msgspec.structs.astuple(elements) if element is not UNSET]


def _elements_with_no_numbers(array: bytes, most: int) -> list[bytes]:
    """The elements of an array of which some hold `NaN` or `Infinity`, which JSON has not: those alone are refused.

    Where each begins and ends is seen in a copy with numbers of the same length.
    """
    mended = _NO_NUMBER.sub(lambda found: b"1" * len(found[0]), array)
    texts, end = [], 1
    for element in _elements(mended, most, numbers=False):
        start = mended.index(element, end)
        end = start + len(element)
        texts.append(array[start:end])
    return texts


@cache
def _decoder_of_arrays(most: int) -> msgspec.json.Decoder[Any]:
    """A decoder that ends at the first element too many; one of a list would hold millions before they are counted."""
    elements: Any = [(f"element_{place}", msgspec.Raw | UnsetType, UNSET) for place in range(most)]
    return msgspec.json.Decoder(
        msgspec.defstruct("Elements", elements, array_like=True, forbid_unknown_fields=True, gc=False)
    )


def _too_many(most: int) -> RequestRefused:
    return RequestRefused(413, "too_many_events", f"a body may have {most} events")


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
