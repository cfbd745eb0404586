"""What refused consent means for an event. The collector enforces it before the first write, and cleaning once more.

Pure: nothing is read, written or logged.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from event_assets.contract.event import Consent, Event, Page

Refusal = Literal["drop", "strip"]
"""What becomes of events of people who refused analytics."""

RECORD_OF_REFUSAL = "consent_changed"
"""The event that says what somebody agreed to: kept with its ids and its time, for without them nobody could honour
what it says."""
DROPPED = b'{"dropped":"consent_refused"}'
"""What is written in the place of a dropped event, so that it is counted."""

PURPOSES = ("analytics", "marketing", "personalisation", "sell_or_share")
"""What a person is asked for, each by itself."""
TO_OTHERS = ("marketing", "sell_or_share")
"""The purposes of which one that is refused keeps a person from others: no export names them, no other system is told
of them, and nothing is kept by which advertisers know their device."""
ADVERTISERS_ONLY = ("id", "advertising_id")
"""Fields of a device by which advertisers know it: left out where one of `TO_OTHERS` was refused."""

_STRIPPED = "stripped-"
_STRIPPED_ID = re.compile(f"{_STRIPPED}[0-9a-f]{{32}}")
_COUNTRY = re.compile("[A-Z]{2}")
_REFUSES = re.compile(rb'"consent"\s*:\s*(?!null|\{)|"consent"\s*:\s*\{[^{}]*"analytics"\s*:\s*(?!true|null)')


def is_refused(event: Event) -> bool:
    """Whether the person refused analytics."""
    return event.consent is not None and event.consent.analytics is False


def keeps_from_others(consent: Mapping[str, Any]) -> bool:
    """Whether one of `TO_OTHERS` was refused."""
    return any(consent.get(name) is False for name in TO_OTHERS)


def tells_advertisers(event: Any) -> bool:
    """Whether an event of somebody who is kept from others says by what advertisers would know the device."""
    consent, device = event.consent, event.device
    if not device or not (device.id or device.advertising_id):
        return False
    return bool(consent and any(getattr(consent, name) is False for name in TO_OTHERS))


def without_device_ids(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event, as their JSON texts, without what `ADVERTISERS_ONLY` has of the device, if one of
    `TO_OTHERS` was refused."""
    try:
        consent = _object.decode(fields.get("consent", b""))
    except (ValueError, RecursionError):
        return dict(fields)
    if all(bytes(consent.get(name, b"")) != b"false" for name in TO_OTHERS):
        return dict(fields)
    return _without_ids(fields)


def _without_ids(fields: Mapping[str, Any]) -> dict[str, Any]:
    try:
        device = _object.decode(fields.get("device", b""))
    except (ValueError, RecursionError):
        return dict(fields)
    return {**fields, "device": {name: value for name, value in device.items() if name not in ADVERTISERS_ONLY}}


def opts_out(headers: Mapping[str, str]) -> bool:
    """Whether a browser says, by the headers of a request in lower case, that its person is not to be sold or shared
    (Global Privacy Control)."""
    return headers.get("sec-gpc", "").strip() == "1"


