"""A line of a foreign file as far as a mapping looks into it: what stands on a path, and what is left over.

Values stay JSON text. An object may be there as JSON in a string, as databases export it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.contract.paths import parts_of

Fields = dict[str, Raw]
Place = tuple[Any, ...]
"""The names on a path; a number for an element of an array, a (key, value) for the element that has it."""
Used = dict[str, Any]
"""Names whose values were used, None for the whole of one, else what was used inside it."""

_SELECTOR = re.compile(r"^(?P<name>.*[^\\])\[(?:(?P<nth>\d+)|(?P<key>[^\[\]=]+)=(?P<value>[^\[\]=]*))\]$", re.DOTALL)
_BOUNDARY = re.compile(r"(?:\\.|[^.\\\[]|\[[^\[\]=.]*=[^\[\]]*\]|\[)+", re.DOTALL)
_decode = msgspec.json.decode
_decode_fields = msgspec.json.Decoder(Fields).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode


def place_of(path: str) -> Place:
    r"""Where a path leads: `a.b`, `a\.b` for a dot in a name, `list[0].x`, `list[key=name].x`."""
    place: list[Any] = []
    for part in _BOUNDARY.findall(path):
        selector = _SELECTOR.match(part)
        if selector is None:
            place += [name.replace("\0", ".") for name in parts_of(part)]
        else:
            place += parts_of(selector["name"])
            place.append(int(selector["nth"]) if selector["nth"] else (selector["key"], selector["value"]))
    return tuple(place)


class Looked:
    """One line, in which every object is decoded once at the most."""

    def __init__(self, text: bytes, found: list[int], number: int | str = 0) -> None:
        self.text = text
        self.number = number
        self.fields = _decode_fields(text)
        self.found = found
        self._objects: dict[Place, Fields | None] = {}

    def value(self, place: Place) -> Raw | None:
        """What stands there, which may be null; None for nothing."""
        last = place[-1]
        if len(place) == 1:
            value = self.fields.get(last)
        elif isinstance(last, str):
            value = (self._members(place[:-1]) or {}).get(last)
        else:
            value = _element(self.value(place[:-1]), last)
        return value

    def _members(self, place: Place) -> Fields | None:
        if place not in self._objects:
            self._objects[place] = members(self.value(place))
        return self._objects[place]


def parts_at(text: bytes, place: Place) -> list[bytes]:
    """The line as often as the array at a place has elements, each time with another one in the array's stead; none
    where there is no array with elements. Raises `ValueError` where the line is no JSON object."""
    name, *deeper = place
    fields = _decode_fields(text)
    value = fields.get(name)
    if deeper:
        inside = members(value)
        parts: Sequence[Any] = [] if inside is None else parts_at(msgspec.json.encode(inside), tuple(deeper))
    else:
        parts = elements(value)
    return [msgspec.json.encode({**fields, name: Raw(part)}) for part in parts]


def is_null(value: Raw | None) -> bool:
    """Whether there is nothing, or null."""
    return value is None or (len(value) == 4 and bytes(value) == b"null")


def members(value: Any) -> Fields | None:
    """The members of an object, which may be JSON in a string; None of anything else."""
    text = _unquoted(value)
    if not text.startswith(b"{"):
        return None
    try:
        return _decode_fields(text)
    except ValueError:
        if text is not value and bytes(value).startswith(b'"'):
            return None
        raise


def elements(value: Any) -> list[Raw]:
    """The elements of an array, which may be JSON in a string; none of anything else."""
    text = _unquoted(value)
    return _decode_list(text) if text.startswith(b"[") else []


def text_of(value: Any) -> str:
    """A value as text: strings without their quotes, anything else as JSON."""
    plain = _decode(value) if isinstance(value, Raw) else value
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _unquoted(value: Any) -> bytes:
    text = b"" if value is None else bytes(value)
    if text.startswith(b'"') and (b"{" in text or b"[" in text):
        return str(_decode(text)).strip().encode("utf-8", "surrogatepass")
    return text


def _element(value: Raw | None, which: int | tuple[str, str]) -> Raw | None:
    if value is None:
        return None
    found = elements(value)
    if isinstance(which, int):
        return found[which] if which < len(found) else None
    key, wanted = which
    for element in found:
        name = (members(element) or {}).get(key)
        if name is not None and text_of(name) == wanted:
            return element
    return None


def used_at(places: Sequence[Place]) -> Used:
    """The names that these places use up. An element of an array is not: the others in it would go with it."""
    used: Used = {}
    for place in places:
        if all(isinstance(part, str) for part in place):
            inner: Any = used
            for part in place[:-1]:
                inner = inner.setdefault(part, {}) if inner is not None else None
            if inner is not None:
                inner[place[-1]] = None
    return used


def within(used: Used, place: Place) -> Used:
    """What of an object at a place is used."""
    inner: Any = used
    for part in place:
        inner = (inner or {}).get(part, {}) if isinstance(part, str) else {}
    return inner or {}


def left_over(fields: Fields, used: Used) -> dict[str, Any]:
    """The fields without what was used, at every depth; an object of which nothing is left is left out."""
    left: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in used:
            left[name] = value
        elif used[name] is not None:
            inside = members(value)
            rest = value if inside is None else left_over(inside, used[name])
            if inside is None or rest:
                left[name] = rest
    return left
