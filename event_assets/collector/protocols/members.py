"""A JSON object read member by member, so that what nobody asked for is known at every depth.

Values are read leniently, as clients write them: a number where a text should be, a text where a number should be, the
empty text for none. What cannot be read as asked for stays, and is left over.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.collector.protocols.protocol import Unreadable
from event_assets.contract.consent import ADVERTISERS_ONLY, keeps_from_others
from event_assets.contract.readings import moment_of

_members = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)
_instant = msgspec.json.Decoder(dt.datetime)
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NONE = (b"null", b'""')
_NO_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
LONGEST_ID = 128
"""Characters that an id of the contract may have."""
_MILLISECONDS = 1e11
"""Numbers from here on are milliseconds since 1970, smaller ones are seconds (up to the year 5138)."""


class Members:
    """The members of a JSON object. What is taken is gone."""

    def __init__(self, fields: Mapping[str, Raw] | None = None, *, nulls: bool = False) -> None:
        self._fields: dict[str, Raw] = dict(fields or {})
        self._nulls = nulls
        self._inside: dict[str, Members] = {}

    @classmethod
    def of(cls, text: bytes) -> Members:
        """Those of a JSON text, `with_numbers`. Raises `Unreadable` where it is no object, or no UTF-8."""
        try:
            if not text.isascii():
                text.decode()
            return cls(_members.decode(text))
        except (ValueError, RecursionError) as error:
            if (said := with_numbers(text)) != text:
                return cls.of(said)
            raise Unreadable(str(error)) from None

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def add(self, name: str, value: Any) -> None:
        """Puts a member back, or one beside the others, unless it is None; one that is there already stays."""
        if value is not None and name not in self._fields:
            self._fields[name] = Raw(msgspec.json.encode(value))

    def drop(self, *names: str) -> None:
        """Takes members that say nothing of the event."""
        for name in names:
            self._fields.pop(name, None)

    def drop_ids(self, *names: str, said: Collection[str | None]) -> None:
        """Takes members that say once more what was `said` of whose an event is, and would be kept beside it."""
        for name in names:
            value = bytes(self._fields.get(name, b""))
            if value.startswith(b'"') and _said(value) in said:
                del self._fields[name]

    def drop_inside(self, name: str) -> None:
        """Takes a member whose members were read."""
        self._inside.pop(name, None)

    def raw(self, name: str) -> bytes | None:
        """A member's text; None where there is none, or it says null."""
        value = self._fields.pop(name, None)
        return None if value is None or bytes(value) == b"null" else bytes(value)

    def object(self, name: str) -> Raw | None:
        """A member that is an object with something in it, as its text."""
        value = self._fields.get(name)
        if value is None or not (is_empty(value) or bytes(value).startswith(b"{")):
            return None
        del self._fields[name]
        return None if is_empty(value) else value

    def inside(self, name: str, *, nulls: bool = False) -> Members:
        """The members of a member that is an object; none where it is not. `nulls`: those that say nothing count."""
        if name not in self._inside:
            value = self._fields.get(name)
            inner: dict[str, Raw] = {}
            if value is not None and is_empty(value):
                del self._fields[name]
            elif value is not None and bytes(value).startswith(b"{"):
                inner = _members.decode(self._fields.pop(name))
            self._inside[name] = Members(inner, nulls=nulls)
        return self._inside[name]

    def text(self, *names: str) -> str | None:
        """The first of these members that is a text or a number, as a text; an empty one is none."""
        for name in names:
            value = bytes(self._fields.get(name, b""))
            if value.startswith(b'"') or value in _NONE or _NUMBER.fullmatch(value):
                said = _said(value)
                if said is not None:
                    del self._fields[name]
                if said:
                    return said
        return None

    def id(self, *names: str) -> str | None:
        """The first of these members that is a text or a number, as a text; one that is too long for an id stays."""
        return self.text(*(name for name in names if len(self._fields.get(name, b"")) <= LONGEST_ID + 2))

    def number(self, *names: str) -> Raw | None:
        """The first of these members that is a number, also one written as a text."""
        for name in names:
            value = bytes(self._fields.get(name, b""))
            digits = value[1:-1] if value.startswith(b'"') else value
            if value in _NONE or _NUMBER.fullmatch(digits):
                del self._fields[name]
                if value not in _NONE:
                    return Raw(digits)
        return None

    def flag(self, name: str) -> bool | None:
        """A member that is true or false."""
        value = bytes(self._fields.get(name, b""))
        if value not in (b"true", b"false", b"null"):
            return None
        del self._fields[name]
        return {b"true": True, b"false": False}.get(value)

    def instant(self, *names: str) -> str | None:
        """The first of these members that says a time, as RFC 3339; what is no time is given as it is."""
        for name in names:
            text = self.text(name)
            if text is not None:
                return instant_of(text)
        return None

    def seen(self, name: str) -> Any:
        """What a member says, without taking it."""
        try:
            return msgspec.json.decode(self._fields[name]) if name in self._fields else None
        except (ValueError, RecursionError):
            return None

    def seen_raw(self, name: str) -> bytes:
        """A member's text, without taking it; empty where there is none."""
        return bytes(self._fields.get(name, b""))

    def rest(self) -> dict[str, Any]:
        """What was not taken, at every depth, save what says nothing."""
        left: dict[str, Any] = {n: value for n, value in self._fields.items() if self._nulls or not is_empty(value)}
        for name, inside in self._inside.items():
            if inner := inside.rest():
                left[name] = inner
        return left


