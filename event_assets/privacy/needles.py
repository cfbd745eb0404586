"""Finds many texts in many bytes at once: the ids, addresses and hashes of people who were erased.

One pass over the data finds all of them, however many there are (an Aho-Corasick automaton). Where the data comes from
is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick, Implementation

Bytes = bytes | memoryview
Edges = Sequence[int] | npt.NDArray[np.int64]

SHORTEST = 4
"""Bytes of the shortest text that is looked for: shorter ones stand everywhere."""
_QUICKLY = 64_000
"""So many bytes of texts are looked for twice as quickly by a table of all states, which grows too large with more."""
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_HASHES = ("sha256", "md5", "sha1")
_DIGITS = 32
"""So many hexadecimal digits tell a digest from all others; ids of computed sessions begin with those of an id."""


def forms_of(names: Iterable[str]) -> set[bytes]:
    """The forms in which names may be kept: as they are, in small letters, as JSON and in URLs."""
    forms: set[bytes] = set()
    for text in _spellings(names):
        plain = text.encode("utf-8", "surrogatepass")
        forms |= {plain, json.dumps(text).encode()[1:-1], text.replace("@", "%40").encode("utf-8", "surrogatepass")}
    return forms


def digests_of(names: Iterable[str]) -> set[bytes]:
    """How the hexadecimal digests of names begin that others know people by (SHA-256, MD5, SHA-1), and that ids of
    computed sessions are made of."""
    texts = {text.encode("utf-8", "surrogatepass") for text in _spellings(names)}
    return {
        hashlib.new(hash_, text, usedforsecurity=False).hexdigest()[:_DIGITS].encode()
        for text in texts
        for hash_ in _HASHES
    }


def _spellings(names: Iterable[str]) -> set[str]:
    return {text for name in names for text in (name, name.lower())}


class Needles:
    """Texts that are looked for as whole words: one within a longer word is another's. Not so `digests`, which are
    looked for wherever they stand."""

    def __init__(self, texts: Iterable[bytes], digests: Iterable[bytes] = ()) -> None:
        anywhere = sorted(set(digests))
        self._digests = len(anywhere)
        wanted = sorted(set(texts).difference(anywhere))
        self.too_short = sum(len(text) < SHORTEST for text in wanted)
        long_enough = [*anywhere, *(text for text in wanted if len(text) >= SHORTEST)]
        self.longest = max(map(len, long_enough), default=SHORTEST)
        quickest = Implementation.DFA if sum(map(len, long_enough)) <= _QUICKLY else None
        self._automaton = BytesAhoCorasick(long_enough, implementation=quickest) if long_enough else None

    def count(self, data: Bytes, edges: Edges = ()) -> int:
        """How often one of the texts stands in the data. Of values that lie one behind another `edges` are where each
        begins, and where the last ends: what reaches over one of them stands nowhere."""
        if self._automaton is None or not len(data):
            return 0
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return sum(
            end <= last if number < self._digests else _is_word(data, start, end, first, last)
            for number, start, end in found
            for first, last in (_around(edges, start, len(data)),)
        )


def _around(edges: Edges, place: int, size: int) -> tuple[int, int]:
    """Where the value begins and ends that stands at a place."""
    if not len(edges):
        return 0, size
    after = int(np.searchsorted(edges, place, side="right"))
    return int(edges[after - 1]), int(edges[after])


def _is_word(data: Bytes, start: int, end: int, first: int, last: int) -> bool:
    return end <= last and not (
        (start > first and data[start - 1] in _WORD and data[start] in _WORD)
        or (end < last and data[end] in _WORD and data[end - 1] in _WORD)
    )
