"""How large and how deep a JSON text is, told from the text alone: nothing of it is decoded that need not be."""

from __future__ import annotations

import json
import re

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_A_BRACKET = bytes(set(range(256)) - set(b"{}[]"))


def nesting(line: bytes) -> int:
    """How many levels of objects and lists the JSON text has, strings left out."""
    depth = deepest = 0
    for bracket in _STRING.sub(b"", line).translate(None, _NOT_A_BRACKET):
        if bracket in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def count_keys(line: bytes) -> int:
    """Keys of all objects in a JSON text."""
    return _STRING.sub(b"", line).count(b":")


def longest_string(line: bytes) -> int:
    """Bytes of the longest string in a JSON text, keys among them, as the decoded value has them."""
    longest = 0
    for text in sorted(_STRING.findall(line), key=len, reverse=True):
        if len(text) - len(b'""') <= longest:
            break  # an escape is never shorter than what it stands for
        longest = max(longest, len(json.loads(text).encode("utf-8", "surrogatepass")))
    return longest
