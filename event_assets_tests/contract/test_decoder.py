"""Every reason code, the limits, what is kept of unknown fields; and that no bytes make the decoder raise."""

from __future__ import annotations

import datetime as dt
import json
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.contract.decoder import (
    Decoded,
    EventDecoder,
    Limits,
    Rejection,
)
from event_assets.contract.json_size import count_keys, longest_string, nesting
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.rejections import Reason
from event_assets_tests.contract.events import FULL, encode, json_values, line, valid_events, with_text
from event_assets_tests.examples import texts

DECODER = EventDecoder()
SHIPPED = EventDecoder(TrackingPlan.load(Path(__file__).parents[2] / "event_assets" / "contract" / "plans"))
REASONS = typing.get_args(Reason)


def accepted(text: bytes) -> Decoded:
    decoded = DECODER.decode(text)
    assert isinstance(decoded, Decoded), decoded
    return decoded


def rejected(text: bytes, decoder: EventDecoder = DECODER) -> Rejection:
    decoded = decoder.decode(text)
    assert isinstance(decoded, Rejection), decoded
    return decoded


def nested(levels: int) -> Any:
    return {} if levels == 1 else {"a": nested(levels - 1)}


# One test per reason -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"event_id":"e"', b"nul", b"\x00", b"{'a':1}", line() + b"}", line()[:-1] + b",}"],
)
def test_text_that_is_no_json_is_malformed(text: bytes) -> None:
    assert rejected(text).reason == "malformed_json"


@pytest.mark.parametrize(
    "text",
    [b'{"a":"\\q"}', b'{"a":01}', b'{"a":1.}', b'{"a":NaN}', b'{"a":"\x01"}', b'{"a":"\n"}', b'{"a":tru}', b'{"a":1,}'],
)
@pytest.mark.parametrize("name", ["properties", "traits", "context", "unknown"])
def test_broken_json_inside_a_field_that_stays_text_is_malformed_too(name: str, text: bytes) -> None:
    assert rejected(with_text(name, text)).reason == "malformed_json"


@pytest.mark.parametrize("text", [rb'"\ud800"', rb'"\udc00"', rb'"\ud83dx"', rb'"\ud800\ud800"'])
@pytest.mark.parametrize("name", ["properties", "unknown", "page"])
def test_half_a_surrogate_pair_is_malformed(name: str, text: bytes) -> None:
    found = rejected(with_text(name, b'{"title":' + text + b"}"))
    assert found.reason == "malformed_json"
    assert "half a surrogate pair" in found.detail and "send \\ufffd in its place" in found.detail


def test_what_is_malformed_otherwise_is_not_called_half_a_pair() -> None:
    for text in (rb'{"title":"\ud83d\ude00"', rb'{"title":"\ud83d"', b"{"):
        assert "surrogate" not in rejected(text).detail


def test_a_whole_surrogate_pair_is_the_character_that_it_means() -> None:
    decoded = accepted(with_text("page", rb'{"title":"\ud83d\ude00"}'))
    assert decoded.event.page is not None and decoded.event.page.title == "😀"


@pytest.mark.parametrize("text", [b"null", b"[]", b"[{}]", b"1", b'"text"', b"true", b" [ ]"])
def test_json_that_is_no_object_is_not_an_object(text: bytes) -> None:
    assert rejected(text).reason == "not_an_object"


def test_a_missing_field_a_wrong_type_and_an_invalid_value_are_told_apart() -> None:
    assert rejected(line(event_id=...)).reason == "missing_field"
    assert rejected(line(event_id=1)).reason == "wrong_type"
    assert rejected(line(event_id="")).reason == "invalid_value"


def test_what_a_client_wrote_cannot_choose_the_reason() -> None:
    assert rejected(line(platform="x, got `int`")).reason == "invalid_value"
    assert rejected(line(platform="Object missing required field `x`")).reason == "invalid_value"
    assert rejected(line(platform="Object contains unknown field `x`")).reason == "invalid_value"


