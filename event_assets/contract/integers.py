"""Integers that no 64-bit column or JSON reader can hold are kept as strings, digit by digit."""

from __future__ import annotations

import re

LONG_DIGITS = "[0-9]{19}"
"""What a JSON text has in it if it holds such an integer."""

_STRING_OR_NUMBER = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)
_LEAST, _MOST = -(2**63), 2**63 - 1
_DIGITS_OF_MOST = len(str(_MOST))


def quote_long_integers(text: bytes) -> bytes:
    """The JSON text with every integer outside 64 bits as a string; all else stays as it was written.

    >>> quote_long_integers(b'{"order": 9223372036854775808, "paid": 9223372036854775807}')
    b'{"order": "9223372036854775808", "paid": 9223372036854775807}'
    """
    return _STRING_OR_NUMBER.sub(_quoted, text)


def _quoted(match: re.Match[bytes]) -> bytes:
    text = match.group()
    digits = text.removeprefix(b"-")
    if not digits.isdigit() or len(digits) < _DIGITS_OF_MOST:
        return text
    if len(digits) == _DIGITS_OF_MOST and _LEAST <= int(text) <= _MOST:
        return text
    return b'"' + text + b'"'
