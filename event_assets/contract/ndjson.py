"""Many JSON objects decoded in one call, and the proof that each line was one of them.

The decoder's own `decode_lines` takes values with any space between them, so that a line might be two of them or half
of one. A line break between `}` and `{` is none that stands within a value: there a comma would be missing, and strings
have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

_LINES_AT_ONCE = 64
"""So many lines are decoded one by one where one of them is not the decoder's."""
_NOT_DECODED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_lines(decoder: msgspec.json.Decoder[Any], lines: Sequence[bytes]) -> list[Any]:
    """What each line says; None where it says nothing that the decoder takes."""
    values: list[Any] = []
    for first in range(0, len(lines), _LINES_AT_ONCE):
        part = lines[first : first + _LINES_AT_ONCE]
        values += _decode_all(decoder, part) or [_decode(decoder, line) for line in part]
    return values


def decode_joined(decoder: msgspec.json.Decoder[Any], text: bytes | memoryview, lines: int) -> list[Any] | None:
    """What each of the lines of a text says, whose every line break stands between `}` and `{`; None unless each is
    one object of the decoder's."""
    try:
        values = decoder.decode_lines(text)
    except _NOT_DECODED:
        return None
    return values if len(values) == lines else None


def _decode_all(decoder: msgspec.json.Decoder[Any], lines: Sequence[bytes]) -> list[Any] | None:
    try:
        return [*map(decoder.decode, lines)]  # not joined: putting them together costs more than calling for each
    except _NOT_DECODED:
        return None


def _decode(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except _NOT_DECODED:
        return None