def with_numbers(text: bytes) -> bytes:
    """The text with null in the place of `NaN` and `Infinity`, which JSON has not and SDKs for Python write: as those
    for JavaScript say it. One such value would else make all events of the request unreadable.

    >>> with_numbers(b'[{"a":NaN,"b":"NaN"},-Infinity]')
    b'[{"a":null,"b":"NaN"},null]'
    """
    if b"NaN" not in text and b"Infinity" not in text:
        return text
    return _NO_NUMBER.sub(lambda found: found[0] if found[0].startswith(b'"') else b"null", text)


def _said(value: bytes) -> str | None:
    """A text or a number as a text, empty where it is none; None where it is no text."""
    try:
        return "" if value in _NONE else _text.decode(value) if value.startswith(b'"') else value.decode()
    except ValueError:
        return None


def instant_of(text: str) -> str:
    """A time as RFC 3339: a number counts from 1970, one without a zone is in UTC. What is no time stays as it is.

    >>> instant_of("1795869527400"), instant_of("2026-11-28T12:38:47.4"), instant_of("soon")
    ('2026-11-28T12:38:47.400000Z', '2026-11-28T12:38:47.400000Z', 'soon')
    """
    if not text or text.endswith("Z"):
        return text
    try:
        if _NUMBER.fullmatch(text.encode()):
            seconds = float(text)
            at = dt.datetime.fromtimestamp(seconds / 1000 if abs(seconds) >= _MILLISECONDS else seconds, dt.UTC)
        else:
            at = moment_of(text, lambda written: _instant.decode(msgspec.json.encode(written)))
            if at.tzinfo is not None:
                return text
            at = at.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return text
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def is_empty(value: Raw) -> bool:
    """Whether a JSON text is an object without members, null, or what PHP makes of an object without members."""
    text = bytes(value)
    return text in (b"null", b"{}", b"[]") or (text[:1] in (b"{", b"[") and text[1:].lstrip() in (b"}", b"]"))


def encoded(event: Mapping[str, Any]) -> bytes:
    """The event as JSON, without what is not there, nor the ids of a device whose owner is kept from others. One of
    nobody stands for itself alone."""
    said = {name: value for name, value in event.items() if value is not None and value != {}}
    if keeps_from_others(event.get("consent", {})):
        device = event.get("device", {})
        said["device"] = {name: value for name, value in device.items() if name not in ADVERTISERS_ONLY}
    if "anonymous_id" not in said and "user_id" not in said and "event_id" in said:
        said["anonymous_id"] = said["event_id"]
    return msgspec.json.encode(said)


def group_id_of(kind: str | None, key: str | None) -> str | None:
    """The id of a group where ids are told apart by the kind of group; None where it is too long for an id.

    >>> group_id_of("company", "17"), group_id_of(None, "17")
    ('company:17', '17')
    """
    text = f"{kind}:{key}" if kind and key else key
    return text if text and len(text) <= LONGEST_ID else None


def group_among(members: Members, name: str) -> str | None:
    """The id of the first of the groups that a member lists by kind. They are taken unless there are several."""
    listed = members.seen(name)
    groups = [
        (kind, str(key))
        for kind, keys in (listed.items() if isinstance(listed, dict) else ())
        for key in (keys if isinstance(keys, list) else [keys])
        if isinstance(key, str | int) and not isinstance(key, bool)
    ]
    group_id = group_id_of(*groups[0]) if groups else None
    if group_id is not None and len(groups) == 1:
        members.drop(name)
    return group_id


def session_id_of(protocol: str, whose: str | None, session: str) -> str:
    """The id of a session of somebody where sessions are told by when they began, which strangers share. It tells
    nobody's id, as it stands in columns that name nobody.

    >>> session_id_of("ga4", "client-1", "1795870060")
    'ga4-23f0a79feff20f04245ee25362e50e2b'
    """
    said = f"{whose}\0{session}".encode("utf-8", "replace")
    return f"{protocol}-{hashlib.sha256(said).hexdigest()[:32]}"


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are there."""
    return {name: value for name, value in fields.items() if value is not None}


class HashedIds:
    """Ids for events that have none: a hash of the text, so that the same sent again has the same id.

    Equal texts of one request are told apart by their order. A text that says no time is said anew each time: its id is
    one of chance, for a hash would make one event of all that are alike. What stands in a file is told apart by its
    place there.
    """

    def __init__(self, protocol: str, place: str = "") -> None:
        self._protocol = protocol
        self._place = place.encode("utf-8", "replace")
        self._seen: dict[bytes, int] = {}

    def of(self, text: bytes, occurred_at: str | None) -> str:
        """The id of the next event with this text, and the time that it says."""
        if occurred_at is None and not self._place:
            return f"{self._protocol}-{uuid.uuid4().hex}"
        nth = self._seen[text] = self._seen.get(text, -1) + 1
        said = text if nth == 0 else text + b"\0%d" % nth
        said = b"%b\0%b" % (self._place, said) if self._place else said
        return f"{self._protocol}-{hashlib.sha256(said).hexdigest()[:32]}"
