"""Lines of what other SDKs send, as events of the contract: through the collector's own translators.

What is written of them, and how far a file was read, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw

from event_assets.collector.protocols import amplitude, ga4, mixpanel, posthog, segment, snowplow
from event_assets.collector.protocols.members import instant_of, with_numbers
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.contract.event import Platform

Format = Literal["segment", "rudderstack", "snowplow", "posthog", "amplitude", "mixpanel", "ga4"]

_encode = msgspec.json.encode


class _Line(msgspec.Struct):
    """What a line says of when it was received, and which kind of line it is."""

    received_at: Any = msgspec.field(name="receivedAt", default=None)
    server_received_time: Any = None
    server_upload_time: Any = None
    event: Raw = Raw()
    events: Raw = Raw()
    data: Raw = Raw()

    @property
    def receipt(self) -> str | None:
        said = self.received_at or self.server_received_time or self.server_upload_time
        return instant_of(said) if isinstance(said, str) and said else None


class _Times(msgspec.Struct):
    occurred_at: str | None = None
    sent_at: str | None = None
    derived_at: str | None = None


_line = msgspec.json.Decoder(_Line)
_times = msgspec.json.Decoder(_Times)


def _amplitude(request: Request, platform: Platform, line: _Line) -> Iterable[bytes]:
    is_request = bool(line.events or line.event)
    return amplitude.events(request if is_request else _one_of(request, b"events"), platform)


def _mixpanel(request: Request, platform: Platform, line: _Line) -> Iterable[bytes]:
    return (mixpanel.events if line.event else mixpanel.profiles)(request, platform)


def _snowplow(request: Request, platform: Platform, line: _Line) -> Iterable[bytes]:
    return snowplow.events(request if line.data else _one_of(request, b"data"), platform)


def _one_of(request: Request, member: bytes) -> Request:
    """A request that lists this one's body alone."""
    return request._replace(body=b'{"%b":[%b]}' % (member, request.body))


_FORMATS: Mapping[Format, Callable[[Request, Platform, _Line], Iterable[bytes]]] = {
    "segment": lambda request, platform, line: segment.events(request, platform),
    "rudderstack": lambda request, platform, line: segment.events(request, platform),
    "snowplow": _snowplow,
    "posthog": lambda request, platform, line: posthog.events(request, platform),
    "amplitude": _amplitude,
    "mixpanel": _mixpanel,
    "ga4": lambda request, platform, line: ga4.events(request, platform),
}


def protocol_of(format_: Format) -> str:
    """The protocol that a file's events are of, by the name that the collector has for it."""
    return "segment" if format_ == "rudderstack" else format_


class Translator:
    """Makes events of the lines of a file: requests of a protocol, or single events of it, one a line.

    `source` is what the file is called: where an event has no id, it gets a hash of that, the line's number and what it
    says, so that importing the file again changes nothing. An event counts when it happened by its own clock, set right
    by when it was sent and received where the line says both. `platform` is that of events that do not say theirs.
    """

    def __init__(self, format_: Format, source: str, platform: Platform = "web") -> None:
        self.protocol = protocol_of(format_)
        self._translate = _FORMATS[format_]
        self._source = source
        self._platform = platform
        self.digest = f"{format_}-{platform}"

    def events(self, number: int, text: bytes) -> Iterator[bytes]:
        """The events of a line; the line itself where nobody can read it, so that it is set aside."""
        said = with_numbers(text)
        request = Request("POST", "", body=said, place=f"{self._source}\0{number}")
        try:
            line = _line.decode(said)
            for event in self._translate(request, self._platform, line):
                yield _timed(event, line.receipt)
        except (Unreadable, ValueError, RecursionError):
            yield text


def _timed(event: bytes, received_at: str | None) -> bytes:
    """The event with when it was received, and when it happened where that does not follow from the receipt."""
    try:
        times = _times.decode(event)
    except (ValueError, RecursionError):
        return event
    more = b"" if received_at is None else b',"received_at":' + _encode(received_at)
    if times.derived_at is None and times.occurred_at is not None and (times.sent_at is None or received_at is None):
        more += b',"derived_at":' + _encode(times.occurred_at)
    return event[:-1] + more + b"}" if more else event
