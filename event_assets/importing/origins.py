"""How the value of one field is made of a line: the compiled form of what a mapping file says of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from event_assets.importing.lines import Looked, Place, is_null, place_of, text_of
from event_assets.importing.mapping_file import Origin, as_text
from event_assets.importing.timestamps import timestamp_reader

ABSENT: Any = object()
_NO_TIME = ""  # no time at all makes a broken event, not one that happened when it was imported
Get = Callable[[Looked], Any]
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")


class NamedPath(NamedTuple):
    """A path that a mapping names. Of those of one `group` one must be there; None: none must."""

    path: str
    of: str
    group: int | None


@dataclass
class Paths:
    """The paths that a mapping names, in its order. A text of `nulls` is no value."""

    nulls: frozenset[str] = frozenset()
    named: list[NamedPath] = field(default_factory=list)
    _groups: int = 0

    def group(self) -> int:
        """A new group."""
        self._groups += 1
        return self._groups

    def getter(self, path: str, of: str, group: int | None) -> Get:
        """What finds the value on a path, and counts that."""
        place, number = place_of(path), len(self.named)
        self.named.append(NamedPath(path, of, group))

        def get(line: Looked) -> Any:
            value = line.value(place)
            if value is None:
                return ABSENT
            line.found[number] += 1
            return ABSENT if is_null(value) or (self.nulls and text_of(value) in self.nulls) else value

        return get


class CompiledOrigin(NamedTuple):
    """One origin: what gives its value, the places that are used up when it does, and whether it may be passed over
    though there is a value."""

    get: Get
    uses: tuple[Place, ...]
    is_conditional: bool


def sources_of(name: str, origins: Sequence[Origin], paths: Paths) -> list[CompiledOrigin]:
    """The origins of a field, of which the first that has a value counts. Raises `ValueError`."""
    shared = paths.group() if len(origins) > 1 else None
    return [_source(name, origin, paths, shared) for origin in origins]


def _source(name: str, origin: Origin, paths: Paths, shared: int | None) -> CompiledOrigin:
    def getter(path: str) -> Get:
        return paths.getter(path, name, None if origin.optional else shared or paths.group())

    used: list[str] = []
    if origin.path is not None:
        used, get = [origin.path], getter(origin.path)
    elif origin.template is not None:
        get = _template(origin.template, getter)
        get = _hashed(get) if origin.hashed else get
    elif isinstance(origin.hash, list):
        group = None if origin.optional else shared or paths.group()
        used, get = origin.hash, _hash([paths.getter(path, name, group) for path in origin.hash])
    elif origin.hash is not None:
        get = _line_hash if origin.hash == "line" else _numbered_line_hash
    else:
        get = _constant(origin.value)
    get = _mapped(get, origin)
    if origin.type is not None:
        get = _typed(get, origin.type)
    if origin.timestamp is not None:
        get = _timed(get, origin)
    get = _on_condition(get, origin, lambda path: paths.getter(path, f"{name}, when", paths.group()))
    return CompiledOrigin(get, tuple(map(place_of, used)), bool(origin.when))


def _constant(value: Any) -> Get:
    return lambda line: value


def _line_hash(line: Looked) -> str:
    return hashlib.sha256(line.text).hexdigest()[:32]


def _numbered_line_hash(line: Looked) -> str:
    return hashlib.sha256(f"{line.number}\0".encode() + line.text).hexdigest()[:32]


def _template(template: str, getter: Callable[[str], Get]) -> Get:
    pieces = re.split(r"\{([^{}]+)\}", template)
    texts, getters = pieces[::2], [getter(path) for path in pieces[1::2]]

    def get(line: Looked) -> Any:
        values = [each(line) for each in getters]
        if any(value is ABSENT for value in values):
            return ABSENT
        return texts[0] + "".join(text_of(value) + text for value, text in zip(values, texts[1:], strict=True))

    return get


def _hashed(get: Get) -> Get:
    def hashed(line: Looked) -> Any:
        value = get(line)
        return ABSENT if value is ABSENT else hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:32]

    return hashed


def _hash(getters: Sequence[Get]) -> Get:
    def get(line: Looked) -> Any:
        values = [each(line) for each in getters]
        if all(value is ABSENT for value in values):
            return ABSENT
        text = b"\x1f".join(b"" if value is ABSENT else bytes(value) for value in values)
        return hashlib.sha256(text).hexdigest()[:32]

    return get


def _mapped(get: Get, origin: Origin) -> Get:
    """With the value that stands for the one that was found, and the default where none was."""
    other, default = origin.map, origin.default
    if other is None and default is None:
        return get

    def mapped(line: Looked) -> Any:
        value = get(line)
        if value is ABSENT:
            return ABSENT if default is None else default
        return other.get(text_of(value), value) if other is not None else value

    return mapped


_BOOLEANS = {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}


def _typed(get: Get, kind: str) -> Get:
    """With a text that says a number or a truth as that; any other value as it is."""

    def typed(line: Looked) -> Any:
        value = get(line)
        if value is ABSENT:
            return ABSENT
        text = text_of(value).strip()
        if kind == "boolean":
            return _BOOLEANS.get(text.lower(), value)
        return Raw(text.encode()) if _NUMBER.fullmatch(text) else value

    return typed


def _timed(get: Get, origin: Origin) -> Get:
    read = timestamp_reader(origin.timestamp or (), origin.timezone)

    def timed(line: Looked) -> Any:
        value = get(line)
        if value is ABSENT:
            return ABSENT if origin.optional else _NO_TIME
        try:
            return value if read is None else read(text_of(value))
        except (ValueError, OverflowError, OSError, TypeError):
            return value

    return timed


def _on_condition(get: Get, origin: Origin, getter: Callable[[str], Get]) -> Get:
    conditions = [(getter(path), {as_text(value) for value in values}) for path, values in origin.when.items()]
    if not conditions:
        return get

    def where(line: Looked) -> Any:
        found = [(condition(line), wanted) for condition, wanted in conditions]
        holds = all(value is not ABSENT and text_of(value) in wanted for value, wanted in found)
        return get(line) if holds else ABSENT

    return where


def as_string(value: Any) -> Any:
    """A number as text, for a field that is one; anything else as it is."""
    if isinstance(value, Raw):
        text = bytes(value)
        return text.decode() if text[:1] in b"-0123456789" and text else value
    return as_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def fields_that_are_strings(struct: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a model that take text."""
    named = msgspec.inspect.type_info(struct)
    assert isinstance(named, msgspec.inspect.StructType)
    return frozenset(each.encode_name for each in named.fields if _takes_text(each.type))


def _takes_text(kind: Any) -> bool:
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return any(isinstance(each, msgspec.inspect.StrType) for each in kinds)
