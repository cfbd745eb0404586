"""JSON texts that every reader reads alike: each name once in its object, numbers as they are written most plainly.

Readers differ. Of a name that is given twice Python and JavaScript take the last value, both engines the first; an
engine that spells a number anew makes `1000.0` of `1e3`; an integer beyond 64 bits is no number to some.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw

UNUSUAL = r"""[:\[, \t\r\n]-?[0-9]+(?:[0-9]{18}|(?:\.[0-9]+)?[eE]|\.[0-9]*0[,}\] \t\r\n])|"[ \t\r\n]+:"""
"""What a JSON text has in it if a number in it may have a plainer spelling, or `may_repeat_a_name` cannot judge it."""

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING_OR_NUMBER = re.compile(_STRING + rb"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_NAME_ENDS = b'":'
_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')
_WHOLE = re.compile(rb"-?[1-9][0-9]{0,14}(?=\.0+\Z)")
"""What is left of a number whose fraction is only zeros."""
_LEAST, _MOST = -(2**63), 2**63 - 1
_DIGITS_OF_MOST = len(str(_MOST))
_NEITHER = Decimal("0.1e-400")

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode


def plain(text: bytes) -> bytes:
    """The JSON text with each name once in its object, numbers plainly and integers outside 64 bits as strings.

    The last value of a name counts. A number that has no plainer spelling with the same value stays as it is.

    >>> plain(b'{"n": 3.0, "order": 9223372036854775808, "price": 12.50, "n": 1e3}')
    b'{"n":1000,"order":"9223372036854775808","price":12.5}'
    """
    spelled = _STRING_OR_NUMBER.sub(_spelled, text)
    return with_names_once(spelled) if may_repeat_a_name(spelled) or _SPACE_BEFORE_COLON.search(spelled) else spelled


def with_names_once(text: bytes) -> bytes:
    """The JSON text with each name once in its object, with the last of its values; the text itself where it is so.

    >>> with_names_once(b'{"a": 1, "b": [{"c": 1, "c": 2}], "a": 3}')
    b'{"a":3,"b":[{"c":2}]}'
    """
    once = _once(text)
    return once if _count_names(once) < _count_names(text) else text


def may_repeat_a_name(text: bytes) -> bool:
    """Whether an object or list in the JSON text may have a name twice; never False where one has, save where space
    stands before a colon (`UNUSUAL`)."""
    try:
        named = text.count(_NAME_ENDS)
        if text.startswith(b"{") and len(_object(text)) == named:
            return False  # nearly always: one object, and in it none
        return _distinct_names(text) != named
    except (msgspec.DecodeError, RecursionError):
        return False  # a name that is no text: no reader finds it


def integer_of(text: bytes) -> bytes | None:
    """The digits of a JSON number that has no fraction and fits 64 bits, exactly; None of another.

    >>> integer_of(b"9007199254740993.0"), integer_of(b"1e3"), integer_of(b"1.5")
    (b'9007199254740993', b'1000', None)
    """
    number = _exact(text)
    if number and not 0 <= number.adjusted() < _DIGITS_OF_MOST:
        return None
    whole = int(number)
    return str(whole).encode() if whole == number and _LEAST <= whole <= _MOST else None


def _spelled(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if text.startswith(b'"'):
        return text
    digits = text.removeprefix(b"-")
    if digits.isdigit():
        if len(digits) < _DIGITS_OF_MOST or (len(digits) == _DIGITS_OF_MOST and _LEAST <= int(text) <= _MOST):
            return text
        return b'"' + text + b'"'
    whole = _WHOLE.match(text)
    return whole.group() if whole else integer_of(text) or _fraction_of(text)


def _fraction_of(text: bytes) -> bytes:
    shortest = repr(float(text))
    is_plain = "e" not in shortest and "inf" not in shortest
    return shortest.encode() if is_plain and Decimal(shortest) == _exact(text) else text


def _exact(text: bytes) -> Decimal:
    try:
        return Decimal(text.decode())
    except InvalidOperation:  # an exponent beyond 10^18
        return _NEITHER


def _distinct_names(text: bytes) -> int:
    if text.startswith(b"{"):
        members = _object(text)
        names, values = len(members), list(members.values())
    else:
        names, values = 0, _list(text)
    if names == text.count(_NAME_ENDS):
        return names
    inner = (bytes(value) for value in values)
    return names + sum(_distinct_names(value) for value in inner if value.startswith((b"{", b"[")))


def _count_names(text: bytes) -> int:
    return _STRINGS.sub(b"", text).count(b":")


def _once(text: bytes) -> bytes:
    try:
        if text.startswith(b"{"):
            return msgspec.json.encode({name: Raw(_once(bytes(v))) for name, v in _object(text).items()})
        if text.startswith(b"["):
            return msgspec.json.encode([Raw(_once(bytes(value))) for value in _list(text)])
    except (msgspec.DecodeError, RecursionError):
        pass  # a name that is no text: no reader finds it
    return text
