"""Requests of other SDKs on their way to the collector's own: what is asked of a protocol, and what is kept of a
refused event.

Such a client drops what is answered with a 4xx and may send again what is answered with a 207, so an event that breaks
the contract is answered as taken; it goes to the stream as it is, where cleaning sets it aside with its reason.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from event_assets.collector.access import Caller
from event_assets.collector.errors import RequestRefused
from event_assets.collector.protocols.protocol import Lines, Request, Route, Unreadable
from event_assets.collector.stamp import Stamp, instant_text
from event_assets.collector.validator import Sealed
from event_assets.contract.consent import DROPPED, may_refuse
from event_assets.contract.event import Platform

MOST_EVENTS = 10_000
"""Events of one request: as many as Snowplow's tracker for Python keeps, which it sends at once after an outage."""
_MOST_GROWTH = 2
"""How many times as many bytes as a body may have its events may have together: what is said once for all of them
stands in each."""
_KEPT_BYTES = 70_000
"""What is kept of a refused event: enough to be too large when it is cleaned, which is why it was refused."""

_encode = msgspec.json.encode


def request_of(caller: Caller, body: bytes, received_at: dt.datetime) -> Request:
    """What a protocol sees of a request."""
    base, path = f"{caller.scheme}://{caller.headers.get('host', '')}", caller.path.rstrip("/")
    return Request(caller.method, path, caller.query, caller.headers, body, base, instant_text(received_at))


def events_of(route: Route, request: Request, platform: Platform, most_bytes: int) -> Lines | Sequence[bytes]:
    """The events of a request, or its body as one that is refused. `most_bytes` is what a body may have.

    No more of them is made than a request may have, whatever it lists.
    """
    assert route.events is not None
    texts: list[bytes] = []
    size = 0
    try:
        made = route.events(request, platform)
        if isinstance(made, Lines):
            _limit(made.count, len(made.text), most_bytes)
            return made
        for text in made:
            size += len(text)
            _limit(len(texts) + 1, size, most_bytes)
            texts.append(text)
    except Unreadable:
        return [_one_line(request.body)]
    return texts


def _limit(events: int, size: int, most_bytes: int) -> None:
    if events > MOST_EVENTS:
        raise RequestRefused(413, "too_many_events", f"a body may have {MOST_EVENTS} events")
    if size > most_bytes * _MOST_GROWTH:
        detail = f"its events may have {most_bytes * _MOST_GROWTH} bytes, each with what is said for all"
        raise RequestRefused(413, "body_too_large", detail)


def set_aside(protocol: str, text: bytes, stamp: Stamp, sealed: Sealed | None = None) -> tuple[str, bytes]:
    """What is written in the place of a refused event: all of it, with its protocol and without an address, and by
    `sealed` with pseudonyms.

    Of somebody who may have refused analytics only that there was an event.
    """
    key = f"refused-{hashlib.sha256(text).hexdigest()[:2]}"
    if may_refuse(text):
        return key, DROPPED
    try:
        line = stamp.refused(text, protocol)
        return key, sealed(line, protocol) if sealed else line[:_KEPT_BYTES]
    except (ValueError, RecursionError):
        if sealed:
            return key, sealed(text, protocol)
        said: Any = text[:_KEPT_BYTES].decode("utf-8", "replace")
        return key, _encode([protocol, said])[:_KEPT_BYTES]


def _one_line(body: bytes) -> bytes:
    """A body that nobody can read, as a line."""
    return body.replace(b"\r", b" ").replace(b"\n", b" ") or b"{}"
