"""The fast path of validation: sees cheaply that most keep the contract. About the others the decoder decides.

It must never let pass what the decoder refuses; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from event_assets.contract.decoder import Limits
from event_assets.contract.event import Consent, Device, Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan

_LEAST_BYTES_OF_A_KEY = len(b'"":0,')
_Decoder = msgspec.json.Decoder[Any]


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


class FastPath:
    """Knows an event that surely keeps the contract when it sees one."""

    def __init__(self, plan: TrackingPlan, limits: Limits, placeholders: Placeholders = Placeholders()) -> None:
        self._event, self._array = _decoders()
        sizes = (limits.event_bytes, limits.properties_bytes, limits.string_bytes)
        self._small = min(*sizes, limits.keys * _LEAST_BYTES_OF_A_KEY)
        self._depth = limits.depth
        self._none, self._other_heads = placeholders, placeholders.other_heads
        self._planned = frozenset(plan.events)
        self._taken = frozenset(name for name, event in plan.events.items() if event.mode != "reject")
        self._takes_unknown = plan.settings.unknown_events != "reject"

    def event_of(self, line: bytes) -> SureEvent | None:
        """The event, where it is sure; None: ask the decoder."""
        event = _decoded(self._event, line)
        return None if event is None else self._sure([event], [line])[0]

    def events_of(self, lines: Sequence[bytes], array: bytes | None) -> Sequence[SureEvent | None]:
        """`event_of` each line. Where the lines are the elements of a JSON array, one look at its text is enough."""
        events = None if array is None else _decoded(self._array, array)
        return [self.event_of(line) for line in lines] if events is None else self._sure(events, lines)

    def _sure(self, events: Sequence[Any], lines: Sequence[bytes]) -> list[SureEvent | None]:
        """The events of the lines, None where one is not sure."""
        small, taken, takes, is_shallow = self._small, self._taken, self._takes_unplanned, self._is_shallow
        none, other_heads = self._none, self._other_heads
        return [
            event
            if len(line) <= small
            and ((name := event.event) in taken or takes(name))
            and (event.anonymous_id or event.user_id)
            and ((text := event.anonymous_id) is None or text[:2] in other_heads or text not in none)
            and ((text := event.user_id) is None or text[:2] in other_heads or text not in none)
            and ((text := event.session_id) is None or text[:2] in other_heads or text not in none)
            and ((text := event.page_view_id) is None or text[:2] in other_heads or text not in none)
            # The first and the last day may have no date in UTC.
            and ((at := event.occurred_at) is None or 1 < at.year < 9999)
            and ((at := event.sent_at) is None or 1 < at.year < 9999)
            and ((raw := event.properties) is UNSET or is_shallow(raw))
            and ((raw := event.traits) is UNSET or is_shallow(raw))
            and ((raw := event.context) is UNSET or is_shallow(raw))
            else None
            for event, line in zip(events, lines, strict=True)
        ]

    def _takes_unplanned(self, name: str) -> bool:
        return self._takes_unknown and name not in self._planned and name.isprintable()

    def _is_shallow(self, raw: Raw) -> bool:
        """Whether the text is an object that cannot be too deep: it has too few brackets for it."""
        text = bytes(raw)
        return text[0] == 0x7B and (len(text) < self._depth or text.count(b"{") + text.count(b"[") < self._depth)


def _decoded(decoder: _Decoder, text: bytes) -> Any:
    """What the text says; None where it is not the decoder's, or says what the decoder of events has to mend."""
    if b"\\" in text and b"\\u0000" in text:
        return None
    try:
        if not text.isascii():
            text.decode()
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _decoders() -> tuple[_Decoder, _Decoder]:
    """One for an event, one for an array of events."""
    event: Any = _sure_event()
    return msgspec.json.Decoder(event), msgspec.json.Decoder(list[event])


def _sure_event() -> Any:
    """The event's model, narrowed: it does not know what is the collector's to set, and takes no null for a device."""
    device = _narrowed(Device, {"user_agent": str})
    changed = {"device": device, "properties": Raw, "traits": Raw, "context": Raw}
    return _narrowed(Event, changed, without=("received_at", "derived_at", "ip"))


def _narrowed(model: type[Struct], changed: dict[str, Any], without: tuple[str, ...] = ()) -> Any:
    fields: list[Any] = []
    for field in msgspec.structs.fields(model):
        if field.name in changed:
            fields.append((field.name, changed[field.name] | UnsetType, UNSET))
        elif field.name not in without:
            fields.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return msgspec.defstruct(model.__name__, fields, gc=False, forbid_unknown_fields=True)
