"""Field mappings: how a line of a foreign file becomes an event of the contract. Owned by users, as YAML.

```yaml
description: Developer activity of public repositories.
fields:                                   # contract field: where it comes from
  event_id: id                            # a path in the line, `a.b.c` for nested objects
  event: {path: kind, default: unknown}
  platform: {value: server}               # a constant
  page.url: {template: "https://example.org/{project}/{kind}"}
  occurred_at: {path: ts, timestamp: milliseconds}   # rfc3339, seconds, milliseconds, microseconds, strptime format
  received_at: {path: stored, timestamp: "%Y-%m-%d %H:%M:%S", timezone: Europe/Berlin}
  anonymous_id: {hash: [ip, agent]}       # a stable id made of these paths; `hash: line` of the whole line
properties:
  project: project                        # the same forms, for properties
spread: [props]                           # objects whose members become properties
rest: properties                          # top-level fields that nothing names: properties (default) or drop
```

A value that is not there leaves its field out. A timestamp that is not there or cannot be read is kept as it is, so
that the contract refuses the event and it is set aside instead of being given another time. Reading is in `reading`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml
from msgspec import Raw, Struct

from event_assets.contract.event import NESTED, Event

Fields = dict[str, Raw]
Getter = Callable[[Fields, bytes], Any]
"""A value for a line's fields and its bytes; `_ABSENT` where there is none."""

_ABSENT: Any = object()
_NULL = b"null"
_decode_fields = msgspec.json.Decoder(Fields).decode
_decode = msgspec.json.decode
_encode = msgspec.json.encode
_NO_TIME = ""  # no time at all makes a broken event, not one that happened when it was imported
_UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6}


class MappingError(ValueError):
    """A mapping file cannot be used. The message names the file, the place and the rule."""


