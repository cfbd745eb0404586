"""Requests that say their JSON in a form: `data=…`, in base64 or not, in the body or the query."""

from __future__ import annotations

import base64
import re
from functools import cache
from urllib.parse import unquote_to_bytes

from event_assets.collector.protocols.members import with_numbers
from event_assets.collector.protocols.protocol import Request, Unreadable

_JSON = (b"{", b"[")
_URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")


def said(request: Request, name: str) -> str:
    """A parameter of the query, or a field of the form; empty where there is none."""
    return request.parameter(name) or (_field(request.body, name) or b"").decode("utf-8", "replace")


def data_of(request: Request) -> bytes:
    """The JSON of a request: `data` of its form or query, else its body. Raises `Unreadable`."""
    data = _field(request.body, "data")
    if data is None:
        data = request.parameter("data").encode("utf-8", "replace")
        if not data:
            return with_numbers(request.body)
    if data.lstrip()[:1] in _JSON or not data:
        return with_numbers(data)
    try:
        return with_numbers(base64.b64decode(data.translate(_URL_SAFE) + b"=="))
    except ValueError:
        raise Unreadable("data is no base64") from None


def _field(body: bytes, name: str) -> bytes | None:
    """A field of a form; None where there is none, or the body is JSON."""
    if body.lstrip()[:1] in _JSON or (found := _pattern(name).search(body)) is None:
        return None
    return unquote_to_bytes(found[1].replace(b"+", b" "))


@cache
def _pattern(name: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?:\A|&)" + re.escape(name.encode()) + rb"=([^&]*)")
