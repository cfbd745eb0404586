"""A glance at an event: sees cheaply that most keep the contract. About the others the decoder decides.

It must never let pass what the decoder refuses; a property test holds the two together.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from event_assets.contract.decoder import Limits
from event_assets.contract.event import Consent, Device, Event
from event_assets.contract.plan import TrackingPlan

_LEAST_BYTES_OF_A_KEY = len(b'"":0,')


class SureDevice(Protocol):
    """The device of a sure event; its `user_agent` is UNSET where the text does not name it."""

    user_agent: str | UnsetType


class SureEvent(Protocol):
    """An event that keeps the contract and names nothing that is the collector's to set, save its device."""

    event_id: str
    anonymous_id: str | None
    user_id: str | None
    consent: Consent | None
    device: SureDevice | UnsetType


class Glance:
    """Knows an event that surely keeps the contract when it sees one."""

    def __init__(self, plan: TrackingPlan, limits: Limits) -> None:
        self._decode = msgspec.json.Decoder(_sure_event()).decode
        self._small = min(limits.event_bytes, limits.string_bytes, limits.keys * _LEAST_BYTES_OF_A_KEY)
        self._depth = limits.depth
        self._planned = frozenset(plan.events)
        self._taken = frozenset(name for name, event in plan.events.items() if event.mode != "reject")
        self._takes_unknown = plan.settings.unknown_events != "reject"

    def event_of(self, line: bytes) -> SureEvent | None:
        """The event, where it is sure; None: ask the decoder."""
        if len(line) > self._small or (b"\\" in line and b"\\u0000" in line):
            return None
        try:
            if not line.isascii():
                line.decode()
            event = self._decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        name, occurred, sent = event.event, event.occurred_at, event.sent_at
        if not (
            (name in self._taken or (self._takes_unknown and name not in self._planned and name.isprintable()))
            and (event.anonymous_id or event.user_id)
            and (occurred is None or 1 < occurred.year < 9999)  # the first and the last day may have no date in UTC
            and (sent is None or 1 < sent.year < 9999)
            and (event.properties is UNSET or self._is_shallow(event.properties))
            and (event.traits is UNSET or self._is_shallow(event.traits))
        ):
            return None
        sure: SureEvent = event
        return sure

    def _is_shallow(self, raw: Raw) -> bool:
        """Whether the text is an object that cannot be too deep: it has too few brackets for it."""
        text = bytes(raw)
        return text[0] == 0x7B and text.count(b"{") + text.count(b"[") < self._depth


def _sure_event() -> Any:
    """The event's model, narrowed: it does not know what is the collector's to set, and takes no null for a device."""
    device = _narrowed(Device, {"user_agent": str})
    changed = {"device": device, "properties": Raw, "traits": Raw}
    return _narrowed(Event, changed, without=("received_at", "derived_at", "ip"))


def _narrowed(model: type[Struct], changed: dict[str, Any], without: tuple[str, ...] = ()) -> Any:
    fields: list[Any] = []
    for field in msgspec.structs.fields(model):
        if field.name in changed:
            fields.append((field.name, changed[field.name] | UnsetType, UNSET))
        elif field.name not in without:
            fields.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return msgspec.defstruct(model.__name__, fields, gc=False, forbid_unknown_fields=True)
