"""Finds many texts in many bytes at once: the ids, addresses and hashes of people who were erased.

Of each text four bytes that few others have are looked for, by a table of hashes over all places of the data at once;
where they are, the text itself is compared. Where the data comes from is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

SHORTEST = 4
"""Bytes of the shortest text that is looked for: shorter ones stand everywhere."""
_BITS = 22
_FACTOR = np.uint32(2_654_435_761)
_GRAM = 4
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_HASHES = ("sha256", "md5", "sha1")


def forms_of(names: Iterable[str]) -> set[bytes]:
    """The forms in which names may be kept: as they are, in small letters, as JSON and in URLs, and the hexadecimal
    digests of these that others know people by (SHA-256, MD5, SHA-1)."""
    forms: set[bytes] = set()
    for name in names:
        for text in {name, name.lower()}:
            plain = text.encode("utf-8", "surrogatepass")
            forms |= {plain, json.dumps(text).encode()[1:-1], text.replace("@", "%40").encode("utf-8", "surrogatepass")}
            forms |= {hashlib.new(hash_, plain, usedforsecurity=False).hexdigest().encode() for hash_ in _HASHES}
    return forms


class Needles:
    """Texts that are looked for as whole words: one within a longer word is another's."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        wanted = sorted(set(texts))
        self.too_short = sum(len(text) < SHORTEST for text in wanted)
        self._texts: dict[bytes, list[tuple[bytes, int]]] = defaultdict(list)
        long_enough = [text for text in wanted if len(text) >= SHORTEST]
        self.longest = max(map(len, long_enough), default=SHORTEST)
        grams = Counter(gram for text in long_enough for gram in _grams(text))
        for text in long_enough:
            rarest = min(_grams(text), key=grams.__getitem__)
            self._texts[rarest].append((text, text.index(rarest)))
        self._table = np.zeros(1 << _BITS, np.bool_)
        for gram in self._texts:
            self._table[_hashed(np.frombuffer(gram, "<u4"))] = True

    def count(self, data: bytes) -> int:
        """How often one of the texts stands in the data."""
        found = 0
        for shift in range(_GRAM):
            whole = (len(data) - shift) // _GRAM
            if whole <= 0:
                break
            grams = np.frombuffer(data, "<u4", whole, shift)
            for place in np.flatnonzero(self._table[_hashed(grams)]).tolist():
                found += self._at(data, shift + _GRAM * place)
        return found

    def _at(self, data: bytes, place: int) -> int:
        return sum(
            data.startswith(text, place - offset) and _is_word(data, place - offset, len(text))
            for text, offset in self._texts.get(data[place : place + _GRAM], ())
            if place >= offset
        )


def _grams(text: bytes) -> list[bytes]:
    return [text[place : place + _GRAM] for place in range(len(text) - _GRAM + 1)]


def _hashed(grams: np.ndarray) -> np.ndarray:
    return (grams * _FACTOR) >> np.uint32(32 - _BITS)


def _is_word(data: bytes, start: int, length: int) -> bool:
    end = start + length
    return not (
        (start > 0 and data[start - 1] in _WORD and data[start] in _WORD)
        or (end < len(data) and data[end] in _WORD and data[end - 1] in _WORD)
    )
