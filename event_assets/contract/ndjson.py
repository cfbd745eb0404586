"""Many JSON objects decoded in one call, and the proof that each line was one of them.

The decoder's own `decode_lines` takes values with any space between them, so that a line might be two of them or half
of one. A line break between `}` and `{` is none that stands within a value: there a comma would be missing, and strings
have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

_LINES_AT_ONCE = 64
"""So many lines are decoded one by one where one of them is not the decoder's."""
_NOT_DECODED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_BREAK, _OPENS, _CLOSES = b"\n", ord("{"), ord("}")


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that stand in one text, each break between `}` and `{`: where one ends is the next one's break."""

    text: bytes
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, text: bytes) -> Lines | None:
        """The lines of a text; None where a line does not begin with `{` and end with `}`."""
        breaks, at = [], text.find(_BREAK)
        while at >= 0:
            breaks.append(at)
            at = text.find(_BREAK, at + 1)
        ends = np.array([*breaks, len(text)], np.int64)
        characters = np.frombuffer(text, np.uint8)
        if not text or (characters[ends - 1] != _CLOSES).any():
            return None
        lines = cls(text, ends)
        return None if (characters[lines.begins.clip(max=len(text) - 1)] != _OPENS).any() else lines

    @classmethod
    def joined(cls, several: Sequence[Lines]) -> Lines:
        """The lines of several in one text."""
        if len(several) == 1:
            return several[0]
        begins = accumulate((len(each.text) + 1 for each in several[:-1]), initial=0)
        ends = [each.ends + begin for each, begin in zip(several, begins, strict=True)]
        return cls(_BREAK.join(each.text for each in several), np.concatenate(ends))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> bytes:
        return self.text[self.ends[row - 1] + 1 if row else 0 : self.ends[row]]

    @property
    def begins(self) -> npt.NDArray[np.int64]:
        """Where each line begins."""
        begins = np.empty_like(self.ends)
        begins[0], begins[1:] = 0, self.ends[:-1] + 1
        return begins

    def part(self, first: int, last: int) -> Lines:
        """The lines from one to before another."""
        if first == 0 and last >= len(self):
            return self
        ends, begin = self.ends[first:last], int(self.ends[first - 1]) + 1 if first else 0
        return Lines(self.text[begin : ends[-1]], ends - begin)


def decode_text(decoder: msgspec.json.Decoder[Any], lines: Lines) -> list[Any]:
    """What each line says; None where it says nothing that the decoder takes."""
    values = decode_joined(decoder, lines.text, len(lines))
    if values is not None:
        return values
    if len(lines) > _LINES_AT_ONCE:
        starts = range(0, len(lines), _LINES_AT_ONCE)
        parts = (lines.part(start, start + _LINES_AT_ONCE) for start in starts)
        return [value for part in parts for value in decode_text(decoder, part)]
    return [_decode(decoder, lines[row]) for row in range(len(lines))]


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
