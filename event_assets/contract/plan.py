"""The tracking plan: what each event's properties must be. One YAML file per event name, owned by the users.

A plan is compiled once into msgspec types, so that checking an event costs one more decode of its properties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta

from event_assets.contract.event import NESTED, Event, Id
from event_assets.contract.paths import parts_of
from event_assets.contract.plan_property import Property, property_fault, property_type
from event_assets.contract.readings import plainly_read

T = TypeVar("T")
Mode = Literal["warn", "quarantine", "reject"]
PlanReason = Literal["unknown_event", "plan_violation"]
"""Why the plan does not take an event: it has none of this name, or its properties or fields break a rule."""

_SETTINGS_FILE = "_settings.yaml"
_SHOWN_CHARACTERS = 500
_NOTHING = (b"", b"null")


class PlanError(ValueError):
    """A plan file cannot be used. The message names the file, the place and the rule."""


class PlanVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of an event's properties."""

    properties: dict[str, Property] = {}


class EventPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the plan. `fields` are contract fields that this event requires (`page.url`)."""

    event: Id
    versions: Annotated[dict[Annotated[int, Meta(ge=1)], PlanVersion], Meta(min_length=1)]
    description: str = ""
    mode: Mode = "warn"
    fields: list[str] = []


class PlanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the whole plan."""

    unknown_events: Mode = "warn"


@dataclass(frozen=True, slots=True)
class Violation:
    """An event breaks the plan: how strict the plan is, what is wrong in a sentence, and as a code."""

    mode: Mode
    detail: str
    reason: PlanReason = "plan_violation"


@dataclass(frozen=True)
class TrackingPlan:
    """All event plans and the settings of the plan. An empty one allows every event."""

    events: Mapping[str, EventPlan] = field(default_factory=dict)
    settings: PlanSettings = field(default_factory=PlanSettings)

    @staticmethod
    def load(directory: Path) -> TrackingPlan:
        """The plan of a folder. Raises `PlanError`."""
        if not directory.is_dir():
            raise PlanError(f"{directory}: there is no such folder; EVENT_ASSETS_PLAN_DIR names the tracking plan")
        events: dict[str, EventPlan] = {}
        settings = PlanSettings()
        for path in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
            document = read_yaml(path)
            if path.name == _SETTINGS_FILE:
                settings = _convert(path, document, PlanSettings)
                continue
            _check_properties(path, document)
            plan = _convert(path, document, EventPlan)
            if plan.event in events:
                raise PlanError(f"{path}: the event {plan.event!r} has a file already; put its versions in one")
            _check(path, plan)
            events[plan.event] = plan
        return TrackingPlan(events, settings)

    @property
    def digest(self) -> str:
        """Changes when, and only when, the rules of the plan change; words for people are no rules."""
        events = [_rules(plan) for _, plan in sorted(self.events.items())]
        return hashlib.sha256(msgspec.json.encode([events, self.settings], order="deterministic")).hexdigest()[:16]

    def compile(
        self, hidden: Collection[str] = (), unjudged: Collection[str] = ()
    ) -> Callable[[Event], Violation | None]:
        """A function that tells how an event breaks the plan; None where it does not.

        It may quote a value, but none of a `hidden` field (`properties.email`), nor of one that the plan marks `pii`.
        Of properties that are `unjudged` it says only that they are missing.
        """
        compiled = {plan.event: _compile(plan, hidden, unjudged) for plan in self.events.values()}
        unknown = self.settings.unknown_events

        def check(event: Event) -> Violation | None:
            rule = compiled.get(event.event)
            if rule is not None:
                return rule(event)
            if not compiled and unknown == "warn":
                return None
            return Violation(unknown, not_planned(event.event), "unknown_event")

        return check


def not_planned(name: str) -> str:
    """What is said of an event that the plan does not have."""
    return f"the tracking plan has no event {name!r}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which a name given twice is an error: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return made


def read_yaml(path: Path) -> Any:
    """The document of a YAML file; None of one without any. Raises `PlanError`."""
    return read_document(path)[0]


def read_document(path: Path) -> tuple[Any, yaml.Node | None]:
    """The document of a YAML file, with the node that knows its lines; None of a file without any. Raises
    `PlanError`."""
    documents = read_documents(path)
    if len(documents) > 1:
        line = documents[1][1].start_mark.line + 1
        raise PlanError(f"{path}:{line}: a second document begins; put it into a file of its own")
    return documents[0] if documents else (None, None)


