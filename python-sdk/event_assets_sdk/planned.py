"""What the code that `event-assets plan codegen` writes is made of: events with the rules of a tracking plan.

A type cannot say all of them (bounds, lengths, patterns); what breaks one makes no event, and is told of as `invalid`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from event_assets_sdk.client import EventClient

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list | tuple),
    "timestamp": lambda value: isinstance(value, dt.datetime),
}


class Rule(NamedTuple):
    """What one property must be, as the plan says it."""

    type: str
    required: bool = False
    enum: Sequence[str | int] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    pattern: str | None = None

    def fault(self, value: Any) -> str | None:
        """How the value breaks the rule; None where it does not."""
        if value is None:
            return "is required" if self.required else None
        if not _TYPES[self.type](value):
            return f"must be of type {self.type}"
        if self.enum is not None and value not in self.enum:
            return f"must be one of {', '.join(map(str, self.enum))}"
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {self.minimum}"
        if self.maximum is not None and value > self.maximum:
            return f"must be at most {self.maximum}"
        if self.max_length is not None and len(value) > self.max_length:
            return f"must have at most {self.max_length} characters or members"
        if self.pattern is not None and not re.search(self.pattern, _as_sent(value)):
            return f"must match {self.pattern}"
        return None


class PlannedEvent(NamedTuple):
    """An event of the plan, in one of its versions. `fields` are fields of the contract that it needs (`page.url`)."""

    name: str
    version: int
    rules: Mapping[str, Rule]
    fields: tuple[str, ...] = ()

    def track(self, client: EventClient, properties: Mapping[str, Any], fields: Mapping[str, Any]) -> str | None:
        """Records the event if it keeps the plan. Gives its `event_id`; None if it was not taken."""
        fault = self._fault(properties, fields)
        if fault is not None:
            client.refuse(f"{self.name}: {fault}")
            return None
        said = {**fields, "schema_version": self.version}
        return client.track(self.name, properties, **said)

    def _fault(self, properties: Mapping[str, Any], fields: Mapping[str, Any]) -> str | None:
        whole = {
            **(fields.get("context") or {}),
            **{name: value for name, value in fields.items() if value is not None},
        }
        for name in self.fields:
            head, _, tail = name.partition(".")
            value = properties if name == "properties" else whole.get(head)
            if tail:
                value = value.get(tail) if isinstance(value, Mapping) else None
            if value in (None, "", {}):
                return f"the field {name} is required"
        for name, rule in self.rules.items():
            fault = rule.fault(properties.get(name))
            if fault is not None:
                return f"the property {name} {fault}"
        return None


def _is_finite(value: float) -> bool:
    """Whether JSON can say it as a number of 64 bits."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _as_sent(text: str) -> str:
    """The text without what UTF-8 has not."""
    return text.encode("utf-8", "replace").decode()
