"""SQL as the audit log keeps it: what was asked, without the values, among which people may be named."""

from __future__ import annotations

import re

_VALUE = r"""
    \$(?P<tag>\w*)\$.*?\$(?P=tag)\$      # $$text$$
    | '(?:[^']|'')*'?                    # 'text', or one that is never closed
    | "[^"]*"?                           # a name: ours is letters, digits and _, another may be somebody's
    | --[^\n]*                           # what remarks say
    | /\*.*?(?:\*/|$)
    | (?<![\w."])\d[\w.]*                # numbers
"""
_REST = r"'.*|"
_FLAGS = re.VERBOSE | re.DOTALL


def without_values(statement: str) -> str:
    """The statement on one line, each text and number as `?`, without remarks. Where a backslash may hide the end of a
    text, nothing is kept from its beginning on."""
    value = (_REST if "\\" in statement else "") + _VALUE
    masked = re.sub(value, _kept, statement, flags=_FLAGS)
    return " ".join(masked.split())


def _kept(found: re.Match[str]) -> str:
    if found[0].startswith(("--", "/*")):
        return ""
    return found[0] if re.fullmatch(r'"\w*"', found[0]) else "?"
