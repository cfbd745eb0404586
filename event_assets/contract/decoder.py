"""From bytes to an event, or to the reason why not. The collector's verdicts and the quarantine's reasons come from here.

Pure: no clock, no storage. One decoder serves the ingest API and the cleaning of raw records, so that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw, Struct, ValidationError

from event_assets.contract.event import NESTED, Event
from event_assets.contract.plan import TrackingPlan

Reason = Literal[
    "malformed_json",
    "not_an_object",
    "missing_field",
    "wrong_type",
    "invalid_value",
    "too_large",
    "too_deep",
    "invalid_utf8",
    "bad_encoding",
    "unknown_event",
    "plan_violation",
    "future",
    "past",
]
"""Why an event is rejected or quarantined."""


class Rejection(NamedTuple):
    """An event that breaks a rule: the reason's code, the rule for people, and the ids that could be read."""

    reason: Reason
    detail: str
    event_id: str | None = None
    event: str | None = None


class Decoded(NamedTuple):
    """An event that keeps the contract. `extra` is a JSON object of unknown fields; `violations` what the plan warns of."""

    event: Event
    extra: bytes | None = None
    violations: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an event may be."""

    event_bytes: int = 65_536
    depth: int = 20
    keys: int = 500
    string_bytes: int = 32_768


class _Named(Struct):
    event_id: Any = None
    event: Any = None


class EventDecoder:
    """Decodes events by the contract and a tracking plan."""

    def __init__(self, plan: TrackingPlan | None = None, limits: Limits = Limits()) -> None:
        self._check_plan = (plan or TrackingPlan()).compile()
        self._limits = limits
        self._strict = msgspec.json.Decoder(Event)
        self._fields = msgspec.json.Decoder(dict[str, Raw])
        self._named = msgspec.json.Decoder(_Named)

    def decode(self, line: bytes, *, at_edge: bool = False) -> Decoded | Rejection:
        """The event of one JSON text, or why it is none.

        `at_edge` is the ingest API's view: an event that its plan wants quarantined is taken there and set aside when
        it is cleaned, so that it can be mended; only plans of mode `reject` turn it away.
        """
        limits = self._limits
        if len(line) > limits.event_bytes:
            return self._reject(line, "too_large", f"the event has {len(line)} bytes; {limits.event_bytes} are allowed")
        extra: bytes | None = None
        try:
            event = self._strict.decode(line)
        except ValidationError as error:
            if "unknown field" not in str(error):
                return self._reject(line, *_reason(line, error))
            lenient = self._decode_with_extra(line)
            if isinstance(lenient, Rejection):
                return lenient
            event, extra = lenient
        except UnicodeDecodeError as error:
            return Rejection("invalid_utf8", f"byte {error.start} is not UTF-8")
        except (msgspec.DecodeError, RecursionError) as error:
            return self._reject(line, *_reason(line, error))
        broken = self._broken_rule(event, line)
        if broken is not None:
            return broken
        return self._judge(event, extra, at_edge)

    def _judge(self, event: Event, extra: bytes | None, at_edge: bool) -> Decoded | Rejection:
        violation = self._check_plan(event)
        if violation is None:
            return Decoded(event, extra)
        if violation.mode == "warn" or (violation.mode == "quarantine" and at_edge):
            return Decoded(event, extra, violation.detail)
        reason: Reason = "unknown_event" if violation.unknown_event else "plan_violation"
        return Rejection(reason, violation.detail, event.event_id, event.event)

    def _broken_rule(self, event: Event, line: bytes) -> Rejection | None:
        """The rules that types do not tell."""
        broken: tuple[Reason, str] | None = None
        if not event.event.isprintable():
            broken = "invalid_value", "event has characters that cannot be printed"
        elif not (event.anonymous_id or event.user_id):
            broken = "missing_field", "anonymous_id or user_id is required"
        elif not _is_object(event.properties):
            broken = "wrong_type", "properties must be an object"
        elif not _is_object(event.traits):
            broken = "wrong_type", "traits must be an object"
        elif line.count(b"{") + line.count(b"[") > self._limits.depth:
            broken = self._too_deep(line)
        if broken is None and (line.count(b":") > self._limits.keys or len(line) > self._limits.string_bytes):
            broken = self._too_large(line)
        return Rejection(*broken, event.event_id, event.event) if broken else None

    def _too_deep(self, line: bytes) -> tuple[Reason, str] | None:
        depth = nesting(line)
        if depth <= self._limits.depth:
            return None
        return "too_deep", f"the event is {depth} levels deep; {self._limits.depth} are allowed"

    def _too_large(self, line: bytes) -> tuple[Reason, str] | None:
        keys, longest = measure(msgspec.json.decode(line))
        if keys > self._limits.keys:
            return "too_large", f"the event has {keys} keys; {self._limits.keys} are allowed"
        if longest > self._limits.string_bytes:
            return "too_large", f"a string has {longest} bytes; {self._limits.string_bytes} are allowed"
        return None

    def _decode_with_extra(self, line: bytes) -> tuple[Event, bytes | None] | Rejection:
        """Decodes an event with fields that the contract does not know, and keeps them."""
        try:
            known, extra = self._split(line)
            return self._strict.decode(msgspec.json.encode(known)), msgspec.json.encode(extra)
        except UnicodeDecodeError as error:
            return Rejection("invalid_utf8", f"byte {error.start} is not UTF-8")
        except (msgspec.DecodeError, RecursionError) as error:
            return self._reject(line, *_reason(line, error))

    def _split(self, line: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, raw in self._fields.decode(line).items():
            struct = NESTED.get(name)
            if name not in Event.__struct_fields__:
                extra[name] = raw
            elif struct is not None and bytes(raw).startswith(b"{"):
                inner = self._fields.decode(raw)
                known[name] = {key: value for key, value in inner.items() if key in struct.__struct_fields__}
                unknown = {key: value for key, value in inner.items() if key not in struct.__struct_fields__}
                if unknown:
                    extra[name] = unknown
            else:
                known[name] = raw
        return known, extra

    def _reject(self, line: bytes, reason: Reason, detail: str) -> Rejection:
        try:
            named = self._named.decode(line)
        except (ValueError, RecursionError):
            return Rejection(reason, detail)
        return Rejection(reason, detail, _short_text(named.event_id), _short_text(named.event))


def _is_object(raw: Raw) -> bool:
    """Whether the JSON text is an object, null or absent."""
    text = bytes(raw)
    return not text or text[0] == 0x7B or text == b"null"


def _short_text(value: Any) -> str | None:
    return value[:128] if isinstance(value, str) else None


def _reason(line: bytes, error: Exception) -> tuple[Reason, str]:
    text = str(error)
    if isinstance(error, RecursionError):
        return "too_deep", "the event is nested too deeply"
    if not isinstance(error, ValidationError):
        return "malformed_json", text
    if not line.lstrip().startswith(b"{"):
        return "not_an_object", "an event must be a JSON object"
    if "missing required field" in text:
        return "missing_field", text
    if ", got `" in text:
        return "wrong_type", text
    return "invalid_value", text


def nesting(line: bytes) -> int:
    """How many levels of objects and lists the JSON text has, strings left out."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in line:
        if escaped:
            escaped = False
        elif in_string:
            escaped = byte == 0x5C
            in_string = byte != 0x22
        elif byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def measure(value: Any) -> tuple[int, int]:
    """Keys of all objects in a JSON value, and bytes of its longest string."""
    if isinstance(value, str):
        return 0, len(value.encode())
    if isinstance(value, dict):
        parts = [measure(part) for part in value.values()]
        keys, longest = len(value), max((len(key.encode()) for key in value), default=0)
    elif isinstance(value, list):
        parts = [measure(part) for part in value]
        keys, longest = 0, 0
    else:
        return 0, 0
    return keys + sum(part[0] for part in parts), max([longest, *(part[1] for part in parts)])
