"""Words that stand where an id or a referrer should be and say that there is none. One list for all who read them.

What becomes of an event that has such an id is decided in `decoder`.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable, Iterator

PLACEHOLDERS: tuple[str, ...] = (
    *("null", "undefined", "none", "nil", "NaN", "0", "-", "guest", "anonymous"),
    *("[object Object]", "(direct)", "$direct"),
    "00000000-0000-0000-0000-000000000000",
)
"""What programs write where they know nobody: the empty values of languages, words for a stranger, an object turned
into text, what reports call no source, the nil UUID (RFC 9562) that phones give instead of an advertising id."""


_BLANK = r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""What `str.strip` takes away; `\\s` is not the same in every language."""


class Placeholders:
    """Tells whether a text is one of the words, in small or large letters, with blanks around it or not; blanks alone
    are one too, and so is the empty text. `None` is not: it says nothing.

    >>> none = Placeholders()
    >>> [text in none for text in ("null", " NULL ", "", "nullable", None)]
    [True, True, True, False, False]
    """

    def __init__(self, words: Iterable[str] | None = None) -> None:
        named = PLACEHOLDERS if words is None else words
        self.words = frozenset(word.strip().lower() for word in named) | {""}
        self.other_heads = frozenset(_other_heads({word[:2] for word in self.words}))
        """Pairs of characters that no placeholder begins with: a look at an id's first is a quarter of looking it
        up."""

    @property
    def pattern(self) -> str:
        """A regular expression (ECMA-262) of the texts that are none of them."""
        words = "|".join("".join(map(_either_case, word)) for word in sorted(self.words))
        return f"^(?!{_BLANK}*(?:{words}){_BLANK}*$)"

    def __contains__(self, text: str | None) -> bool:
        return text is not None and text[:2] not in self.other_heads and text.strip().lower() in self.words


def _other_heads(heads: set[str]) -> Iterator[str]:
    letters = string.digits + string.ascii_letters + "_-"
    for pair in map("".join, itertools.product(letters, repeat=2)):
        if pair.lower() not in heads:
            yield pair


def _either_case(letter: str) -> str:
    if letter.isascii() and letter.isalpha():
        return f"[{letter.upper()}{letter}]"
    return f"\\{letter}" if letter in "$()*+.?[\\]^{|}/" else letter
