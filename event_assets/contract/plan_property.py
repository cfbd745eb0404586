"""One property of an event in the tracking plan: its type and bounds, as the YAML says and as a decoder takes them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PropertyType = Literal["string", "integer", "number", "boolean", "object", "array", "timestamp"]

_ENUM_TYPES: dict[str, type] = {"string": str, "integer": int}
_PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict[str, msgspec.Raw],
    "array": list[msgspec.Raw],
    "timestamp": Annotated[dt.datetime, Meta(tz=True)],
}


class Property(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One property: its type and bounds."""

    type: PropertyType
    required: bool = False
    description: str = ""
    enum: list[str | int | float] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: int | None = None
    pattern: str | None = None
    unit: str = ""
    pii: bool = False


def property_type(rule: Property) -> Any:
    """What the JSON decoder is to take for the property."""
    if rule.enum is not None:
        return Literal[tuple(rule.enum)]
    given = {"ge": rule.minimum, "le": rule.maximum, "max_length": rule.max_length, "pattern": rule.pattern}
    bounds: Any = {name: bound for name, bound in given.items() if bound is not None}
    return Annotated[_PYTHON[rule.type], Meta(**bounds)] if bounds else _PYTHON[rule.type]


def property_fault(rule: Property) -> str | None:
    """Why no value could be judged by the rule; None where one can."""
    if rule.enum is not None:
        return _enum_fault(rule)
    if rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
        return f"minimum {rule.minimum} is above maximum {rule.maximum}"
    if rule.type == "integer" and isinstance(rule.minimum, float) | isinstance(rule.maximum, float):
        return "minimum and maximum of an integer must be integers"
    try:
        msgspec.json.Decoder(property_type(rule))
    except (TypeError, ValueError, OverflowError, re.error) as error:
        return str(error)
    return None


def _enum_fault(rule: Property) -> str | None:
    type_ = _ENUM_TYPES.get(rule.type)
    if type_ is None:
        return f"enum is for strings and integers, not for type {rule.type}"
    if not rule.enum or any(not isinstance(value, type_) for value in rule.enum):
        return f"enum must list at least one {rule.type}, and nothing else"
    if any(bound is not None for bound in (rule.minimum, rule.maximum, rule.max_length, rule.pattern)):
        return "enum says all; leave minimum, maximum, max_length and pattern out"
    return None
