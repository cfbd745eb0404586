"""From what an application says to the text of one event of the contract. Nothing is stored or sent here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict

from event_assets_sdk.clock import instant_text, rfc3339

MAX_EVENT_BYTES = 63_800
"""A little under what the collector takes, since `sequence` and `sent_at` are added when the event is sent."""
_ID_CHARACTERS = 128
_IDS = ("event_id", "anonymous_id", "user_id", "session_id", "page_view_id", "group_id", "install_id")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SET_WHEN_SENT = ("sequence", "sent_at")


class InvalidEvent(ValueError):
    """The event breaks the contract, so the collector would refuse it. The message says which rule."""


class Details(TypedDict, total=False):
    """What any call may say of its event, beside its name, its properties, the user and the group.

    `context` holds every other field of the contract: `page`, `screen`, `device`, `app`, `ip`, …
    """

    anonymous_id: str | None
    session_id: str | None
    page_view_id: str | None
    event_id: str | None
    schema_version: int | None
    occurred_at: dt.datetime | None
    consent: Mapping[str, bool | str | None] | None
    campaign: Mapping[str, str | None] | None
    traits_once: Mapping[str, Any] | None
    context: Mapping[str, Any] | None


class DetailsOfUser(Details, total=False):
    """The same, and the group."""

    group_id: str | None


class DetailsOfGroup(Details, total=False):
    """The same, and the user."""

    user_id: str | None


class EventFields(DetailsOfUser, DetailsOfGroup, total=False):
    """The same, and the user and the group."""


class NewEvent(NamedTuple):
    """One event on its way into the queue. `tracked_at`: epoch seconds; `steady`: the same, on the steady clock."""

    event_id: str
    anonymous_id: str | None
    text: bytes
    tracked_at: float
    steady: float
    process: str


class QueuedEvent(NamedTuple):
    """One event of the queue. Positions grow in the order in which events were tracked.

    `anonymous_id`: whom the file is yet to number it for."""

    position: int
    event_id: str
    sequence: int | None
    text: bytes
    tracked_at: float
    steady: float
    process: str
    anonymous_id: str | None = None


def event_of(
    name: str, properties: Mapping[str, Any] | None, fields: EventFields, event_id: str, now: float
) -> dict[str, Any]:
    """The event as an object, without what is not said."""
    said = dict(fields)
    context = said.pop("context", None) or {}
    occurred_at = said.pop("occurred_at", None)
    event = {
        "event_id": event_id,
        "event": name,
        **dict(context),  # type: ignore[call-overload]
        **{field: value for field, value in said.items() if value is not None},
        "occurred_at": instant_text(occurred_at) if isinstance(occurred_at, dt.datetime) else rfc3339(now),
    }
    if properties:
        event["properties"] = dict(properties)
    return event


def text_of(event: Mapping[str, Any]) -> bytes:
    """The event as JSON on one line, without `sequence` and `sent_at`. Raises `InvalidEvent`."""
    _check(event)
    said = {name: value for name, value in event.items() if name not in _SET_WHEN_SENT}
    try:
        text = _dumped(said)
    except (TypeError, ValueError):
        try:
            text = _dumped(_tidied(said))
        except RecursionError:
            raise InvalidEvent("the event contains itself, or is nested too deeply") from None
    except RecursionError:
        raise InvalidEvent("the event is nested too deeply") from None
    if len(text) > MAX_EVENT_BYTES:
        raise InvalidEvent(f"the event has {len(text)} bytes; {MAX_EVENT_BYTES} are allowed")
    return text


def line_of(queued: QueuedEvent, process: str, now: float, steady_now: float) -> bytes:
    """The event as it is sent: numbered, and with the time of sending.

    Within the process that tracked it, that time is reckoned from when it was tracked: the collector computes how old
    the event is from the two, and the clock may have been set in between.
    """
    elapsed = steady_now - queued.steady
    sent_at = queued.tracked_at + elapsed if queued.process == process and elapsed >= 0 else now
    number = b"" if queued.sequence is None else b',"sequence":%d' % queued.sequence
    return b'%s%s,"sent_at":"%s"}' % (queued.text[:-1], number, rfc3339(sent_at).encode())


def _check(event: Mapping[str, Any]) -> None:
    name = event.get("event")
    if not isinstance(name, str) or not 0 < len(name) <= _ID_CHARACTERS or _CONTROL.search(name):
        raise InvalidEvent("an event's name must have 1 to 128 characters, and no control characters")
    for field in _IDS:
        value = event.get(field)
        if value is not None and (not isinstance(value, str) or len(value) > _ID_CHARACTERS):
            raise InvalidEvent(f"{field} must be a text of at most 128 characters")
    if not event.get("event_id"):
        raise InvalidEvent("event_id is missing")
    if not event.get("anonymous_id") and not event.get("user_id"):
        raise InvalidEvent("anonymous_id or user_id is required: say whom the event is about")


def _dumped(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """What JSON has for a value that it does not know."""
    if isinstance(value, dt.datetime):
        return instant_text(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return value.item()
    return str(value)


def _tidied(value: Any) -> Any:
    """The value with null for numbers that JSON has not, and texts for keys that are none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _tidied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_tidied(part) for part in value]
    return _tidied(_plain(value))
