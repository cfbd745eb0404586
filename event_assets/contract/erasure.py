"""Whose a line of a stream record is, and the record without the lines of people who were erased.

A placeholder stands in the place of an erased line, so that all others keep their places and the ledger its count. Who
was erased is not known here. Pure: no clock, no storage.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from event_assets.contract.event import Instant
from event_assets.contract.ndjson import decode_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.readings import plainly_read
from event_assets.contract.records import BadEncoding, repacked, unpack
from event_assets.contract.times import derived_at

ERASED = b'{"erased":"person"}'
"""What stands in the place of an erased event."""

_TIMES = ("occurred_at", "sent_at", "received_at", "derived_at")
_ID_IN_TEXT = re.compile(rb'"(user_id|anonymous_id)"\s*:\s*("(?:[^"\\]|\\.)*")')


class _Ids(Struct, gc=False):
    anonymous_id: Any = None
    user_id: Any = None


class _Line(_Ids, gc=False):
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
"""Whether an event of this owner is to be erased; one that happened earlier is, where a later one is."""

_EVER = dt.datetime.min.replace(tzinfo=dt.UTC)


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
    for text in _spellings(line):
        try:
            return _line.decode(text)
        except (ValueError, RecursionError):
            continue
    try:
        return _ids.decode(line)
    except (ValueError, RecursionError):
        return None


def _spellings(line: bytes) -> Iterator[bytes]:
    """The line, and, for who could not read that, how else its times may be written."""
    yield line
    plainly = plainly_read(line, _TIMES)
    if plainly is not None:
        yield plainly


def _text(token: bytes) -> Any:
    try:
        return msgspec.json.decode(token)
    except ValueError:
        return token[1:-1].decode("utf-8", "replace")


def _id(value: Any, none: Placeholders) -> str | None:
    return value if isinstance(value, str) and value not in none else None


Known = dict[tuple[Any, Any] | None, bool]
"""Of user and device, as they stand in lines, whether anything of them may be erased. Of a line that cannot be read it
may."""


def erased_lines(
    lines: Sequence[bytes],
    arrived_at: dt.datetime,
    is_erased: IsErased,
    none: Placeholders,
    unread_at: dt.datetime | None = None,
    known: Known | None = None,
) -> list[tuple[int, Owner]]:
    """The places of the lines that are to be erased, each with whose it is.

    Most lines are told by their ids alone: when it happened is read, as `owner_of` does, only where somebody of these
    ids was erased. What is `known` of ids is kept there for the next lines.
    """
    known = {} if known is None else known
    said: list[Any] = [ids and (ids.user_id, ids.anonymous_id) for ids in decode_lines(_ids, lines)]
    try:
        fresh = {*said} - known.keys()
    except TypeError:  # in the place of an id stands something that is none, and cannot be looked up
        said = [ids and tuple(id_ if isinstance(id_, str) else None for id_ in ids) for ids in said]
        fresh = {*said} - known.keys()
    for ids in fresh:
        known[ids] = ids is None or is_erased(Owner(_id(ids[0], none), _id(ids[1], none), _EVER))
    found = []
    for place in [place for place, ids in enumerate(said) if known[ids]]:
        owner = owner_of(lines[place], arrived_at, none, unread_at)
        if is_erased(owner):
            found.append((place, owner))
    return found


def erased_in_record(
    data: bytes, key: str, arrived_at: dt.datetime, is_erased: IsErased, none: Placeholders, known: Known | None = None
) -> list[tuple[int, Owner]]:
    """The places of a record's lines that are to be erased, each with whose it is.

    Of a record that cannot be unpacked its partition key tells whose it is: it counts as one line.
    """
    try:
        lines = unpack(data)
    except BadEncoding:
        owners = Owner(key, None, arrived_at), Owner(None, key, arrived_at)
        return [(0, owner) for owner in owners if is_erased(owner)][:1]
    return erased_lines(lines, arrived_at, is_erased, none, known=known)


class Without(NamedTuple):
    """A record without some of its lines, and how many went: not those that had gone before."""

    data: bytes
    gone: int


def without_lines(data: bytes, places: Iterable[int]) -> Without:
    """The record with a placeholder for each of these lines. One that cannot be unpacked goes whole."""
    try:
        lines = unpack(data)
    except BadEncoding:
        return Without(ERASED, 1)
    left = [place for place in places if lines[place] != ERASED]
    for place in left:
        lines[place] = ERASED
    return Without(repacked(lines, data), len(left)) if left else Without(data, 0)
