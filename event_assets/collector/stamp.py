"""What the collector adds to an event and takes from it, on its bytes: an event is decoded, but never built anew.

Most events only get a few bytes spliced in before their last brace; one that carries what its source may not set, or
has to lose personal data, is rewritten field by field, each field's text as it came.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from event_assets.collector.glance import SureEvent
from event_assets.contract.consent import STRIPPED_FIELDS, placeholder_id
from event_assets.contract.event import Event

_fields = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.encode
_MAX_AGENT_CHARACTERS = 512


class Stamp:
    """What one request adds to its events: when they arrived and, unless the source is trusted, from where.

    A trusted source relays events of others: its own address and user agent say nothing about them.
    """

    def __init__(
        self,
        received_at: dt.datetime,
        address: str,
        user_agent: str | None,
        trusted: bool,
        keep_of_ip: Callable[[str], str | None],
    ) -> None:
        self.trusted = trusted
        self.received_at = received_at
        self._keep_of_ip = keep_of_ip
        self._received = _encode(instant_text(received_at))
        ip = None if trusted else keep_of_ip(address)
        self._ip = _encode(ip) if ip else None
        self._agent = _encode(user_agent[:_MAX_AGENT_CHARACTERS]) if user_agent and not trusted else None
        tail = b',"received_at":' + self._received + b"}"
        self._tail = tail if self._ip is None else b',"ip":' + self._ip + tail
        if self._agent is not None:
            self._agent_head = b'"device":{"user_agent":' + self._agent + b',"'
            self._agent_tail = b',"device":{"user_agent":' + self._agent + b"}" + self._tail

    def spliced(self, line: bytes, event: SureEvent) -> bytes | None:
        """The bytes as they are written, of an event that a glance is sure of; None where they must be `rewritten`."""
        device = event.device
        if self._agent is None or (device is not UNSET and device.user_agent):
            return line[:-1] + self._tail
        if device is UNSET:
            return line[:-1] + self._agent_tail
        head, found, rest = line.partition(b'"device":{"')
        if device.user_agent is not UNSET or not found or b'"device"' in rest:
            return None
        return head + self._agent_head + rest[:-1] + self._tail

    def rewritten(self, line: bytes, event: Event, *, strip: bool = False) -> bytes:
        """The bytes as they are written, of any event. `strip`: consent was refused, what identifies is taken out."""
        fields: dict[str, Any] = dict(_fields.decode(line))
        received_at, derived_at, _ = (fields.pop(name, None) for name in ("received_at", "derived_at", "ip"))
        ip = self._ip_of(event)
        if ip is not None:
            fields["ip"] = ip
        if self.trusted and event.derived_at:
            fields["derived_at"] = derived_at
        if strip:
            fields = stripped(fields, event)
        else:
            self._add_agent(fields, event)
        own_time = self.trusted and event.received_at
        fields["received_at"] = received_at if own_time else Raw(self._received)
        return _encode(fields)

    def _ip_of(self, event: Event) -> Raw | None:
        if not self.trusted:
            return Raw(self._ip) if self._ip else None
        kept = self._keep_of_ip(event.ip) if event.ip else None
        return Raw(_encode(kept)) if kept else None

    def _add_agent(self, fields: dict[str, Any], event: Event) -> None:
        if self._agent is None or (event.device and event.device.user_agent):
            return
        device: dict[str, Any] = dict(_fields.decode(fields["device"])) if event.device else {}
        fields["device"] = {**device, "user_agent": Raw(self._agent)}


def stripped(fields: dict[str, Any], event: Event) -> dict[str, Any]:
    """The event without what identifies a person. Its anonymous id stays, or a placeholder where it had none."""
    kept = {name: value for name, value in fields.items() if name not in STRIPPED_FIELDS}
    if event.device and event.device.user_agent:
        device = _fields.decode(fields["device"])
        kept["device"] = {name: value for name, value in device.items() if name != "user_agent"}
    if not event.anonymous_id:
        kept["anonymous_id"] = placeholder_id(event)
    return kept


def instant_text(instant: dt.datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
