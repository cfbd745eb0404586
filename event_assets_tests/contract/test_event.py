"""One test per rule of the event: its fields, their types and their bounds."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import Decoded, EventDecoder, Rejection
from event_assets.contract.event import NESTED, OBJECTS, RESERVED_EVENTS, Event, json_schema
from event_assets.contract.placeholders import PLACEHOLDERS, Placeholders
from event_assets_sdk.events import InvalidEvent, text_of
from event_assets_tests.contract.events import FULL, SMALL, encode, line, valid_events

DECODER = EventDecoder()
INSTANTS = ("occurred_at", "sent_at", "received_at", "derived_at")
OPTIONAL_IDS = ("session_id", "page_view_id")


def accepted(text: bytes) -> Event:
    decoded = DECODER.decode(text)
    assert isinstance(decoded, Decoded), decoded
    return decoded.event


def rejected(text: bytes) -> Rejection:
    decoded = DECODER.decode(text)
    assert isinstance(decoded, Rejection), decoded
    return decoded


def test_an_event_of_the_required_fields_alone_is_accepted() -> None:
    event = accepted(line())
    assert (event.event_id, event.event, event.platform) == ("e-1", "Order Completed", "web")
    assert event.user_id is None and event.occurred_at is None and event.page is None


def test_an_event_with_every_field_is_accepted_and_every_value_is_kept() -> None:
    event = accepted(encode(FULL))
    kept = json.loads(msgspec.json.encode(event))
    for name, value in FULL.items():
        if name in INSTANTS:
            assert getattr(event, name) == dt.datetime.fromisoformat(value)
        elif name in OBJECTS:
            assert json.loads(bytes(getattr(event, name))) == value
        else:
            assert kept[name] == value


@pytest.mark.parametrize("name", ["event_id", "event", "platform"])
def test_a_required_field_that_is_missing_is_named(name: str) -> None:
    rejection = rejected(line(**{name: ...}))
    assert rejection.reason == "missing_field"
    assert name in rejection.detail


@pytest.mark.parametrize("name", ["event_id", "event", "anonymous_id", "user_id", "session_id", "page_view_id"])
def test_an_id_has_at_most_128_characters_of_any_alphabet(name: str) -> None:
    assert getattr(accepted(line(**{name: "é" * 128})), name) == "é" * 128
    assert rejected(line(**{name: "é" * 129})).reason == "invalid_value"


@pytest.mark.parametrize("name", ["event_id", "event"])
def test_a_required_id_is_not_empty(name: str) -> None:
    assert rejected(line(**{name: ""})).reason == "invalid_value"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Order Completed",
            "$pageview",
            "注文完了",
            "100% done!",
            "ثبت\u200cشد",
            "Sign\u00a0up",
            "👩\u200d💻 joined",
        ),
        *sorted(RESERVED_EVENTS),
    ],
)
def test_an_event_may_have_a_name_in_any_writing(name: str) -> None:
    assert accepted(line(event=name)).event == name
    assert SCHEMA.is_valid(json.loads(line(event=name)))
    text_of({"event_id": "e", "event": name, "anonymous_id": "a"})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_schema_decoder_and_sdk_take_the_same_names(name: str) -> None:
    is_taken = isinstance(DECODER.decode(line(event=name)), Decoded)
    assert is_taken is SCHEMA.is_valid(json.loads(line(event=name)))
    try:
        text_of({"event_id": "e", "event": name, "anonymous_id": "a"})
    except InvalidEvent:
        assert not is_taken
    else:
        assert is_taken


@given(
    st.sampled_from(["sequence", "schema_version"]),
    st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 9).map(float),
)
def test_schema_and_decoder_take_the_same_numbers(name: str, number: float) -> None:
    decoded = DECODER.decode(line(**{name: number}))
    if isinstance(number, int) or abs(number) <= 2**53:
        assert isinstance(decoded, Decoded) is SCHEMA.is_valid(json.loads(line(**{name: number})))
    if isinstance(decoded, Decoded):
        assert getattr(decoded.event, name) == Decimal(json.dumps(number)), "a number is what its decimals say"


@pytest.mark.parametrize("name", INSTANTS)
def test_a_leap_second_is_the_second_after_it(name: str) -> None:
    for text, read in (
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2017-01-01T00:59:60.250+01:00", "2017-01-01T00:00:00.250000+00:00"),
    ):
        assert getattr(accepted(line(**{name: text, "unknown": "2016-12-31T23:59:60Z"})), name) == (
            dt.datetime.fromisoformat(read)
        )
    assert rejected(line(**{name: "2016-12-31T23:59:61Z"})).reason == "invalid_value"


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "\x1b[31mred", "\x7f", "a\x85b", "line\n"])
def test_an_event_name_that_cannot_be_printed_is_refused(name: str) -> None:
    assert rejected(line(event=name)).reason == "invalid_value"


@pytest.mark.parametrize("version", [1, 2, 2147483647])
def test_a_schema_version_counts_from_one(version: int) -> None:
    assert accepted(line(schema_version=version)).schema_version == version


@pytest.mark.parametrize("version", [0, -1, 2147483648])
def test_a_schema_version_below_one_or_above_32_bits_is_refused(version: int) -> None:
    assert rejected(line(schema_version=version)).reason == "invalid_value"


def test_a_schema_version_that_is_not_given_is_one() -> None:
    assert accepted(line()).schema_version == 1


def test_an_event_needs_an_anonymous_id_or_a_user_id() -> None:
    assert accepted(line(anonymous_id=..., user_id="u")).user_id == "u"
    for nobody in ({"anonymous_id": ...}, {"anonymous_id": None}, {"anonymous_id": "", "user_id": ""}):
        rejection = rejected(line(**nobody))
        assert rejection.reason == "missing_field"
        assert "anonymous_id or user_id" in rejection.detail


@pytest.mark.parametrize("name", ["anonymous_id", "user_id", "session_id", "page_view_id"])
def test_an_empty_id_is_no_id(name: str) -> None:
    event = accepted(line(**{"anonymous_id": "a", "user_id": "u", name: ""}))
    assert getattr(event, name) is None


@pytest.mark.parametrize("name", ["anonymous_id", "user_id", "session_id", "page_view_id", "group_id"])
@pytest.mark.parametrize(
    "word", [*PLACEHOLDERS, "NULL", "Undefined", "nan", "[OBJECT OBJECT]", " ", "\u00a0\t", " null "]
)
def test_a_word_for_none_is_no_id(name: str, word: str) -> None:
    event = accepted(line(**{"anonymous_id": "a", "user_id": "u", name: word}))
    assert getattr(event, name) is None
    assert event.anonymous_id or event.user_id


@pytest.mark.parametrize("word", ["nullable", "00", "--", "guest-7", "Anonymous Bosch", "{}", "x" * 128])
def test_an_id_that_only_looks_like_a_word_for_none_is_kept(word: str) -> None:
    assert accepted(line(user_id=word)).user_id == word


@pytest.mark.parametrize("word", ["null", "0", "(direct)", " "])
def test_an_event_whose_ids_are_all_words_for_none_has_nobody(word: str) -> None:
    assert rejected(line(anonymous_id=word, user_id=word.upper())).reason == "missing_field"
    assert not SCHEMA.is_valid(json.loads(line(anonymous_id=word, user_id=word.upper())))
    assert SCHEMA.is_valid(json.loads(line(anonymous_id=word, user_id="ann")))


def test_the_previous_id_of_an_alias_that_is_a_word_for_none_is_left_out_and_all_else_stays() -> None:
    for word in ("undefined", "", "NaN"):
        event = accepted(line(event="alias", user_id="u", properties={"previous_id": word, "other": "null"}))
        assert json.loads(bytes(event.properties)) == {"other": "null"}
    for named in ({"previous_id": "u0"}, {"previous_id": None}, {"previous_id": 0}):
        assert json.loads(bytes(accepted(line(event="alias", properties=named)).properties)) == named
    assert json.loads(bytes(accepted(line(properties={"previous_id": "null"})).properties)) == {"previous_id": "null"}


def test_which_words_are_no_ids_can_be_said() -> None:
    own = EventDecoder(placeholders=Placeholders(["n/a", "Kasse"]))
    for sent, kept in ((" N/A", None), ("KASSE", None), ("null", "null"), ("", None)):
        decoded = own.decode(line(user_id=sent))
        assert isinstance(decoded, Decoded) and decoded.event.user_id == kept


@given(st.text(max_size=5) | st.sampled_from(PLACEHOLDERS), st.text(" \t\n\u00a0\u200b", max_size=3), st.booleans())
def test_the_pattern_of_the_json_schema_and_the_decoder_know_the_same_words(word: str, blanks: str, up: bool) -> None:
    text = blanks + (word.upper() if up else word) + blanks
    pattern = jsonschema_rs.validator_for({"pattern": Placeholders().pattern})
    assert pattern.is_valid(text) is (text not in Placeholders())


@pytest.mark.parametrize("name", OPTIONAL_IDS)
def test_session_and_page_view_ids_may_be_null(name: str) -> None:
    assert getattr(accepted(line(**{name: None})), name) is None


@pytest.mark.parametrize("sequence", [0, 1, 9223372036854775807, None])
def test_a_sequence_counts_from_zero_or_is_null(sequence: int | None) -> None:
    assert accepted(line(sequence=sequence)).sequence == sequence


@pytest.mark.parametrize("sequence", [-1, 9223372036854775808])
def test_a_sequence_below_zero_or_above_64_bits_is_refused(sequence: int) -> None:
    assert rejected(line(sequence=sequence)).reason == "invalid_value"


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01t10:00:00z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01 10:00:00Z", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00.123Z", "2026-03-01T10:00:00.123+00:00"),
        ("2026-03-01T10:00:00.123456+05:45", "2026-03-01T04:15:00.123456+00:00"),
        ("2026-03-01T10:00:00-12:00", "2026-03-01T22:00:00+00:00"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_an_instant_is_rfc_3339_with_any_offset(name: str, text: str, utc: str) -> None:
    assert getattr(accepted(line(**{name: text})), name) == dt.datetime.fromisoformat(utc)


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T10:00:00",
        "2026-03-01",
        "yesterday",
        "",
        "2026-02-30T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_an_instant_without_offset_or_that_no_calendar_has_is_refused(name: str, text: str) -> None:
    assert rejected(line(**{name: text})).reason == "invalid_value"


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_that_has_no_utc_date_is_refused(name: str, text: str) -> None:
    rejection = rejected(line(**{name: text}))
    assert rejection.reason == "invalid_value"
    assert text in rejection.detail


@pytest.mark.parametrize("platform", ["web", "ios", "android", "desktop", "server", "tv", "console", "iot"])
def test_a_platform_is_one_of_eight(platform: str) -> None:
    assert accepted(line(platform=platform)).platform == platform


@pytest.mark.parametrize("platform", ["Web", "fridge", ""])
def test_another_platform_is_refused(platform: str) -> None:
    assert rejected(line(platform=platform)).reason == "invalid_value"


WRONG = [
    *[(name, 5) for name in ("event_id", "event", "anonymous_id", "user_id", "session_id", "page_view_id", "ip")],
    *[(name, 5) for name in ("group_id", "install_id")],
    *[(name, "text") for name in ("schema_version", "sequence", *NESTED, *OBJECTS)],
    *[(name, []) for name in (*NESTED, *OBJECTS)],
    *[(name, 1772359872) for name in INSTANTS],
    ("sequence", 1.5),
    ("schema_version", True),
    ("platform", 1),
    ("consent", {"analytics": "yes"}),
    ("consent", {"marketing": 1}),
    ("viewport", {"width": "1280"}),
    ("page", {"url": {"href": "https://shop.example"}}),
    ("app", {"version": 3}),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_value_of_another_type_is_refused_and_the_field_is_named(name: str, value: Any) -> None:
    rejection = rejected(line(**{name: value}))
    assert rejection.reason == "wrong_type"
    assert name in rejection.detail


@pytest.mark.parametrize("name", [*NESTED, "properties", "traits", "context"])
def test_an_object_may_be_empty_or_null(name: str) -> None:
    accepted(line(**{name: {}}))
    accepted(line(**{name: None}))


@pytest.mark.parametrize("name", ["screen", "viewport", "document"])
def test_pixels_may_be_fractions_but_fit_32_bits(name: str) -> None:
    accepted(line(**{name: {"width": 1280.5, "height": -1}}))
    assert rejected(line(**{name: {"width": 1e12}})).reason == "invalid_value"
    assert rejected(line(**{name: {"height": -1e12}})).reason == "invalid_value"


def test_properties_and_traits_stay_the_json_text_that_was_sent() -> None:
    text = b'{"z": 1.10, "a" : [1,2 ] , "big": 123456789012345678901234567890}'
    event = accepted(line()[:-1] + b',"properties": ' + text + b',"traits":' + text + b"}")
    assert bytes(event.properties) == text
    assert bytes(event.traits) == text


@given(valid_events())
def test_whatever_keeps_the_rules_is_accepted_and_fits_the_json_schema(event: dict[str, Any]) -> None:
    assert accepted(encode(event)).event_id == event["event_id"]
    assert SCHEMA.is_valid(event)


SCHEMA = jsonschema_rs.validator_for(json_schema())


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": ...},
        {"event_id": ""},
        {"event": "x" * 129},
        {"event": "a\nb"},
        {"anonymous_id": ...},
        {"anonymous_id": None},
        {"anonymous_id": "", "user_id": ""},
        {"platform": "fridge"},
        {"schema_version": 0},
        {"sequence": -1},
        {"page": "https://shop.example"},
        {"consent": {"analytics": "yes"}},
        {"properties": []},
    ],
)
def test_what_the_decoder_refuses_the_json_schema_refuses_too(changes: dict[str, Any]) -> None:
    rejected(line(**changes))
    assert not SCHEMA.is_valid(json.loads(line(**changes)))


def test_the_json_schema_allows_fields_that_the_contract_does_not_know() -> None:
    assert SCHEMA.is_valid({**SMALL, "foo": 1, "page": {"url": "u", "section": "x"}})


def test_the_json_schema_knows_every_field() -> None:
    properties = json_schema()["$defs"]["Event"]["properties"]
    assert set(properties) == set(FULL) == set(Event.__struct_fields__)
