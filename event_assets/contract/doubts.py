"""What the exact decoder may see otherwise than its types do: the rules that types do not tell, asked of many events.

Sure, and no more: a rule that may be broken is a doubt, and about those `EventDecoder` decides. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from msgspec import Raw

from event_assets.contract.decoder import Limits
from event_assets.contract.ndjson import Lines
from event_assets.contract.placeholders import Placeholders

_LEAST_BYTES_OF_A_KEY = len(b'"":0,')
_BACKSLASH = ord("\\")
_NUL = b"\\u0000"
_BRACE = ord("{")
_HEAD = itemgetter(slice(2))


class Doubts:
    """Finds the rows of which the decoder may say something else. Each is asked of a column, a row an event."""

    def __init__(self, limits: Limits, placeholders: Placeholders) -> None:
        sizes = (limits.event_bytes, limits.properties_bytes, limits.string_bytes)
        self.small = min(*sizes, limits.keys * _LEAST_BYTES_OF_A_KEY)
        """Bytes of an event up to which nothing in it is too large."""
        self.depth = limits.depth
        """How many brackets a text may have and surely not be too deep."""
        self._placeholders = placeholders

    def about_lines(self, lines: Sequence[bytes]) -> Iterator[int]:
        """Where a line is large, is no UTF-8, or has the U+0000 that the decoder mends."""
        text = b"".join(lines)  # in which is looked once for what nearly no line has
        small = self.small
        if max(map(len, lines), default=0) > small:
            yield from (row for row, line in enumerate(lines) if len(line) > small)
        if _BACKSLASH in text:
            yield from (row for row, line in enumerate(lines) if has_nul(line))
        if not text.isascii():
            yield from (row for row, line in enumerate(lines) if not is_utf8(line))

    def about_text(self, lines: Lines) -> Iterator[int]:
        """The same of lines in one text."""
        lengths = lines.ends - lines.begins
        yield from np.flatnonzero(lengths > self.small).tolist()
        if has_nul(lines.text):
            yield from (row for row in range(len(lines)) if has_nul(lines[row]))
        if not is_utf8(lines.text):
            yield from (row for row in range(len(lines)) if not is_utf8(lines[row]))

    def about_ids(self, *columns: Sequence[str | None]) -> Iterator[int]:
        """Where an id is a placeholder."""
        none, heads = self._placeholders, self._placeholders.other_heads
        texts: set[Any] = set().union(*columns)  # of all columns at once: nearly always none is
        texts.discard(None)
        if heads.issuperset(map(_HEAD, texts)):
            return
        if words := {text for text in texts if text[:2] not in heads and text in none}:
            for values in columns:
                yield from (row for row, text in enumerate(values) if text in words)

    def about_objects(self, texts: Iterable[tuple[int, Raw]]) -> Iterator[int]:
        """Of rows with a JSON text each where that is no object, or has brackets enough to be too deep."""
        for row, raw in texts:
            text = bytes(raw)
            if text[0] != _BRACE or text.count(b"{") + text.count(b"[") > self.depth:
                yield row


def nobodys(anonymous_ids: Sequence[str | None], user_ids: Sequence[str | None]) -> list[int]:
    """Where there is no id of anybody."""
    if all(anonymous_ids):
        return []
    people = zip(anonymous_ids, user_ids, strict=True)
    return [row for row, (anonymous, user) in enumerate(people) if not (anonymous or user)]


def rows_with(values: Sequence[Any], is_sure: Callable[[Any], bool]) -> list[int]:
    """Where a value is that is not sure; each value is looked at once."""
    unsure = {value for value in set(values) if not is_sure(value)}
    return [row for row, value in enumerate(values) if value in unsure] if unsure else []


def has_nul(text: bytes) -> bool:
    """Whether the text may hold U+0000; looking for one byte first costs a tenth."""
    return _BACKSLASH in text and _NUL in text


def is_utf8(text: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
