"""What the collector adds to an event and takes from it, on its bytes: an event is decoded, but never built anew.

Most events only get the same few bytes in the place of their last brace; one that carries what its source may not set
is rewritten field by field, each field's text as it came. Only what stays of an event of somebody who refused is made
new.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from event_assets.collector.fast_path import SureEvent
from event_assets.collector.keys import Trust
from event_assets.contract.consent import opted_out, stripped, tells_advertisers, without_device_ids
from event_assets.contract.event import Event
from event_assets.contract.times import derived_at
from event_assets.enrichment.location import country_alone

_fields = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.encode
_MAX_AGENT_CHARACTERS = 512


class Stamp:
    """What one request adds to its events: when they arrived and, unless its source is believed, from where.

    A source of which something is `believed` relays events of others. Its own address and user agent say nothing about
    them where it may say theirs; what it may not say is its own, as of any source.
    """

    def __init__(
        self,
        received_at: dt.datetime,
        address: str,
        user_agent: str | None,
        believed: Collection[Trust],
        keep_of_ip: Callable[[str], str | None],
        opts_out: bool = False,
    ) -> None:
        self.dates = "time" in believed
        """Whether its events may say when they were received and happened."""
        self.opts_out = opts_out and not believed
        """The browser says that its person is not to be sold or shared: each event is rewritten."""
        self.received_at = received_at
        self._address = address
        self._keep_of_ip = keep_of_ip
        self._received = _encode(instant_text(received_at))
        self._has_addresses = "ip" in believed
        names_agents = "user_agent" in believed
        self._is_only_agent = bool(believed) and not names_agents
        ip = None if self._has_addresses else keep_of_ip(address)
        self._ip = _encode(ip) if ip else None
        self._agent = _encode(user_agent[:_MAX_AGENT_CHARACTERS]) if user_agent and not names_agents else None
        tail = b',"received_at":' + self._received + b"}"
        self.tail = tail if self._ip is None else b',"ip":' + self._ip + tail
        """What every event gets in the place of its last brace."""
        if self._agent is not None:
            self._device = b',"device":{"user_agent":' + self._agent + b"}"
            self._device_head = b'"device":{"user_agent":' + self._agent + b',"'

    def needs_agent(self, events: Sequence[SureEvent]) -> list[int]:
        """Which of the events get a user agent too."""
        if self._is_only_agent:
            return [row for row, event in enumerate(events) if self._agent is not None or event.device is not UNSET]
        if self._agent is None:
            return []
        return [row for row, event in enumerate(events) if (device := event.device) is UNSET or not device.user_agent]

    def with_agent(self, piece: bytes, event: SureEvent) -> bytes | None:
        """The event's text without its last brace and with the user agent; None where it must be `rewritten`."""
        device = event.device
        if device is UNSET:
            return piece + self._device
        if self._is_only_agent:
            return None
        head, found, rest = piece.partition(b'"device":{"')
        if device.user_agent is not UNSET or not found or b'"device"' in rest:
            return None
        return head + self._device_head + rest

    def rewritten(self, line: bytes, event: Event) -> bytes:
        """The bytes as they are written, of any event."""
        fields: dict[str, Any] = dict(_fields.decode(line))
        own_receipt, own_time, _ = (fields.pop(name, None) for name in ("received_at", "derived_at", "ip"))
        ip = self._ip_of(event)
        if ip is not None:
            fields["ip"] = ip
        if self.dates and event.derived_at:
            fields["derived_at"] = own_time
        if self.opts_out:
            fields = opted_out(fields)
        elif tells_advertisers(event):
            fields = without_device_ids(fields)
        self._add_agent(fields, event)
        fields["received_at"] = own_receipt if self.dates and event.received_at else Raw(self._received)
        return _encode(fields)

    def refused(self, line: bytes, protocol: str) -> bytes:
        """The bytes as they are written, of a JSON object that breaks the contract: without times that its source may
        not set and without an address, whatever it says. Raises `ValueError` where it is no object."""
        fields: dict[str, Any] = {"protocol": protocol, **_fields.decode(line)}
        for name in ("ip",) if self.dates else ("ip", "received_at", "derived_at"):
            fields.pop(name, None)
        if self._is_only_agent:
            fields = _without_agent(fields)
        fields = opted_out(fields) if self.opts_out else without_device_ids(fields)
        return _encode({**fields, "received_at": Raw(self._received)})

    def stripped(self, event: Event) -> Event:
        """What stays of an event whose person refused analytics."""
        received = (event.received_at if self.dates else None) or self.received_at
        given = event.derived_at if self.dates else None
        derived = derived_at(event.occurred_at, event.sent_at, received, given)
        return stripped(
            event, received, derived, country_alone(event.ip if self._has_addresses else self._address)
        ).event

    def _ip_of(self, event: Event) -> Raw | None:
        if not self._has_addresses:
            return Raw(self._ip) if self._ip else None
        kept = self._keep_of_ip(event.ip) if event.ip else None
        return Raw(_encode(kept)) if kept else None

    def _add_agent(self, fields: dict[str, Any], event: Event) -> None:
        said = event.device.user_agent if event.device else None
        if (said and not self._is_only_agent) or (not said and self._agent is None):
            return
        device = fields["device"] if event.device else {}
        device = dict(device if isinstance(device, dict) else _fields.decode(device))
        device.pop("user_agent", None)
        if self._agent is not None:
            device["user_agent"] = Raw(self._agent)
        fields["device"] = device


def _without_agent(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of what may be no event, without the user agent that its device says."""
    if "device" not in fields:
        return fields
    try:
        device = _fields.decode(fields["device"])
    except ValueError:
        return fields
    return {**fields, "device": {name: value for name, value in device.items() if name != "user_agent"}}


def instant_text(instant: dt.datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