def opted_out(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event, as their JSON texts, of somebody whose browser refuses for them that they are sold or
    shared (Global Privacy Control): `sell_or_share` is, and what `ADVERTISERS_ONLY` has of the device left out, unless
    the event says that they agreed to it."""
    said = bytes(fields.get("consent", _NULL))
    try:
        consent = {} if said == _NULL else _object.decode(said)
    except (ValueError, RecursionError):
        return _without_ids(fields)
    if bytes(consent.get("sell_or_share", _NULL)) == b"true":
        return without_device_ids(fields)
    answered = {**consent, "sell_or_share": False, "gpc": True}
    return _without_ids({**fields, "consent": Raw(msgspec.json.encode(answered))})


def is_dropped(event: Event, refusal: Refusal) -> bool:
    """Whether the event is kept out altogether."""
    return refusal == "drop" and event.event != RECORD_OF_REFUSAL and is_refused(event)


def may_refuse(line: bytes) -> bool:
    """Whether a text that breaks the contract may be an event of somebody who refused analytics.

    What is said of consent and is neither true nor null is a refusal, however it is written.
    """
    try:
        consent = _consent.decode(line).consent
    except (ValueError, RecursionError):
        return _REFUSES.search(line) is not None
    analytics = consent.get("analytics") if isinstance(consent, dict) else consent
    return analytics is not None and analytics is not True


class Stripped(NamedTuple):
    """What stays of an event, and when it was received and happened."""

    event: Event
    received_at: dt.datetime
    derived_at: dt.datetime


def stripped(event: Event, received_at: dt.datetime, derived_at: dt.datetime, country: str | None) -> Stripped:
    """What stays of an event whose person refused analytics.

    Its name, when it was received and happened (to the minute), platform, app, page without query, country in the
    place of the address, and what was agreed to. Its id is a hash: the same for the same event sent again, and no
    other event has it. A `consent_changed` keeps event, anonymous and user id, the exact times, and where and by which
    text was asked.
    """
    is_record = event.event == RECORD_OF_REFUSAL
    received, derived = received_at.astimezone(dt.UTC), derived_at.astimezone(dt.UTC)
    if not is_record:
        received, derived = (at.replace(second=0, microsecond=0) for at in (received, derived))
    path = path_alone(event.page.url) if event.page is not None and event.page.url else None
    kept = Event(
        event_id=event.event_id if is_record else stripped_id(event),
        event=event.event,
        platform=event.platform,
        anonymous_id=event.anonymous_id if is_record else None,
        user_id=event.user_id if is_record else None,
        received_at=received,
        derived_at=derived,
        app=event.app,
        page=Page(url=path) if path else None,
        ip=country if country is not None and _COUNTRY.fullmatch(country) else None,
        consent=with_asked(event.consent, bytes(event.properties)) if is_record else _answers_alone(event.consent),
    )
    return Stripped(kept, received, derived)


def with_asked(consent: Consent | None, properties: bytes) -> Consent | None:
    """The consent of a `consent_changed` with where and by which text they were asked, as its properties say (`source`,
    `policy_version`) where it does not itself."""
    said = asked_of(properties)
    if consent is None or not any(said):
        return consent
    source, text = said
    return msgspec.structs.replace(consent, source=consent.source or source, text_version=consent.text_version or text)


def asked_of(properties: bytes) -> tuple[str | None, str | None]:
    """What the properties of a `consent_changed` say of where, and by which version of the text, somebody was asked.

    >>> asked_of(b'{"source": "banner", "policy_version": 7}')
    ('banner', None)
    """
    try:
        said = _object.decode(properties)
    except (ValueError, RecursionError):
        return None, None
    source, text = (_text(said.get(name)) for name in ("source", "policy_version"))
    return source, text


def _text(value: Raw | None) -> str | None:
    try:
        return None if value is None else _string.decode(value)[:_LONGEST] or None
    except (ValueError, RecursionError):
        return None


def _answers_alone(consent: Consent | None) -> Consent | None:
    return consent and msgspec.structs.replace(consent, source=None, text_version=None)


def is_stripped(event_id: str | None) -> bool:
    """Whether the id is one that stripped events get."""
    return event_id is not None and _STRIPPED_ID.fullmatch(event_id) is not None


def stripped_id(event: Event) -> str:
    """The id of a stripped event: a hash of its own and of whose it was, which only who knows all of them can repeat.

    An event that was stripped before keeps the one that it has.
    """
    if event.event_id == event.anonymous_id and is_stripped(event.event_id):
        return event.event_id
    return id_instead(event.event_id, event.anonymous_id, event.user_id)


def id_instead(event_id: str, anonymous_id: str | None, user_id: str | None) -> str:
    """The id that an event with these ids gets when it is stripped for the first time."""
    said = "\0".join((event_id, anonymous_id or "", user_id or ""))
    return _STRIPPED + hashlib.sha256(said.encode()).hexdigest()[:32]


def written(event: Event) -> dict[str, Any]:
    """A stripped event as it is written: what is not there is left out, and the id stands for whose it was too."""
    said = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    fields = {name: value for name, value in said.items() if not isinstance(value, Raw)}
    return fields if event.anonymous_id or event.user_id else {**fields, "anonymous_id": event.event_id}


def path_alone(url: str) -> str | None:
    """A page's address without what may identify: no query, no fragment, no parameters, no user; an address in the path
    becomes `*`. None for what is no page of the web.

    >>> path_alone("https://jane:secret@shop.example/orders;sid=7/jane@mail.example?email=x#top")
    'https://shop.example/orders/*'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    segments = (segment.partition(";")[0] for segment in parts.path.split("/"))
    path = "/".join("*" if "@" in segment or "%40" in segment else segment for segment in segments)
    return f"{parts.scheme}://{host}{path}" if parts.scheme and host else path or None


class _Said(msgspec.Struct):
    consent: Any = None


_consent = msgspec.json.Decoder(_Said)
_object = msgspec.json.Decoder(dict[str, Raw])
_string = msgspec.json.Decoder(str)
_LONGEST = 64
"""Characters of what is kept of a source and a version of a text."""
_NULL = b"null"
