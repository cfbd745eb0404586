"""Regular expressions of rules: what every engine finds the same with.

Java, Rust and Python have different ideas of `.`, `$`, `\\d` and `\\w`, and each has what the others lack. A rule may
say what all three have; the classes mean ASCII, `.` all but a line's end, and `$` the very end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f"}
_CONTROLS = "tnrf"
_LITERALS = r"\.[]{}()*+?^$|/-"
LONGEST_PATTERN = 1000
_MOST_TIMES = 1000


def pattern_of(text: str, *, end: str = r"\z") -> str:
    """The pattern in the words of an engine whose sign of the text's end is `end`: `\\z` of Java and Rust, `\\Z` of
    Python. Raises `ValueError`, in a sentence, of what not every engine has.

    >>> pattern_of(r"^/docs/\\d+$")
    '^/docs/[0-9]+\\\\z'
    """
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    made = "".join(_parts(text, end))
    try:
        re.compile(made.replace(r"\z", r"\Z"))
    except (re.error, OverflowError) as error:
        raise ValueError(f"it is no regular expression: {error}") from None
    return made


def _parts(text: str, end: str) -> Iterator[str]:
    rest = iter(range(len(text)))
    for place in rest:
        letter, after = text[place], text[place + 1 : place + 2]
        if letter == "\\":
            yield _escaped(after)
            next(rest, None)
        elif letter == "[":
            length = _length(text, place)
            yield _class(text[place + 1 : place + length - 1])
            for _ in range(length - 1):
                next(rest, None)
        elif letter == "(" and after == "?" and text[place + 2 : place + 3] != ":":
            raise ValueError("of groups with (? there is (?:…) alone; leave look-around, names and flags out")
        elif letter == "{" and not _is_repetition(text[place:]):
            raise ValueError(rf"a {{ is {{2}}, {{2,}} or {{2,5}}, up to {_MOST_TIMES}; write \{{ for the sign")
        elif letter in "*+?}" and after == "+":
            raise ValueError("possessive quantifiers (*+, ++, ?+) are not there; leave the last + out")
        else:
            yield {".": r"[^\n]", "$": end}.get(letter, letter)


def _is_repetition(text: str) -> bool:
    found = re.match(r"\{([0-9]{1,9})(?:,([0-9]{0,9}))?\}", text)
    return found is not None and all(int(times or 0) <= _MOST_TIMES for times in found.groups())


def _escaped(letter: str) -> str:
    if letter.lower() in _CLASSES and letter:
        return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
    if letter and letter in _LITERALS + _CONTROLS:
        return rf"\{letter}" if letter not in "/-" else letter
    raise ValueError(rf"\{letter} is not there; there are \d \w \s \D \W \S \t \n \r \f and \ before a sign")


def _length(text: str, place: int) -> int:
    """The length of the class that begins there, both brackets included."""
    at = place + 1 + (text[place + 1 : place + 2] == "^")
    while at < len(text) and text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise ValueError("it is no regular expression: a [ has no ]")
    return at - place + 1


def _class(inside: str) -> str:
    negated, body = inside[:1] == "^", inside.removeprefix("^")
    if not body or "[" in re.sub(r"\\.", "", body) or re.search("&&|--|~~", body):
        raise ValueError(r"inside of [ ] there is something, and no [, &&, -- or ~~; write \[ for the sign")
    made, rest = "", iter(range(len(body)))
    for place in rest:
        letter = body[place]
        if letter != "\\":
            made += rf"\{letter}" if letter in "^" else letter
            continue
        escaped = body[place + 1 : place + 2]
        next(rest, None)
        if escaped in _CLASSES and escaped:
            made += _CLASSES[escaped]
        elif escaped and escaped in _LITERALS + _CONTROLS:
            made += "/" if escaped == "/" else rf"\{escaped}"
        else:
            raise ValueError(rf"\{escaped} is not there inside of [ ]; there are \d \w \s and \ before a sign")
    return f"[{'^' if negated else ''}{made}]"
