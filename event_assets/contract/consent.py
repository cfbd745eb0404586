"""What refused consent means for an event. The collector enforces it before the first write, and cleaning once more.

Pure: nothing is read, written or logged.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Raw

from event_assets.contract.event import Event

Refusal = Literal["drop", "strip"]
"""What becomes of events of people who refused analytics."""

RECORD_OF_REFUSAL = "consent_changed"
"""The event that says what somebody agreed to: never dropped, for it is the record of the refusal itself."""
STRIPPED_FIELDS = frozenset({"user_id", "ip", "traits"})
"""Fields that an event loses when analytics was refused, beside its device's `user_agent`."""


def is_refused(event: Event) -> bool:
    """Whether the person refused analytics."""
    return event.consent is not None and event.consent.analytics is False


def is_dropped(event: Event, refusal: Refusal) -> bool:
    """Whether the event is kept out altogether."""
    return refusal == "drop" and event.event != RECORD_OF_REFUSAL and is_refused(event)


def placeholder_id(event: Event) -> str:
    """The anonymous id of a stripped event that had none: of this event alone."""
    return f"stripped-{event.event_id}"[:128]


def stripped(event: Event) -> Event:
    """The event without what identifies a person. Its anonymous id stays, or a placeholder where it had none."""
    device = None if event.device is None else msgspec.structs.replace(event.device, user_agent=None)
    return msgspec.structs.replace(
        event,
        user_id=None,
        ip=None,
        traits=Raw(),
        device=device,
        anonymous_id=event.anonymous_id or placeholder_id(event),
    )
