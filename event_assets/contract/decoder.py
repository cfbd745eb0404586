"""From bytes to an event, or to the reason why not. The API's verdicts and the quarantine's reasons come from here.

Pure: no clock, no storage. One decoder serves the ingest API and the cleaning of records, so that both say the same.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct, ValidationError

from event_assets.contract.consent import is_refused
from event_assets.contract.event import NESTED, NO_CONTROL_CHARACTERS, OBJECTS, Event
from event_assets.contract.json_size import count_keys, longest_string, nesting
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.readings import plainly_read
from event_assets.contract.rejections import Reason, first_fault, reason_of
from event_assets.contract.sealed_plan import SealedPlan, Seals


class Rejection(NamedTuple):
    """An event that breaks a rule: the reason's code, the rule for people, and the ids that could be read."""

    reason: Reason
    detail: str
    event_id: str | None = None
    event: str | None = None


class Decoded(NamedTuple):
    """An event that keeps the contract.

    `extra` is a JSON object of `context` and the unknown fields; `violations` is what the tracking plan warns about.
    """

    event: Event
    extra: bytes | None = None
    violations: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an event may be: its bytes, those of its properties, the depth of each of its fields, its keys, each
    of its strings."""

    event_bytes: int = 65_536
    depth: int = 20
    keys: int = 500
    string_bytes: int = 32_768
    properties_bytes: int = 65_536


BARE_LIMITS = Limits(event_bytes=900_000, keys=100_000, string_bytes=900_000)
"""The contract's own bounds (the depth, the size of the properties) and no tighter ones, for what a trusted source
gives."""


_KEY_BYTES = len(b'"":0,')
_BACKSLASH = ord("\\")  # looking for one byte costs a twentieth of looking for several
_SPELLED = frozenset({"schema_version", "sequence", "occurred_at", "sent_at", "received_at", "derived_at"})
_NAME = re.compile(NO_CONTROL_CHARACTERS.replace("$", r"\Z"))
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class _NulInId(ValueError):
    """An id has the character U+0000."""


class _Named(Struct):
    event_id: Any = None
    event: Any = None


class _Ids(_Named):
    anonymous_id: Any = None
    user_id: Any = None
    session_id: Any = None
    page_view_id: Any = None
    group_id: Any = None


class EventDecoder:
    """Decodes events by the contract and a tracking plan. What it says quotes no value of a `hidden` field. Pseudonyms
    that `seals` knows are not judged as the values in whose place they stand.

    An id that is a placeholder is left out, that of an `alias`'s properties too: kept, it would make one person of all
    who send it.
    """

    def __init__(
        self,
        plan: TrackingPlan | None = None,
        limits: Limits = Limits(),
        hidden: Collection[str] = (),
        placeholders: Placeholders = Placeholders(),
        seals: Seals | None = None,
    ) -> None:
        plan = plan or TrackingPlan()
        self._check_plan = plan.compile(hidden)
        self._sealed_plan = SealedPlan(plan, seals) if seals else None
        self._limits = limits
        self._placeholders = placeholders
        self._surely_small = min(limits.keys * _KEY_BYTES, limits.string_bytes)
        self._strict = msgspec.json.Decoder(Event)
        self._fields = msgspec.json.Decoder(dict[str, Raw])
        self._named = msgspec.json.Decoder(_Named)
        self._ids = msgspec.json.Decoder(_Ids)

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
            if not line.isascii():
                line.decode()  # the strict decoder skips the text of raw fields
            if _BACKSLASH in line and b"\\u0000" in line:
                line = self._without_nul(line)
            event = self._strict.decode(line)
        except _NulInId as error:
            return self._reject(line, "invalid_value", str(error))
        except ValidationError as error:
            if first_fault(line) is not None:
                return self._spelled_plainly(line, at_edge) or self._reject(line, *reason_of(line, error))
            lenient = self._decode_with_extra(line)
            if isinstance(lenient, Rejection):
                return self._spelled_plainly(line, at_edge) or lenient
            event, extra = lenient
        except UnicodeDecodeError as error:
            return self._reject(line, "invalid_utf8", f"byte {error.start} is not UTF-8")
        except (msgspec.DecodeError, RecursionError) as error:
            return self._reject(line, *reason_of(line, error))
        self._leave_out_placeholders(event)
        broken = self._broken_rule(event, extra, line)
        if broken is not None:
            return broken
        return self._judge(event, with_context(bytes(event.context), extra), at_edge)

    def _spelled_plainly(self, line: bytes, at_edge: bool) -> Decoded | Rejection | None:
        """The verdict on the event with its numbers and times written in the plain way; None where they are."""
        plain = plainly_read(line, _SPELLED)
        return None if plain is None else self.decode(plain, at_edge=at_edge)

    def _leave_out_placeholders(self, event: Event) -> None:
        none, heads = self._placeholders, self._placeholders.other_heads
        if (text := event.anonymous_id) is not None and text[:2] not in heads and text in none:
            event.anonymous_id = None
        if (text := event.user_id) is not None and text[:2] not in heads and text in none:
            event.user_id = None
        if (text := event.session_id) is not None and text[:2] not in heads and text in none:
            event.session_id = None
        if (text := event.page_view_id) is not None and text[:2] not in heads and text in none:
            event.page_view_id = None
        if (text := event.group_id) is not None and text[:2] not in heads and text in none:
            event.group_id = None
        if event.event == "alias" and bytes(event.properties).startswith(b"{"):
            properties = self._fields.decode(event.properties)
            named = bytes(properties.get("previous_id", b""))
            if named.startswith(b'"') and msgspec.json.decode(named) in none:
                del properties["previous_id"]
                event.properties = Raw(msgspec.json.encode(properties))

    def _judge(self, event: Event, extra: bytes | None, at_edge: bool) -> Decoded | Rejection:
        violation = self._check_plan(event)
        if self._sealed_plan is not None:
            violation, extra = self._sealed_plan.judged(event, violation, extra)
        if violation is None:
            return Decoded(event, extra)
        if not at_edge and violation.reason != "unknown_event" and is_refused(event):
            return Decoded(event, extra)  # what the plan judges is taken away
        if violation.mode == "warn" or (violation.mode == "quarantine" and at_edge):
            return Decoded(event, extra, violation.detail)
        return Rejection(violation.reason, violation.detail, event.event_id, event.event)

    def _broken_rule(self, event: Event, extra: bytes | None, line: bytes) -> Rejection | None:
        """The rules that types do not tell."""
        properties = bytes(event.properties)
        objects = {name: bytes(getattr(event, name)) for name in OBJECTS}
        broken: tuple[Reason, str] | None = None
        if not event.event.isprintable() and not _NAME.search(event.event):
            broken = "invalid_value", "event has control characters"
        elif not (event.anonymous_id or event.user_id):
            broken = (
                "missing_field",
                "anonymous_id or user_id is required, and no word for none such as null",
            )
        elif (wrong := next((name for name, text in objects.items() if not _is_object(text)), None)) is not None:
            broken = "wrong_type", f"{wrong} must be an object"
        else:
            broken = _out_of_time(event) or self._too_deep(b"".join(objects.values()))
        if broken is None and extra is not None:
            broken = self._too_deep(extra, around=1)
        if broken is None and len(properties) > self._limits.properties_bytes:
            allowed = self._limits.properties_bytes
            broken = "too_large", f"properties have {len(properties)} bytes; {allowed} are allowed"
        if broken is None and len(line) > self._surely_small:
            broken = self._too_large(line)
        return Rejection(*broken, event.event_id, event.event) if broken else None

    def _too_deep(self, text: bytes, around: int = 0) -> tuple[Reason, str] | None:
        """`around`: levels of the text that are not the field's."""
        if len(text) <= self._limits.depth or text.count(b"{") + text.count(b"[") <= self._limits.depth:
            return None
        depth = nesting(text) - around
        if depth <= self._limits.depth:
            return None
        return "too_deep", f"a field is {depth} levels deep; {self._limits.depth} are allowed"

    def _too_large(self, line: bytes) -> tuple[Reason, str] | None:
        limits = self._limits
        if line.count(b":") > limits.keys and (keys := count_keys(line)) > limits.keys:
            return "too_large", f"the event has {keys} keys; {limits.keys} are allowed"
        if len(line) > limits.string_bytes and (longest := longest_string(line)) > limits.string_bytes:
            return "too_large", f"a string has {longest} bytes; {limits.string_bytes} are allowed"
        return None

    def _without_nul(self, line: bytes) -> bytes:
        """The event with U+FFFD for U+0000, which no warehouse takes. An id with it is refused: ids are not mended."""
        ids = self._ids.decode(line)
        for name in _Ids.__struct_fields__:
            value = getattr(ids, name)
            if isinstance(value, str) and "\0" in value:
                raise _NulInId(f"{name} has the character U+0000")
        return without_nul(line)

    def _decode_with_extra(self, line: bytes) -> tuple[Event, bytes | None] | Rejection:
        """Decodes an event with fields that the contract does not know, and keeps them."""
        text = line
        try:
            known, extra = self._split(line)
            text = msgspec.json.encode(known)
            return self._strict.decode(text), msgspec.json.encode(extra) if extra else None
        except (msgspec.DecodeError, RecursionError) as error:
            return self._reject(line, *reason_of(text, error))

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


def without_nul(text: bytes) -> bytes:
    """The JSON text with U+FFFD for U+0000."""
    return _NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def _is_object(text: bytes) -> bool:
    """Whether the JSON text is an object, null or absent."""
    return not text or text.startswith(b"{") or text == b"null"


def with_context(context: bytes, extra: bytes | None) -> bytes | None:
    """The unknown fields and, before them, the context."""
    if not context or context == b"null":
        return extra
    return b'{"context":' + context + (b"}" if extra is None else b"," + extra[1:])


def _out_of_time(event: Event) -> tuple[Reason, str] | None:
    """Finds an instant that has no UTC date in the years 1 to 9999: no table could hold it."""
    for at in (event.occurred_at, event.sent_at, event.received_at, event.derived_at):
        if at is not None and not 1 < at.year < 9999:
            try:
                at.astimezone(dt.UTC)
            except OverflowError:
                return "invalid_value", f"{at.isoformat()} is outside the years 1 to 9999 in UTC"
    return None


def _short_text(value: Any) -> str | None:
    return value[:128] if isinstance(value, str) else None
