"""The tracking plan: what each event's properties must be. One YAML file per event name, owned by the users.

A plan is compiled once into msgspec types, so that checking an event costs one more decode of its properties.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta

from event_assets.contract.event import NESTED, Event

T = TypeVar("T")
Mode = Literal["warn", "quarantine", "reject"]
PropertyType = Literal["string", "integer", "number", "boolean", "object", "array", "timestamp"]

_SETTINGS_FILE = "_settings.yaml"
_PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict[str, msgspec.Raw],
    "array": list[msgspec.Raw],
    "timestamp": Annotated[dt.datetime, Meta(tz=True)],
}


class PlanError(ValueError):
    """A plan file cannot be used. The message names the file, the place and the rule."""


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One property: its type and bounds."""

    type: PropertyType
    required: bool = False
    description: str = ""
    enum: list[str | int | float] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    pattern: str | None = None
    unit: str = ""
    pii: bool = False


class PlanVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of an event's properties."""

    properties: dict[str, Property] = {}


class EventPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the plan. `fields` are contract fields that this event requires (`page.url`)."""

    event: str
    versions: dict[int, PlanVersion]
    description: str = ""
    mode: Mode = "warn"
    fields: list[str] = []


class PlanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the whole plan."""

    unknown_events: Mode = "warn"


@dataclass(frozen=True, slots=True)
class Violation:
    """An event breaks the plan: how strict the plan is, and what is wrong."""

    mode: Mode
    detail: str
    unknown_event: bool = False


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
        for path in sorted(directory.glob("*.yaml")):
            if path.name == _SETTINGS_FILE:
                settings = _read(path, PlanSettings)
                continue
            plan = _read(path, EventPlan)
            if plan.event in events:
                raise PlanError(f"{path}: the event {plan.event!r} has a file already; put its versions in one")
            _check(path, plan)
            events[plan.event] = plan
        return TrackingPlan(events, settings)

    @property
    def digest(self) -> str:
        """Changes when, and only when, the rules of the plan change."""
        rules = msgspec.to_builtins([dict(self.events), self.settings], str_keys=True)
        return hashlib.sha256(msgspec.json.encode(rules, order="deterministic")).hexdigest()[:16]

    def compile(self) -> Callable[[Event], Violation | None]:
        """A function that tells how an event breaks the plan; None where it does not."""
        compiled = {plan.event: _compile(plan) for plan in self.events.values()}
        unknown = self.settings.unknown_events

        def check(event: Event) -> Violation | None:
            rule = compiled.get(event.event)
            if rule is not None:
                return rule(event)
            if not compiled:
                return None
            return Violation(unknown, f"the tracking plan has no event {event.event!r}", unknown_event=True)

        return check


def _read(path: Path, type_: type[T]) -> T:
    try:
        return msgspec.convert(yaml.safe_load(path.read_text("utf-8")), type_, str_keys=False)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise PlanError(f"{path}: {error}") from None


def _compile(plan: EventPlan) -> Callable[[Event], Violation | None]:
    decoders = {version: _decoder(plan, version) for version in plan.versions}
    required = [(name, attrgetter(name)) for name in plan.fields]
    known = ", ".join(str(version) for version in sorted(decoders))

    def check(event: Event) -> Violation | None:
        decoder = decoders.get(event.schema_version)
        if decoder is None:
            detail = f"{plan.event}: schema_version {event.schema_version} is not in the tracking plan ({known})"
            return Violation(plan.mode, detail)
        for name, value_of in required:
            if _is_missing(event, value_of):
                return Violation(plan.mode, f"{plan.event}: the field {name} is required")
        try:
            text = bytes(event.properties)
            decoder.decode(text if text and text != b"null" else b"{}")
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            return Violation(plan.mode, f"{plan.event} v{event.schema_version}: {error}".replace("`$", "`$.properties"))
        return None

    return check


def _is_missing(event: Event, value_of: Callable[[Event], Any]) -> bool:
    try:
        return value_of(event) in (None, "")
    except AttributeError:
        return True


def _decoder(plan: EventPlan, version: int) -> msgspec.json.Decoder[Any]:
    properties = plan.versions[version].properties
    fields = []
    for index, rule in enumerate(properties.values()):
        type_ = _type(rule)
        fields.append((f"p{index}", type_) if rule.required else (f"p{index}", type_ | None, None))
    rename = {f"p{index}": name for index, name in enumerate(properties)}
    struct = msgspec.defstruct(f"Properties{version}", fields, rename=rename, gc=False, kw_only=True)
    return msgspec.json.Decoder(struct)


def _type(rule: Property) -> Any:
    if rule.enum is not None:
        return Literal[tuple(rule.enum)]
    bounds: dict[str, Any] = {}
    if rule.minimum is not None:
        bounds["ge"] = int(rule.minimum) if rule.type == "integer" else rule.minimum
    if rule.maximum is not None:
        bounds["le"] = int(rule.maximum) if rule.type == "integer" else rule.maximum
    if rule.max_length is not None:
        bounds["max_length"] = rule.max_length
    if rule.pattern is not None:
        bounds["pattern"] = rule.pattern
    return Annotated[_PYTHON[rule.type], Meta(**bounds)] if bounds else _PYTHON[rule.type]


def _check(path: Path, plan: EventPlan) -> None:
    """Finds what the types cannot: impossible bounds and fields that the contract does not have."""
    for name in plan.fields:
        if not _is_field(name):
            raise PlanError(f"{path}: fields names {name!r}, which the contract does not have")
    for version in plan.versions:
        try:
            _decoder(plan, version)
        except (TypeError, ValueError) as error:
            raise PlanError(f"{path}: version {version}: {error}") from None


def _is_field(name: str) -> bool:
    head, _, tail = name.partition(".")
    if head not in Event.__struct_fields__:
        return False
    return not tail or tail in getattr(NESTED.get(head), "__struct_fields__", ())