def read_documents(path: Path) -> list[tuple[Any, yaml.Node]]:
    """The documents of a YAML file, each with its node. Raises `PlanError`."""
    try:
        nodes = list(yaml.compose_all(path.read_text("utf-8"), _Loader))
        return [(_Loader("").construct_document(node), node) for node in nodes]
    except yaml.MarkedYAMLError as error:
        line = f"{error.problem_mark.line + 1}: " if error.problem_mark else " "
        raise PlanError(f"{path}:{line}{', '.join(filter(None, (error.context, error.problem)))}") from None
    except (OSError, RecursionError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanError(f"{path}: it cannot be read: {error}") from None


def _convert(place: Path | str, document: Any, type_: type[T]) -> T:
    try:
        return msgspec.convert(document, type_, str_keys=False)
    except msgspec.ValidationError as error:
        raise PlanError(f"{place}: {error}") from None


def _rules(plan: EventPlan) -> list[Any]:
    versions = [
        (version, sorted((name, msgspec.structs.replace(rule, description="", unit="")) for name, rule in body))
        for version, body in sorted((version, body.properties.items()) for version, body in plan.versions.items())
    ]
    return [plan.event, plan.mode, sorted(plan.fields), versions]


def _compile(
    plan: EventPlan, hidden: Collection[str], unjudged: Collection[str]
) -> Callable[[Event], Violation | None]:
    decoders = {version: properties_decoder(plan, version, unjudged) for version in plan.versions}
    required = [(name, attrgetter(name)) for name in plan.fields]
    known = ", ".join(str(version) for version in sorted(decoders))
    faults = {version: _Faults(plan, version, hidden) for version in plan.versions}
    needs_none = {version for version, decoder in decoders.items() if _takes_nothing(decoder)}

    def check(event: Event) -> Violation | None:
        decoder = decoders.get(event.schema_version)
        if decoder is None:
            detail = f"{plan.event}: schema_version {event.schema_version} is not in the tracking plan ({known})"
            return Violation(plan.mode, detail)
        for name, value_of in required:
            if _is_missing(event, value_of):
                return Violation(plan.mode, f"{plan.event}: the field {name} is required")
        text = bytes(event.properties)
        if text in _NOTHING:
            if event.schema_version in needs_none:
                return None
            text = b"{}"
        try:
            decoder.decode(text)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            plain = plainly_read(text)
            if plain is not None and fits(decoder, plain):
                return None
            said = faults[event.schema_version].said(text, error)
            words = f"{plan.event} v{event.schema_version}: {said}".replace("`$", "`$.properties")
            return Violation(plan.mode, shown(words))
        return None

    return check


def fits(decoder: msgspec.json.Decoder[Any], text: bytes) -> bool:
    """Whether the decoder takes the text."""
    try:
        decoder.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        return False
    return True


class _Faults:
    """Says what is wrong with properties, and quotes no value of a hidden one. The decoder quotes what it was sent
    only where a value is none of those that a property lists, so hidden properties are decoded once more without their
    lists: a fault that is left then tells of no value."""

    def __init__(self, plan: EventPlan, version: int, hidden: Collection[str]) -> None:
        paths = map(parts_of, hidden)
        secret = {path[1] for path in paths if path[0] == "properties" and len(path) > 1}
        rules = plan.versions[version].properties
        self._secret = {n: rule.enum for n, rule in rules.items() if rule.enum and (rule.pii or n in secret)}
        without = {n: msgspec.structs.replace(r, enum=None) if n in self._secret else r for n, r in rules.items()}
        self._decoder = properties_decoder(
            msgspec.structs.replace(plan, versions={version: PlanVersion(without)}), version
        )
        self._fields = {name: f"p{index}" for index, name in enumerate(rules)}

    def said(self, text: bytes, error: msgspec.MsgspecError) -> str:
        """What is wrong with these properties, of which the decoder said this."""
        if not self._secret:
            return str(error)
        try:
            values = self._decoder.decode(text)
        except (msgspec.ValidationError, msgspec.DecodeError) as other:
            return str(other)
        for name, listed in self._secret.items():
            value = getattr(values, self._fields[name])
            if value is not None and value not in listed:
                return f"Invalid enum value - at `$.{name}`"
        return "Invalid enum value"


def _takes_nothing(decoder: msgspec.json.Decoder[Any]) -> bool:
    """Whether an event needs no properties at all; most events are pings, which have none."""
    return fits(decoder, b"{}")


def shown(text: str) -> str:
    """An error's words in bounds and printable: they may quote what a client sent."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _is_missing(event: Event, value_of: Callable[[Event], Any]) -> bool:
    try:
        value = value_of(event)
    except AttributeError:
        return True
    return (bytes(value) in _NOTHING) if isinstance(value, msgspec.Raw) else value in (None, "")


def properties_decoder(plan: EventPlan, version: int, unjudged: Collection[str] = ()) -> msgspec.json.Decoder[Any]:
    """Decodes the properties that a version of the event allows, and no others; those that are `unjudged` may be
    anything."""
    properties = plan.versions[version].properties
    fields = []
    for index, (name, rule) in enumerate(properties.items()):
        type_ = Any if name in unjudged else property_type(rule)
        fields.append((f"p{index}", type_) if rule.required else (f"p{index}", type_ | None, None))
    rename = {f"p{index}": name for index, name in enumerate(properties)}
    struct = msgspec.defstruct(f"Properties{version}", fields, rename=rename, gc=False, kw_only=True)
    return msgspec.json.Decoder(struct)


def _check(path: Path, plan: EventPlan) -> None:
    """Finds what the types cannot: fields that the contract does not have, bounds that no value can keep."""
    for name in plan.fields:
        if not _is_field(name):
            raise PlanError(f"{path}: fields names {name!r}, which the contract does not have")
    for version, body in plan.versions.items():
        for name, rule in body.properties.items():
            fault = property_fault(rule)
            if fault:
                raise PlanError(f"{path}: version {version}, property {name!r}: {fault}")


def _check_properties(path: Path, document: Any) -> None:
    """Reads each property by itself, so that the error can name it."""
    for version, body in _items(document, "versions"):
        for name, rule in _items(body, "properties"):
            _convert(f"{path}: version {version}, property {name!r}", rule, Property)


def _items(document: Any, name: str) -> list[tuple[Any, Any]]:
    """The pairs of an object's field, where it is one; if not, reading it as a whole says so."""
    inner = document.get(name) if isinstance(document, dict) else None
    return list(inner.items()) if isinstance(inner, dict) else []


def _is_field(name: str) -> bool:
    head, dot, tail = name.partition(".")
    if head not in Event.__struct_fields__:
        return False
    return not dot or tail in getattr(NESTED.get(head), "__struct_fields__", ())
