r"""Field mappings: how a line of a foreign file becomes an event of the contract. Owned by users, as YAML.

```yaml
description: Developer activity of public repositories.
fields:                                   # contract field: where it comes from
  event_id: id                            # a path in the line, `a.b.c` for nested objects, `a\\.b` for a dot in a name
  event: [{path: kind, map: {pv: page_view}}, name, {value: unknown}]     # the first that has a value
  platform: {value: server}               # a constant
  page.url: {template: "https://example.org/{project}/{kind}"}
  occurred_at: {path: ts, timestamp: milliseconds}      # forms: timestamps.py
  received_at: {path: stored, timestamp: iso, timezone: Europe/Berlin}
  anonymous_id: {hash: [ip, agent]}       # a stable id made of these paths; `hash: line` of the whole line
  user_id: {path: user, when: {signed_in: true}, optional: true}
properties:
  project: project                        # the same forms, for properties
spread: [props, {path: params, key: name, value: [text, number]}]         # whose members become properties
each: visits                              # an event for each element of this array, which stands in the array's stead
nulls: ["\\N", "-"]                        # texts that say that there is no value
columns: [id, at, name]                   # of a table whose first row does not name them; `log: combined` of a log
rest: properties                          # what nothing used, at every depth: properties (default) or drop
```

A value that is not there leaves its field out. A timestamp that is not there, and is not optional, or cannot be read is
kept as it is, so that the contract refuses the event and it is set aside instead of being given another time. What a
file may say is in `mapping_file`, how a value is found in `lines` and `origins`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.contract.event import NESTED, OBJECTS, Event
from event_assets.importing.lines import (
    Looked,
    Place,
    Used,
    elements,
    is_null,
    left_over,
    members,
    parts_at,
    place_of,
    text_of,
    used_at,
    within,
)
from event_assets.importing.mapping_file import MappingDocument, MappingError, Spread, read_mapping_file
from event_assets.importing.origins import ABSENT, Paths, as_string, fields_that_are_strings, sources_of
from event_assets.importing.reading import Form

_encode = msgspec.json.encode
_OBJECTS = {*NESTED, *OBJECTS}
_STRINGS = fields_that_are_strings(Event) | {
    f"{name}.{inner}" for name, struct in NESTED.items() for inner in fields_that_are_strings(struct)
}
_ASIDE = "rest"
"""The property that has what could not take its name, because another value has it."""
_MOST_CHOICES = 1_000


class FieldMapping:
    """A compiled mapping. `map` is pure but for the counts that it is given."""

    def __init__(self, document: MappingDocument, name: str = "") -> None:
        self.name = name
        self.description = document.description
        rules = document.model_dump_json(exclude={"description"})
        self.digest = hashlib.sha256(rules.encode()).hexdigest()[:16]
        self._each = place_of(document.each) if document.each else None
        self.form = Form(tuple(document.columns), document.quotes, document.log)
        self._nulls = frozenset(document.nulls)
        paths = Paths(self._nulls)
        self._fields = [(name, sources_of(name, origins, paths)) for name, origins in document.fields.items()]
        self._properties = [(name, sources_of(name, origins, paths)) for name, origins in document.properties.items()]
        self._spread = [_Spreading(spread, paths) for spread in document.spread]
        self._keeps_rest = document.rest == "properties"
        addresses = used_at([place for n, s in self._fields if n == "ip" for each in s for place in each.uses])
        self._addresses = [within(addresses, spread.place) for spread in self._spread]
        self._uses: dict[tuple[int, ...], tuple[Used, list[set[str]]]] = {}
        self.paths = tuple(paths.named)

    @staticmethod
    def load(path: Path) -> FieldMapping:
        """The mapping of a YAML file. Raises `MappingError`."""
        try:
            return FieldMapping(read_mapping_file(path), path.stem)
        except MappingError:
            raise
        except ValueError as error:
            raise MappingError(f"{path}: {error}") from None

    @property
    def is_line_by_line(self) -> bool:
        """Whether each line is one event."""
        return self._each is None

    def none_found(self) -> list[int]:
        """For each of `paths` that it was found in no line yet."""
        return [0] * len(self.paths)

    def never_found(self, found: Sequence[int]) -> list[str]:
        """The paths that had to be somewhere and were not, by these counts; of alternatives, if all were not."""
        there = {named.group for named, lines in zip(self.paths, found, strict=True) if lines}
        return [f"{named.path} (for {named.of})" for named in self.paths if named.group not in {None, *there}]

    def events(self, line: bytes, found: list[int], number: int) -> Iterator[bytes]:
        """The events of a line, or element of its array, each as `map` gives it."""
        parts: list[bytes] = []
        if self._each is not None:
            with contextlib.suppress(ValueError, RecursionError):
                parts = parts_at(line, self._each)
        if not parts:
            yield self.map(line, found, number)
        for nth, part in enumerate(parts, 1):
            yield self.map(part, found, f"{number}.{nth}")

    def map(self, line: bytes, found: list[int] | None = None, number: int | str = 0) -> bytes:
        """The line as an event of the contract; a line that is no JSON object, or has no readable value, as it came.

        `found`: counts in how many lines each of `paths` was there. `number`: the line's in its file.
        """
        try:
            return _encode(self._event(Looked(line, self.none_found() if found is None else found, number)))
        except (ValueError, RecursionError):
            return line

    def _event(self, line: Looked) -> dict[str, Any]:
        event: dict[str, Any] = {}
        choices: list[int] = []
        for name, sources in self._fields:
            value = _first(sources, line, choices)
            if value is not ABSENT:
                _set(event, name, value)
        explicit = {name: _first(sources, line, choices) for name, sources in self._properties}
        given = [spread.members(line) for spread in self._spread]
        choices += [0 if each is None else 1 for each in given]
        used, used_inside = self._used(tuple(choices))
        properties = _Properties()
        properties.add({name: value for name, value in explicit.items() if value is not ABSENT})
        own = event.pop("properties", {})
        properties.add(own if isinstance(own, dict) else {"properties": own})
        for each, addresses, named in zip(given, self._addresses, used_inside, strict=True):
            if each is not None:
                properties.add(left_over(each, addresses) if addresses else each, named)
        if self._keeps_rest:
            left = left_over(line.fields, used)
            properties.add({name: value for name, value in left.items() if not self._is_nothing(value)})
        made = properties.made()
        return {**event, "properties": made} if made else event

    def _is_nothing(self, value: Any) -> bool:
        return isinstance(value, Raw) and (is_null(value) or (bool(self._nulls) and text_of(value) in self._nulls))

    def _used(self, choices: tuple[int, ...]) -> tuple[Used, list[set[str]]]:
        """What is used up where these sources gave the values, and which names of the objects that are spread."""
        if choices not in self._uses:
            if len(self._uses) > _MOST_CHOICES:
                self._uses.clear()
            places: list[Place] = []
            every = [*(sources for _, sources in self._fields), *(sources for _, sources in self._properties)]
            for sources, choice in zip(every, choices, strict=False):
                chosen = [sources[choice]] if choice >= 0 else [s for s in sources if not s.is_conditional]
                places += [place for source in chosen for place in source.uses]
            spread = [s.place for s, choice in zip(self._spread, choices[len(every) :], strict=True) if choice]
            inside = [within(used_at(places), spread.place) for spread in self._spread]
            named = [{name for name, inner in each.items() if inner is None} for each in inside]
            self._uses[choices] = used_at([*places, *spread]), named
        return self._uses[choices]


class _Spreading:
    """An object, or an array of pairs, whose members become properties."""

    def __init__(self, spread: Spread, paths: Paths) -> None:
        self.place = place_of(spread.path)
        self._get = paths.getter(spread.path, "spread", None if spread.optional else paths.group())
        self._key = spread.key
        self._values = [place_of(path) for path in spread.value]

    def members(self, line: Looked) -> dict[str, Any] | None:
        """What becomes properties; None where nothing can, so that it is left over."""
        value = self._get(line)
        if value is ABSENT:
            return None
        return members(value) if self._key is None else self._pairs(value)

    def _pairs(self, value: Any) -> dict[str, Any] | None:
        pairs: dict[str, Any] = {}
        for element in elements(value):
            inside = members(element)
            if inside is None:
                return None
            pair = Looked(bytes(element), [])
            key = pair.value((self._key,))
            found = next((v for place in self._values if not is_null(v := pair.value(place))), None)
            if key is None or not bytes(key).startswith(b'"') or (name := text_of(key)) in pairs:
                return None
            pairs[name] = found if found is not None else left_over(inside, {self._key or "": None}) or None
        return pairs or None


class _Properties:
    """Properties by name. The first to take a name has it; another value of that name is kept under `rest`."""

    def __init__(self) -> None:
        self._taken: dict[str, Any] = {}
        self._aside: _Properties | None = None

    def add(self, more: dict[str, Any], already: set[str] | frozenset[str] = frozenset()) -> None:
        """Adds members, its own from now on; of a name that is taken only those that are not `already` used."""
        if not self._taken:
            self._taken = more
            return
        for name, value in more.items():
            if name not in self._taken:
                self._taken[name] = value
            elif name not in already and _encode(self._taken[name]) != _encode(value):
                self._aside = self._aside or _Properties()
                self._aside.add({name: value})

    def made(self) -> dict[str, Any]:
        """All of them."""
        if self._aside is None:
            return self._taken
        name = _ASIDE
        while name in self._taken:
            name += "_"
        return {**self._taken, name: self._aside.made()}


def _first(sources: Sequence[Any], line: Looked, choices: list[int]) -> Any:
    """The first value that there is; which source gave it is added to the choices, -1 where none did."""
    for number, source in enumerate(sources):
        value = source.get(line)
        if value is not ABSENT:
            choices.append(number)
            return value
    choices.append(-1)
    return ABSENT


def _set(event: dict[str, Any], name: str, value: Any) -> None:
    """Sets a field, or one inside it. A field that was given whole keeps its other members."""
    parent, _, child = name.partition(".")
    if name in _STRINGS:
        value = as_string(value)
    elif not child and parent in _OBJECTS and isinstance(value, Raw):
        inside = members(value)
        value = value if inside is None else inside
    if not child:
        before = event.get(name)
        event[name] = {**value, **before} if isinstance(before, dict) and isinstance(value, dict) else value
    elif isinstance(event.setdefault(parent, {}), dict):
        event[parent][child] = value


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
