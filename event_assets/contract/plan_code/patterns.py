"""A pattern of the plan, which Python reads, as JavaScript reads it with the flag `u`, matching nothing more.

Characters, classes, groups, choices, counts and the anchors `^` and `$`. What the two languages read otherwise and
cannot be said with these is refused, such as lookarounds, references and flags.
"""

from __future__ import annotations

import re

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
"""Python means the digits, letters and spaces of every writing; these are fewer, so what matches them matches there."""
_CONTROLS = frozenset("tnrfv")
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")


class PatternError(ValueError):
    """The pattern has what cannot be said alike in both languages. The message names it."""


def typescript_pattern(pattern: str) -> str:
    """The pattern for `new RegExp(…, "u")`. Raises `PatternError`."""
    made, place = [], 0
    while place < len(pattern):
        letter, rest = pattern[place], pattern[place:]
        if letter == "\\":
            made.append(_escaped(rest[1:2], in_class=False))
            place += 2
        elif letter == "[":
            text, length = _class(rest)
            made.append(text)
            place += length
        elif letter == "(" and rest[1:2] == "?" and rest[:3] != "(?:":
            raise PatternError(f"{rest[:4]}… is read otherwise there; only (…) and (?:…) are groups in both")
        elif letter == "{" and (count := _COUNT.match(rest)) and count[0] not in ("{}", "{,}"):
            made.append(f"{{{count[1] or 0}{count[2]}{count[3]}}}")
            place += len(count[0])
            _check_no_possessive(pattern[place : place + 1])
        elif letter in "{}]":
            made.append(f"\\{letter}")
            place += 1
        else:
            made.append("\\/" if letter == "/" else letter)
            place += 1
            if letter in "*+?" and letter != "(":
                _check_no_possessive(pattern[place : place + 1], after=letter)
    return "".join(made)


def _check_no_possessive(following: str, after: str = "}") -> None:
    if following == "+":
        raise PatternError(f"{after}+ gives nothing back in Python; JavaScript has no such count")


def _escaped(letter: str, *, in_class: bool) -> str:
    if letter in _CLASSES and letter:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if letter in _CONTROLS and letter:
        return f"\\{letter}"
    if letter.isalnum() or not letter:
        raise PatternError(f"\\{letter} is read otherwise there")
    return f"\\{letter}" if letter in _SYNTAX or (in_class and letter == "-") else letter


def _class(rest: str) -> tuple[str, int]:
    """A class and how long it was."""
    place = 2 if rest[1:2] == "^" else 1
    is_negated, made, begin = place == 2, [], place
    while place < len(rest) and (rest[place] != "]" or place == begin):
        letter = rest[place]
        if letter == "\\":
            following = rest[place + 1 : place + 2]
            if is_negated and following in _CLASSES:
                raise PatternError(f"\\{following} in a class that is negated means fewer characters there")
            made.append(_escaped(following, in_class=True))
            place += 2
        else:
            made.append(f"\\{letter}" if letter in _SYNTAX else letter)
            place += 1
    return f"[{'^' if is_negated else ''}{''.join(made)}]", place + 1
