"""Other spellings of a value that JSON and RFC 3339 allow and the decoder's types do not: `3.0`, a leap second.

Asked only of an event that did not fit its types, so that it costs the others nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping

import msgspec
from msgspec import Raw

from event_assets.contract.plain_json import integer_of, with_names_once

_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LEAP_SECOND = re.compile(rb'"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):60((?:\.\d+)?)([Zz]|[+-]\d\d:?\d\d)"')
_SIXTY = re.compile(r"(?<=\d:\d\d:)60(?!\d)")
_SECOND = dt.timedelta(seconds=1)

_fields = msgspec.json.Decoder(dict[str, Raw])
_instant = msgspec.json.Decoder(dt.datetime)


def plainly_read(text: bytes, names: Collection[str] | None = None) -> bytes | None:
    """A JSON object whose own values (those of the names alone, if there are any) are written in the plain way; None
    where they are already, or it is no object.

    Of a name that is given twice the last value counts. A number without a fraction is an integer, as JSON Schema and
    JavaScript have it; a leap second is the one after it, as clocks that count seconds since 1970 have it.

    >>> plainly_read(b'{"n":3.0,"at":"2016-12-31T23:59:60.5Z"}')
    b'{"n":3,"at":"2017-01-01T00:00:00.500000Z"}'
    """
    try:
        once = with_names_once(text)
        fields = _fields.decode(once)
    except (msgspec.DecodeError, RecursionError):
        return None
    read: Mapping[str, Raw] = {
        name: _read(raw) if names is None or name in names else raw for name, raw in fields.items()
    }
    if once is text and all(read[name] is raw for name, raw in fields.items()):
        return None
    return msgspec.json.encode(read)


def moment_of(text: str, read: Callable[[str], dt.datetime]) -> dt.datetime:
    """What `read` makes of a time in whatever form; a leap second, which it refuses, is the one after it.

    Raises what `read` does.

    >>> moment_of("2016-12-31 23:59:60", dt.datetime.fromisoformat).isoformat()
    '2017-01-01T00:00:00'
    """
    try:
        return read(text)
    except ValueError:
        before, leaps = _SIXTY.subn("59", text)
        if leaps != 1:
            raise
        return read(before) + _SECOND


def _read(raw: Raw) -> Raw:
    text = bytes(raw)
    if text.startswith(b'"'):
        found = _LEAP_SECOND.fullmatch(text)
        return raw if found is None else _after(raw, *found.groups())
    if not _NUMBER.fullmatch(text) or text.lstrip(b"-").isdigit():
        return raw
    digits = integer_of(text)
    return raw if digits is None else Raw(digits)


def _after(raw: Raw, minute: bytes, fraction: bytes, zone: bytes) -> Raw:
    try:
        return Raw(msgspec.json.encode(_instant.decode(b'"%b:59%b%b"' % (minute, fraction, zone)) + _SECOND))
    except (msgspec.DecodeError, OverflowError):
        return raw
