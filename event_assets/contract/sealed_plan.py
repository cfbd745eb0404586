"""What the tracking plan says of an event in which sealed pseudonyms stand in the place of values.

Of the value nothing is left that could be judged, so a pseudonym breaks no rule; and what the plan said of the value,
where it was yet at hand, comes with the event, by who could read it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from event_assets.contract.event import Event
from event_assets.contract.plan import TrackingPlan, Violation

_FIELD = "$plan_violation"
_VARIANTS = 64

_object = msgspec.json.Decoder(dict[str, Raw])


class Seals(Protocol):
    """Knows what was written by who has the key."""

    def is_sealed(self, value: str) -> bool:
        """Whether the text is a sealed pseudonym."""

    def fingerprint(self, text: bytes) -> str:
        """Shows who sees the text with it that it was written by who has the key."""

    def is_fingerprint(self, text: bytes, by: str) -> bool:
        """Whether it is one of this text."""


class _Said(msgspec.Struct):
    detail: str
    by: str


_said = msgspec.json.Decoder(_Said)


class SealedPlan:
    """A tracking plan, asked of events in which pseudonyms may stand."""

    def __init__(self, plan: TrackingPlan, seals: Seals) -> None:
        self._plan = plan
        self._seals = seals
        self._without = lru_cache(_VARIANTS)(lambda names: plan.compile(unjudged=names))

    def judged(
        self, event: Event, violation: Violation | None, extra: bytes | None
    ) -> tuple[Violation | None, bytes | None]:
        """What the plan says of the event, which it says of the pseudonyms as values, and the unknown fields without
        what it said before."""
        if violation is not None and (names := self._sealed_in(event)):
            violation = self._without(names)(event)
        if extra is None or _FIELD.encode() not in extra:
            return violation, extra
        fields = _object.decode(extra)
        detail = self._said_before(event, fields.pop(_FIELD, None))
        plan = self._plan.events.get(event.event)
        if detail is None:
            return violation, extra
        return Violation(plan.mode, detail) if plan else violation, msgspec.json.encode(fields) if fields else None

    def with_said(self, line: bytes, event_id: str, detail: str) -> bytes:
        """The line of an event, with what the plan says of it."""
        said = _Said(detail, self._seals.fingerprint(_text(event_id, detail)))
        return msgspec.json.encode({**_object.decode(line), _FIELD: said})

    def _said_before(self, event: Event, raw: Raw | None) -> str | None:
        try:
            said = _said.decode(raw if raw is not None else b"null")
        except msgspec.MsgspecError:
            return None
        return said.detail if self._seals.is_fingerprint(_text(event.event_id, said.detail), said.by) else None

    def _sealed_in(self, event: Event) -> frozenset[str]:
        """The names of the properties that are pseudonyms."""
        text = bytes(event.properties)
        members: dict[str, Raw] = _object.decode(text) if text.startswith(b"{") else {}
        return frozenset(name for name, raw in members.items() if self._is_sealed(raw))

    def _is_sealed(self, raw: Raw) -> bool:
        value: Any = msgspec.json.decode(raw) if bytes(raw).startswith(b'"') else None
        return value is not None and self._seals.is_sealed(value)


def _text(event_id: str, detail: str) -> bytes:
    return f"{event_id}\0{detail}".encode()
