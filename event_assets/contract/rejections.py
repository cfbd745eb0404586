"""Why a text is no event, as a code and as a sentence. The sentence is the JSON decoder's where it says best what is
wrong; the code is never read from its words.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct, ValidationError, inspect

from event_assets.contract.event import NESTED, Event
from event_assets.contract.plan import shown

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
    "consent_refused",
]
"""Why an event is rejected or quarantined."""

_HALF_PAIR = (
    "a text holds half a surrogate pair (an escape such as \\ud83d without its other half), which UTF-8 cannot say; "
    "cut texts between characters, or send \\ufffd in its place"
)
_NUMBERS = b"-0123456789"
_FIRST_BYTES = {
    inspect.StrType: b'"',
    inspect.DateTimeType: b'"',
    inspect.LiteralType: b'"',
    inspect.IntType: _NUMBERS,
    inspect.FloatType: _NUMBERS,
    inspect.BoolType: b"tf",
    inspect.NoneType: b"n",
    inspect.StructType: b"{",
}
"""How the JSON texts of a type begin."""


class _Expected(NamedTuple):
    """What a field takes: its decoder, how its texts begin, and whether it is a whole number."""

    decoder: msgspec.json.Decoder[Any]
    first_bytes: frozenset[bytes]
    is_whole: bool


def reason_of(text: bytes, error: Exception) -> tuple[Reason, str]:
    """The code and the sentence for a text that the decoder of events refused with this error."""
    said = shown(str(error))
    if isinstance(error, RecursionError):
        return "too_deep", "the event is nested too deeply"
    if not isinstance(error, ValidationError):
        return "malformed_json", _HALF_PAIR if _has_half_pair(text) else said
    if not text.lstrip().startswith(b"{"):
        return "not_an_object", "an event must be a JSON object"
    return first_fault(text) or "invalid_value", said


def first_fault(text: bytes) -> Reason | None:
    """What is wrong with the first field of an event that is, as the decoder goes through a text of UTF-8; None where
    one comes first that the contract does not know."""
    return _first_fault(Event, text.decode()) or None


def _first_fault(struct: type[Struct], text: str) -> Reason | Literal["", None]:
    """The same of one object: empty where it is a field that the model does not have, None where there is no fault."""
    expected = _expected(struct)
    members, is_whole = _members(text)
    for name, value in members:
        if name not in expected:
            return ""
        is_nested = struct is Event and name in NESTED and value.startswith("{")
        fault = _first_fault(NESTED[name], value) if is_nested else _fault(expected[name], value.encode())
        if fault is not None:
            return fault
    given = {name for name, _ in members}
    is_missing = any(field.required and field.name not in given for field in msgspec.structs.fields(struct))
    return "missing_field" if is_whole and is_missing else None


def _members(text: str) -> tuple[list[tuple[str, str]], bool]:
    """The members of an object in their order, as far as the text is one, and whether it is one to its end. A value
    that is none is the rest of the text."""
    read = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
    members: list[tuple[str, str]] = []
    at = _after_space(text, 0)
    while text[at : at + 1] in ("{", ","):
        try:
            name, end = read(text, _after_space(text, at + 1))
        except (ValueError, RecursionError):
            return members, False
        begin = _after_space(text, _after_space(text, end) + 1)
        try:
            _, end = read(text, begin)
        except (ValueError, RecursionError):
            return [*members, (name, text[begin:])], False
        members.append((name, text[begin:end]))
        at = _after_space(text, end)
    return members, text[at : at + 1] == "}"


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r"):
        at += 1
    return at


def _fault(expected: _Expected, value: bytes) -> Reason | None:
    try:
        expected.decoder.decode(value)
    except ValidationError:
        is_number = value[:1] in _NUMBERS
        is_typed = value[:1] in expected.first_bytes and not (
            is_number and expected.is_whole and _has_a_fraction(value)
        )
        return "invalid_value" if is_typed or (is_number and _is_beyond_a_double(value)) else "wrong_type"
    except msgspec.DecodeError:
        return "invalid_value"
    return None


def _is_beyond_a_double(number: bytes) -> bool:
    try:
        return math.isinf(float(number))
    except ValueError:
        return False


def _has_a_fraction(number: bytes) -> bool:
    return not set(number).isdisjoint(b".eE")


@cache
def _expected(struct: type[Struct]) -> dict[str, _Expected]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    types = {field.name: field.type for field in msgspec.structs.fields(struct)}
    expected = {}
    for field in described.fields:
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        first_bytes = frozenset(bytes([each]) for kind in kinds for each in _FIRST_BYTES.get(type(kind), b""))
        is_whole = any(isinstance(kind, inspect.IntType) for kind in kinds)
        expected[field.name] = _Expected(msgspec.json.Decoder(types[field.name]), first_bytes, is_whole)
    return expected


def _has_half_pair(line: bytes) -> bool:
    """Whether a text of the event holds half a surrogate pair, which the decoder says in many words, none of them
    plain."""
    if b"\\ud" not in line.lower():
        return False
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        pass
    return False
