"""Which events of a plan get a function, in which version, and by which names. No language's syntax is known here."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection
from typing import NamedTuple

from event_assets.contract.plan import EventPlan, PlanError, TrackingPlan
from event_assets.contract.plan_property import Property

OF_CLIENTS = frozenset({"page_view", "page_ping", "screen_view", "identify", "alias", "group", "consent_changed"})
"""Events that the SDKs have calls of their own for, or make by themselves."""
FILLED_IN = frozenset(
    ("event_id", "event", "platform", "schema_version", "occurred_at", "sent_at", "received_at", "library", "sequence")
) | {"ip", "device.user_agent", "library.name", "library.version"}
"""Fields that every event has, since the SDKs or the collector fill them in."""


class Planned(NamedTuple):
    """One event as it gets into code: the words of its name, its newest version, the fields that the caller gives."""

    words: tuple[str, ...]
    plan: EventPlan
    version: int
    fields: tuple[str, ...]

    @property
    def properties(self) -> dict[str, Property]:
        """The properties of that version."""
        return self.plan.versions[self.version].properties

    def rules(self) -> dict[str, dict[str, object]]:
        """What each property must be, without words for people."""
        names = ("type", "required", "enum", "minimum", "maximum", "max_length", "pattern")
        return {
            name: {each: value for each in names if (value := getattr(rule, each)) is not None and value is not False}
            for name, rule in self.properties.items()
        }


def planned_events(plan: TrackingPlan, name_of: Callable[[tuple[str, ...]], str]) -> dict[str, Planned]:
    """The events that get a function, by its name in the language, in order. Raises `PlanError` where two get one."""
    found: dict[str, Planned] = {}
    for event in sorted(plan.events.values(), key=lambda each: each.event):
        if event.event in OF_CLIENTS:
            continue
        fields = tuple(name for name in event.fields if name not in FILLED_IN)
        planned = Planned(_words(event.event), event, max(event.versions), fields)
        name = name_of(planned.words)
        if name in found:
            raise PlanError(f"the events {found[name].plan.event!r} and {event.event!r} would both be called {name}")
        found[name] = planned
    return found


def not_reserved(name: str, reserved: Collection[str]) -> str:
    """The name, with a line under its end where the language has taken it."""
    return f"{name}_" if name in reserved else name


def quoted(value: object) -> str:
    """A text, number or list as JSON writes it, which Python and TypeScript read alike."""
    return json.dumps(value, ensure_ascii=False)


def in_a_line(text: str) -> str:
    """Words for people, in one line."""
    return " ".join(text.split())


def _words(event: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", event)
    letters = "".join(letter if f"a{letter}".isidentifier() and letter != "_" else " " for letter in plain)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", letters)
    words = tuple(word.lower() for word in spaced.split())
    if not words:
        raise PlanError(f"the event {event!r} has no letter or digit that a function could be called by")
    return words if f"{words[0]}".isidentifier() else ("event", *words)
