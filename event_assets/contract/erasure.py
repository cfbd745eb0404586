"""Whose a line of a stream record is, and the record without the lines of people who were erased.

A placeholder stands in the place of an erased line, so that all others keep their places and the ledger its count. Who
was erased is not known here. Pure: no clock, no storage.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from event_assets.contract.event import Instant
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.readings import plainly_read
from event_assets.contract.records import BadEncoding, repacked, unpack
from event_assets.contract.times import derived_at

ERASED = b'{"erased":"person"}'
"""What stands in the place of an erased event."""

_TIMES = ("occurred_at", "sent_at", "received_at", "derived_at")
_ID_IN_TEXT = re.compile(rb'"(user_id|anonymous_id)"\s*:\s*("(?:[^"\\]|\\.)*")')


class _Ids(Struct):
    anonymous_id: Any = None
    user_id: Any = None


class _Line(_Ids):
    occurred_at: Instant | None = None
    sent_at: Instant | None = None
    received_at: Instant | None = None
    derived_at: Instant | None = None


_line = msgspec.json.Decoder(_Line)
_ids = msgspec.json.Decoder(_Ids)


class Owner(NamedTuple):
    """Whose an event is by its ids, and when it happened: never later than it arrived."""

    user_id: str | None
    anonymous_id: str | None
    at: dt.datetime


IsErased = Callable[[Owner], bool]
"""Whether an event of this owner is to be erased."""


def owner_of(line: bytes, arrived_at: dt.datetime, none: Placeholders, unread_at: dt.datetime | None = None) -> Owner:
    """Whose a line is, as cleaning reads it; of one that is no JSON by what stands beside the names of ids in it, and
    then it happened `unread_at`, by default when it arrived. Words for none are no ids.

    >>> at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    >>> owner_of(b'{"user_id":"u1","anonymous_id":"null"}', at, Placeholders())[:2]
    ('u1', None)
    >>> owner_of(b'{"event":"cut","user_id":"u1","eve', at, Placeholders())[:2]
    ('u1', None)
    """
    read = _read(line)
    if read is None:
        found = dict(_ID_IN_TEXT.findall(line))
        user, device = (_text(found.get(name, b"null")) for name in (b"user_id", b"anonymous_id"))
        return Owner(_id(user, none), _id(device, none), unread_at or arrived_at)
    user, device = _id(read.user_id, none), _id(read.anonymous_id, none)
    if not isinstance(read, _Line):
        return Owner(user, device, arrived_at)
    at = derived_at(read.occurred_at, read.sent_at, read.received_at or arrived_at, read.derived_at)
    return Owner(user, device, min(at, arrived_at))


def _read(line: bytes) -> _Ids | None:
    for text in (line, plainly_read(line, _TIMES)):
        try:
            if text is not None:
                return _line.decode(text)
        except (ValueError, RecursionError):
            continue
    try:
        return _ids.decode(line)
    except (ValueError, RecursionError):
        return None


def _text(token: bytes) -> Any:
    try:
        return msgspec.json.decode(token)
    except ValueError:
        return token[1:-1].decode("utf-8", "replace")


def _id(value: Any, none: Placeholders) -> str | None:
    return value if isinstance(value, str) and value not in none else None


class Without(NamedTuple):
    """A record without some of its lines: its bytes, and the places of the lines that went."""

    data: bytes
    lines: list[int]


def without_erased(
    data: bytes, key: str, arrived_at: dt.datetime, is_erased: IsErased, none: Placeholders
) -> Without | None:
    """The record with a placeholder for each line that is to be erased; None where there is none.

    Of a record that cannot be unpacked its partition key tells whose it is: it goes whole, with one placeholder.
    """
    try:
        lines = unpack(data)
    except BadEncoding:
        is_theirs = is_erased(Owner(key, None, arrived_at)) or is_erased(Owner(None, key, arrived_at))
        return Without(ERASED, [0]) if is_theirs else None
    gone = [place for place, line in enumerate(lines) if line != ERASED and is_erased(owner_of(line, arrived_at, none))]
    if not gone:
        return None
    kept = [*lines]
    for place in gone:
        kept[place] = ERASED
    return Without(repacked(kept, data), gone)
