"""The plan as a Python module, for programs that send with `event_assets_sdk`."""

from __future__ import annotations

import builtins
import keyword

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.plan_code.planned import Planned, in_a_line, not_reserved, planned_events
from event_assets.contract.plan_property import Property

FIELDS = {
    "anonymous_id": "str",
    "user_id": "str",
    "group_id": "str",
    "session_id": "str",
    "page_view_id": "str",
    "event_id": "str",
    "occurred_at": "_dt.datetime",
    "consent": "Mapping[str, bool | None]",
    "campaign": "Mapping[str, str | None]",
    "traits_once": "Mapping[str, Any]",
    "context": "Mapping[str, Any]",
}
"""What a call of the SDK may say of its event, and its type; the version is the plan's."""
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "Mapping[str, Any]",
    "array": "list[Any] | tuple[Any, ...]",
    "timestamp": "_dt.datetime",
}
_RESERVED = frozenset({*dir(builtins), *keyword.kwlist, *keyword.softkwlist})


def python_code(plan: TrackingPlan) -> str:
    """The text of the module. Raises `PlanError` where an event has no name that it could have there."""
    events = planned_events(plan, lambda words: not_reserved("_".join(words), _RESERVED))
    return (
        "\n\n\n".join([_HEAD.format(digest=plan.digest), *(_event(name, each) for name, each in events.items())]) + "\n"
    )


_HEAD = '''"""The events of the tracking plan {digest}. Made by `event-assets plan codegen`; do not edit."""

# ruff: noqa
from __future__ import annotations

import datetime as _dt
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, Required, TypedDict, Unpack

from event_assets_sdk import EventClient
from event_assets_sdk.planned import PlannedEvent as _PlannedEvent, Rule as _Rule


class Fields(TypedDict, total=False):
    """What a call may say of its event."""

''' + "\n".join(f"    {name}: {type_} | None" for name, type_ in FIELDS.items())


def _event(name: str, planned: Planned) -> str:
    type_name = "".join(word.capitalize() for word in planned.words)
    constant = f"_{name.upper()}"
    fields = f"{type_name}Fields" if planned.fields else "Fields"
    parts = [_properties(f"{type_name}Properties", planned)]
    if planned.fields:
        parts.append(_fields(fields, planned))
    rules = "".join(f"\n        {_python(prop)}: _Rule({_rule(rule)})," for prop, rule in planned.rules().items())
    parts.append(
        f"{constant} = _PlannedEvent(\n    {_python(planned.plan.event)},\n    {planned.version},\n"
        f"    {{{rules}{chr(10) + '    ' if rules else ''}}},\n    {planned.fields!r},\n)"
    )
    properties = f"properties: {type_name}Properties"
    if not any(rule.required for rule in planned.properties.values()):
        properties += " = {}"
    parts.append(
        f"def {name}(client: EventClient, {properties}, **fields: Unpack[{fields}]) -> str | None:\n"
        f'    """{_words(planned.plan.description or planned.plan.event)}"""\n'
        f"    return {constant}.track(client, properties, fields)"
    )
    return "\n\n\n".join(parts)


def _properties(type_name: str, planned: Planned) -> str:
    typed = [f"{_python(name)}: {_type(rule)}" for name, rule in planned.properties.items()]
    if all(name.isidentifier() and not keyword.iskeyword(name) and name[:2] != "__" for name in planned.properties):
        lines = [f"    {name}: {_type(rule)}{_comment(rule)}" for name, rule in planned.properties.items()]
        return "\n".join([f"class {type_name}(TypedDict):", *(lines or ["    pass"])])
    return f"{type_name} = TypedDict(\n    {_python(type_name)},\n    {{{', '.join(typed)}}},\n)"


def _fields(type_name: str, planned: Planned) -> str:
    asked = {name if name in FIELDS else "context" for name in planned.fields if name != "properties"}
    lines = [
        f"    {name}: Required[{type_}]" if name in asked else f"    {name}: {type_} | None"
        for name, type_ in FIELDS.items()
    ]
    return "\n".join([f"class {type_name}(TypedDict, total=False):", *lines])


def _type(rule: Property) -> str:
    plain = _TYPES[rule.type] if rule.enum is None else f"Literal[{', '.join(map(_python, rule.enum))}]"
    return plain if rule.required else f"NotRequired[{plain} | None]"


def _rule(rule: dict[str, object]) -> str:
    rest = {name: value for name, value in rule.items() if name != "type"}
    return ", ".join([_python(rule["type"]), *(f"{name}={_python(value)}" for name, value in rest.items())])


def _comment(rule: Property) -> str:
    said = in_a_line(rule.description)
    return f"  #: {said}" if said else ""


def _python(value: object) -> str:
    return ascii(value)


def _words(text: str) -> str:
    """Within a docstring."""
    return in_a_line(text).replace("\\", "\\\\").replace('"', '\\"')