class Origin(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one value comes from: exactly one of `path`, `value`, `template`, `hash`."""

    path: str | None = None
    value: str | int | float | bool | None = None
    template: str | None = None
    hash: list[str] | Literal["line"] | None = None
    default: str | int | float | bool | None = None
    timestamp: str | None = None
    timezone: str = "UTC"


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    fields: dict[str, str | Origin]
    description: str = ""
    properties: dict[str, str | Origin] = {}
    spread: list[str] = []
    rest: Literal["properties", "drop"] = "properties"


class FieldMapping:
    """A compiled mapping. `map` is pure."""

    def __init__(self, document: _Document, name: str = "") -> None:
        self.name = name
        self.description = document.description
        self.digest = hashlib.sha256(_encode(document)).hexdigest()[:16]
        flat = {field: _getter(field, origin) for field, origin in document.fields.items() if "." not in field}
        self._flat = list(flat.items())
        self._nested = [
            (*field.partition(".")[::2], _getter(field, origin))
            for field, origin in document.fields.items()
            if "." in field
        ]
        self._properties = [(name, _getter(name, origin)) for name, origin in document.properties.items()]
        self._spread = [_path_getter(path) for path in document.spread]
        self._rest = document.rest == "properties"
        self._named = _named_sources(document)

    @staticmethod
    def load(path: Path) -> FieldMapping:
        """The mapping of a YAML file. Raises `MappingError`."""
        try:
            document = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), _Document)
            for name in document.fields:
                _check_field(name)
            return FieldMapping(document, path.stem)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError, ValueError) as error:
            raise MappingError(f"{path}: {error}") from None

    def map(self, line: bytes) -> bytes:
        """The line as an event of the contract; a line that is no JSON object, or has no readable value, as it came."""
        try:
            return _encode(self._event(_decode_fields(line), line))
        except (ValueError, RecursionError):
            return line

    def _event(self, fields: Fields, line: bytes) -> dict[str, Any]:
        event: dict[str, Any] = {}
        for name, get in self._flat:
            value = get(fields, line)
            if value is not _ABSENT:
                event[name] = value
        for parent, name, get in self._nested:
            value = get(fields, line)
            if value is not _ABSENT:
                event.setdefault(parent, {})[name] = value
        properties = self._properties_of(fields, line)
        if properties:
            event["properties"] = properties
        return event

    def _properties_of(self, fields: Fields, line: bytes) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        if self._rest:
            properties = {name: value for name, value in fields.items() if name not in self._named}
        for get in self._spread:
            members = get(fields, line)
            if members is not _ABSENT and bytes(members).startswith(b"{"):
                properties.update(_decode_fields(members))
        for name, get in self._properties:
            value = get(fields, line)
            if value is not _ABSENT:
                properties[name] = value
        return properties


def find_mapping(name: str | Path) -> FieldMapping:
    """The mapping of that file, or the one of that name that is shipped. Raises `MappingError`."""
    path = Path(name)
    shipped = Path(__file__).parent / "mappings"
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        path = shipped / f"{name}.yaml"
        if not path.exists():
            known = ", ".join(sorted(file.stem for file in shipped.glob("*.yaml")))
            raise MappingError(f"there is no mapping {str(name)!r}; give a YAML file or one of: {known}")
    return FieldMapping.load(path)


def _named_sources(document: _Document) -> frozenset[str]:
    """Top-level fields that the mapping speaks of, so that they are no rest."""
    named = {path.partition(".")[0] for path in document.spread}
    for origin in (*document.fields.values(), *document.properties.values()):
        full = Origin(path=origin) if isinstance(origin, str) else origin
        if full.path is not None:
            named.add(full.path.partition(".")[0])
        if isinstance(full.hash, list):
            named.update(path.partition(".")[0] for path in full.hash)
    return frozenset(named)


def _check_field(name: str) -> None:
    parent, _, child = name.partition(".")
    if parent not in Event.__struct_fields__:
        raise ValueError(f"fields: the contract has no field {name!r}")
    if child and child not in getattr(NESTED.get(parent), "__struct_fields__", ()) and parent != "traits":
        raise ValueError(f"fields: the contract has no field {name!r}")


def _getter(name: str, origin: str | Origin) -> Getter:
    if isinstance(origin, str):
        origin = Origin(path=origin)
    given = [part for part in ("path", "value", "template", "hash") if getattr(origin, part) is not None]
    if len(given) != 1:
        raise ValueError(f"{name}: exactly one of path, value, template, hash is required")
    get = _ORIGINS[given[0]](getattr(origin, given[0]))
    if origin.default is not None:
        get = _with_default(get, origin.default)
    return get if origin.timestamp is None else _timestamp_getter(name, get, origin.timestamp, origin.timezone)


def _path_getter(path: str) -> Getter:
    first, *rest = path.split(".")

    def top(fields: Fields, line: bytes) -> Any:
        value = fields.get(first)
        return _ABSENT if value is None or (len(value) == 4 and bytes(value) == _NULL) else value

    def deep(fields: Fields, line: bytes) -> Any:
        value = fields.get(first)
        for name in rest:
            if value is None or not bytes(value).startswith(b"{"):
                return _ABSENT
            value = _decode_fields(value).get(name)
        return _ABSENT if value is None or bytes(value) == _NULL else value

    return deep if rest else top


def _value_getter(value: Any) -> Getter:
    return lambda fields, line: value


def _template_getter(template: str) -> Getter:
    parts = re.split(r"\{([^{}]+)\}", template)
    texts, getters = parts[::2], [_path_getter(path) for path in parts[1::2]]

    def get(fields: Fields, line: bytes) -> Any:
        filled = [texts[0]]
        for getter, text in zip(getters, texts[1:], strict=True):
            value = getter(fields, line)
            if value is _ABSENT:
                return _ABSENT
            filled += [_text(value), text]
        return "".join(filled)

    return get


def _hash_getter(paths: list[str] | Literal["line"]) -> Getter:
    if paths == "line":
        return lambda fields, line: hashlib.sha256(line).hexdigest()[:32]
    getters = [_path_getter(path) for path in paths]

    def get(fields: Fields, line: bytes) -> Any:
        values = [getter(fields, line) for getter in getters]
        if all(value is _ABSENT for value in values):
            return _ABSENT
        text = b"\x1f".join(b"" if value is _ABSENT else bytes(value) for value in values)
        return hashlib.sha256(text).hexdigest()[:32]

    return get


_ORIGINS: dict[str, Callable[[Any], Getter]] = {
    "path": _path_getter,
    "value": _value_getter,
    "template": _template_getter,
    "hash": _hash_getter,
}


def _with_default(get: Getter, default: Any) -> Getter:
    def filled(fields: Fields, line: bytes) -> Any:
        value = get(fields, line)
        return default if value is _ABSENT else value

    return filled


def _timestamp_getter(name: str, get: Getter, form: str, timezone: str) -> Getter:
    if form == "rfc3339":
        return _with_default(get, _NO_TIME)
    read = _reader(name, form, timezone)

    def timed(fields: Fields, line: bytes) -> Any:
        value = get(fields, line)
        if value is _ABSENT:
            return _NO_TIME
        try:
            return read(value)
        except (ValueError, OverflowError, OSError, TypeError):
            return value

    return timed


def _reader(name: str, form: str, timezone: str) -> Callable[[Any], Any]:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name}: there is no time zone {timezone!r}") from None
    if form in _UNITS:
        unit = _UNITS[form]
        return lambda value: dt.datetime.fromtimestamp(float(_text(value)) / unit, dt.UTC).isoformat()
    if "%" not in form:
        raise ValueError(f"{name}: timestamp must be rfc3339, {', '.join(_UNITS)} or a strptime format")

    def parse(value: Any) -> str:
        moment = dt.datetime.strptime(_text(value), form)  # noqa: DTZ007 - the mapping names the zone
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()

    return parse


def _text(value: Any) -> str:
    """A source value as text: strings without their quotes."""
    plain = _decode(value) if isinstance(value, Raw) else value
    return plain if isinstance(plain, str) else _encode(plain).decode()