@pytest.mark.parametrize("text", [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"caf\xe9"'])
@pytest.mark.parametrize("name", ["properties", "traits", "context", "unknown", "page"])
def test_bytes_that_are_not_utf_8_are_refused_in_every_field(name: str, text: bytes) -> None:
    rejection = rejected(with_text(name, b'{"title":' + text + b"}"))
    assert rejection.reason == "invalid_utf8"
    assert (rejection.event_id, rejection.event) == ("e-1", "Order Completed")


def test_an_event_of_64_kilobytes_is_taken_and_a_byte_more_is_too_large() -> None:
    parts = {"properties": {"a": "x" * 32_000, "b": "x" * 32_000, "c": ""}}
    parts["properties"]["c"] = "x" * (65_536 - len(line(**parts)))
    assert len(line(**parts)) == 65_536
    accepted(line(**parts))
    parts["properties"]["c"] += "x"
    assert rejected(line(**parts)).reason == "too_large"


def test_a_string_of_32_kilobytes_is_taken_and_a_byte_more_is_too_large() -> None:
    accepted(line(properties={"a": "x" * 32_768}))
    rejection = rejected(line(properties={"a": "x" * 32_769}))
    assert rejection.reason == "too_large"
    assert "32769" in rejection.detail


def test_the_length_of_a_string_is_counted_in_bytes_of_utf_8() -> None:
    accepted(line(properties={"a": "é" * 16_384}))
    assert rejected(line(properties={"a": "é" * 16_385})).reason == "too_large"


def test_five_hundred_keys_are_taken_and_one_more_is_too_large() -> None:
    room = 500 - len(json.loads(line())) - 1
    accepted(line(properties={f"k{i}": 1 for i in range(room)}))
    rejection = rejected(line(properties={f"k{i}": 1 for i in range(room + 1)}))
    assert rejection.reason == "too_large"
    assert "501 keys" in rejection.detail


def test_colons_in_strings_are_no_keys() -> None:
    accepted(line(properties={"a": ":" * 3000}))


@pytest.mark.parametrize("name", ["properties", "traits", "context", "unknown"])
def test_a_field_may_be_twenty_levels_deep_and_no_deeper(name: str) -> None:
    accepted(line(**{name: nested(20)}))
    rejection = rejected(line(**{name: nested(21)}))
    assert rejection.reason == "too_deep"
    assert "21 levels" in rejection.detail


def test_brackets_in_strings_are_no_levels() -> None:
    accepted(line(properties={"a": '{[\\"{[' * 50}))


def test_many_objects_beside_each_other_are_not_deep() -> None:
    accepted(line(properties={"items": [{"id": i} for i in range(60)]}))


@pytest.mark.parametrize("levels", [22, 500, 5_000, 16_000])
@pytest.mark.parametrize("name", ["properties", "unknown", "page", "event_id"])
def test_json_of_any_depth_is_too_deep_and_never_a_crash(name: str, levels: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        text = with_text(name, (opening * levels + b"1" + closing * levels)[:64_000])
        assert rejected(text).reason in {"too_deep", "wrong_type", "malformed_json"}
        if name in ("properties", "unknown"):
            assert rejected(with_text(name, b'{"a":' * levels + b"1" + b"}" * levels)).reason in {
                "too_deep",
                "too_large",
            }


def test_the_limits_are_arguments() -> None:
    decoder = EventDecoder(limits=Limits(event_bytes=300, depth=2, keys=6, string_bytes=50))
    assert isinstance(decoder.decode(line()), Decoded)
    assert rejected(line(properties={"a": "x" * 300}), decoder).detail.endswith("300 are allowed")
    assert rejected(line(properties={"a": {"b": {"c": 1}}}), decoder).reason == "too_deep"
    assert rejected(line(properties={"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}), decoder).reason == "too_large"
    assert rejected(line(properties={"a": "x" * 51}), decoder).reason == "too_large"


def test_the_reasons_that_others_give_are_in_the_same_list() -> None:
    assert {"bad_encoding", "future", "past", "unknown_event", "plan_violation"} <= set(REASONS)


# What a rejection tells ----------------------------------------------------------------------------------------------


def test_a_rejection_names_the_event_where_its_ids_can_be_read() -> None:
    rejection = rejected(line(platform="fridge"))
    assert (rejection.event_id, rejection.event) == ("e-1", "Order Completed")
    assert rejected(b"{").event_id is None
    assert rejected(line(event_id=5)).event_id is None


def test_an_event_that_is_too_large_is_named_too() -> None:
    assert rejected(line(properties={"a": "x" * 70_000})).event_id == "e-1"


def test_a_detail_is_short_and_printable_whatever_was_sent() -> None:
    rejection = rejected(line(platform="\x1b[31m\n\x07" * 5_000))
    assert len(rejection.detail) <= 501
    assert rejection.detail.isprintable()
    assert len(rejected(line(event_id="x" * 60_000)).event_id or "") <= 128


# Numbers, dates and characters at the edge ---------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [25, 400, 5_000, 60_000])
@pytest.mark.parametrize("name", ["sequence", "schema_version", "event_id", "ip", "occurred_at"])
def test_an_integer_of_any_length_in_a_typed_field_is_refused(name: str, digits: int) -> None:
    text = with_text(name, b"9" * digits)
    assert rejected(text).reason in {"invalid_value", "wrong_type"}


@pytest.mark.parametrize("number", [b"9" * 5_000, b"1e400", b"-1e99999", b"0." + b"3" * 5_000, b"1" + b"0" * 64_000])
@pytest.mark.parametrize("padding", [0, 33_000])
def test_a_number_of_any_size_in_properties_stays_text(number: bytes, padding: int) -> None:
    text = with_text(
        "properties", b'{"p":"' + b"x" * min(padding, 32_000) + b'","q":"' + b"x" * 500 + b'","n":' + number + b"}"
    )
    if len(text) <= 65_536:
        assert number in bytes(accepted(text).event.properties)
    else:
        assert rejected(text).reason == "too_large"


def test_numbers_out_of_range_do_not_hide_that_an_event_is_too_large() -> None:
    text = with_text("properties", b'{"n":1e999,"m":' + b"9" * 5_000 + b',"s":"' + b"x" * 33_000 + b'"}')
    assert rejected(text).reason == "too_large"


@pytest.mark.parametrize("name", ["event_id", "anonymous_id", "user_id", "session_id", "page_view_id", "event"])
def test_an_id_with_the_character_nul_is_refused(name: str) -> None:
    rejection = rejected(line(**{name: "a\0b"}))
    assert rejection.reason == "invalid_value"
    assert name in rejection.detail


def test_the_character_nul_becomes_the_replacement_character_elsewhere() -> None:
    decoded = accepted(
        line(page={"title": "a\0b\0\0"}, properties={"q": "x\0", "path": "c:\\u0000", "k\0": 1}, foo="\0")
    )
    assert decoded.event.page is not None and decoded.event.page.title == "a\ufffdb\ufffd\ufffd"
    assert json.loads(bytes(decoded.event.properties)) == {"q": "x\ufffd", "path": "c:\\u0000", "k\ufffd": 1}
    assert json.loads(decoded.extra or b"") == {"foo": "\ufffd"}


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert accepted(line()[:-1] + b',"event_id":"e-2"}').event.event_id == "e-2"
    page = accepted(line()[:-1] + b',"page":{"url":"u"},"page":{"title":"t","x":1}}')
    assert page.event.page is not None and (page.event.page.url, page.event.page.title) == (None, "t")
    assert page.extra == b'{"page":{"x":1}}'


def test_blank_space_around_and_inside_an_event_is_allowed() -> None:
    assert accepted(b" \r\n" + json.dumps(FULL, indent=2).encode() + b"\r\n").event.event_id == FULL["event_id"]


# Unknown fields ------------------------------------------------------------------------------------------------------


def test_unknown_fields_are_kept_as_one_object() -> None:
    decoded = accepted(line(foo=1, bar={"baz": [1, None, "é"]}, context={}))
    assert json.loads(decoded.extra or b"") == {"foo": 1, "bar": {"baz": [1, None, "é"]}, "context": {}}


def test_unknown_fields_of_nested_objects_are_kept_under_their_object() -> None:
    decoded = accepted(line(page={"url": "u", "section": "x"}, consent={"analytics": True, "ads": False}))
    assert json.loads(decoded.extra or b"") == {"page": {"section": "x"}, "consent": {"ads": False}}
    assert decoded.event.page is not None and decoded.event.page.url == "u"


def test_an_event_without_unknown_fields_has_no_extra() -> None:
    assert accepted(encode({name: value for name, value in FULL.items() if name != "context"})).extra is None
    assert accepted(line(context=None)).extra is None


def test_the_context_is_kept_as_its_text_beside_unknown_fields() -> None:
    text = b'{"n": 1.10, "os":{}}'
    assert accepted(with_text("context", text)).extra == b'{"context":' + text + b"}"
    assert accepted(with_text("context", text)[:-1] + b',"foo":1}').extra == b'{"context":' + text + b',"foo":1}'


def test_a_broken_rule_is_found_beside_unknown_fields() -> None:
    assert rejected(line(foo=1, platform="fridge")).reason == "invalid_value"
    assert rejected(line(foo=1, event_id=...)).reason == "missing_field"
    assert rejected(line(foo=1, page="x")).reason == "wrong_type"


def test_an_unknown_field_keeps_its_text_to_the_digit() -> None:
    text = b'{"n":123456789012345678901234567890.10}'
    assert accepted(with_text("foo", text)).extra == b'{"foo":' + text + b"}"


@given(valid_events(), st.dictionaries(texts(min_size=1, max_size=12), json_values, min_size=1, max_size=4))
def test_unknown_fields_are_never_dropped(event: dict[str, Any], unknown: dict[str, Any]) -> None:
    unknown = {name: value for name, value in unknown.items() if name not in FULL}
    kept = json.loads(accepted(encode({**unknown, **event})).extra or b"{}")
    unknown |= {name: event[name] for name in event.keys() & {"context"}}
    assert kept == json.loads(json.dumps(unknown).replace("\\u0000", "\\ufffd"))


# No bytes make it raise ----------------------------------------------------------------------------------------------


def well_formed(decoded: Decoded | Rejection) -> None:
    """What holds of every answer: codes from the list, words for people, and texts that others can store and read."""
    if isinstance(decoded, Rejection):
        assert decoded.reason in REASONS
        assert decoded.detail and decoded.detail.isprintable()
        for text in (decoded.detail, decoded.event_id, decoded.event):
            (text or "").encode()
        return
    assert decoded.event.anonymous_id or decoded.event.user_id
    for raw in (bytes(decoded.event.properties), bytes(decoded.event.traits), decoded.extra or b""):
        assert raw in (b"", b"null") or isinstance(json.loads(raw, parse_int=len), dict)
    for at in (decoded.event.occurred_at, decoded.event.derived_at):
        assert at is None or at.astimezone(dt.UTC)


@given(st.binary(max_size=400) | texts(max_size=200).map(str.encode))
@example(b"[" * 60_000)
@example(b'{"event_id":' * 5_000)
@example(b'{"a":"' + b"\\" * 999)
@example(b"9" * 60_000)
def test_no_bytes_make_the_decoder_raise(text: bytes) -> None:
    well_formed(DECODER.decode(text))
    well_formed(SHIPPED.decode(text, at_edge=True))


@given(json_values)
def test_no_json_makes_the_decoder_raise(value: Any) -> None:
    well_formed(DECODER.decode(encode(value)))


@given(st.sampled_from(sorted(FULL)), json_values | st.sampled_from(["", "\0", "x" * 200, -1, 2**70, 1e308, [], {}]))
def test_no_value_of_a_field_makes_the_decoder_raise(name: str, value: Any) -> None:
    well_formed(DECODER.decode(encode({**FULL, name: value})))
    well_formed(SHIPPED.decode(encode({**FULL, name: value})))


def _cut(text: bytes, at: int, _: int) -> bytes:
    return text[:at]


def _flip(text: bytes, at: int, byte: int) -> bytes:
    return text[:at] + bytes([byte]) + text[at + 1 :]


def _insert(text: bytes, at: int, byte: int) -> bytes:
    return text[:at] + bytes([byte]) + text[at:]


def _repeat(text: bytes, at: int, byte: int) -> bytes:
    return text[:at] + text[at : at + byte] * 3 + text[at + byte :]


@given(
    valid_events(),
    st.lists(
        st.tuples(st.sampled_from([_cut, _flip, _insert, _repeat]), st.integers(0, 2_000), st.integers(0, 255)),
        min_size=1,
        max_size=4,
    ),
)
def test_no_mutation_of_a_valid_event_makes_the_decoder_raise(
    event: dict[str, Any], mutations: list[tuple[Callable[[bytes, int, int], bytes], int, int]]
) -> None:
    text = encode({**event, "properties": FULL["properties"], "occurred_at": FULL["occurred_at"]})
    for mutate, at, byte in mutations:
        text = mutate(text, at % (len(text) + 1), byte)
    well_formed(DECODER.decode(text))
    well_formed(SHIPPED.decode(text, at_edge=True))


# The two measures ----------------------------------------------------------------------------------------------------


@given(json_values)
def test_nesting_counts_levels_as_the_decoded_value_has_them(value: Any) -> None:
    def levels(part: Any) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max(map(levels, inner), default=0)

    assert nesting(encode(value)) == levels(value)


@given(json_values)
def test_keys_and_the_longest_string_are_those_of_the_decoded_value(value: Any) -> None:
    def strings(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [*part, *(text for inner in part.values() for text in strings(inner))]
        if isinstance(part, list):
            return [text for inner in part for text in strings(inner)]
        return [part] if isinstance(part, str) else []

    def keys(part: Any) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return (len(part) if isinstance(part, dict) else 0) + sum(map(keys, inner))

    longest = max((len(text.encode()) for text in strings(value)), default=0)
    text = msgspec.json.encode(value)
    assert (count_keys(text), longest_string(text)) == (keys(value), longest)
