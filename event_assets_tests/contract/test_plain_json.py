from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.plain_json import UNUSUAL, may_repeat_a_name, plain
from event_assets_tests.examples import texts

NAMES = st.sampled_from(["a", "b", 'q":', "a:", "ü\\"])
NUMBERS = st.sampled_from(
    ["3.0", "-3.00", "1e3", "1E-3", "12.50", "-0.0", "1.25e1", "9007199254740993.0", "1e400", "0"]
)
SPACES = st.sampled_from(["", "", " ", "\n\t"])


@st.composite
def written(draw: st.DrawFn, depth: int = 3) -> str:
    """A JSON value written with repeated names, spaces anywhere, escapes, and numbers in every spelling."""
    kind = draw(st.sampled_from(["number", "integer", "text", "word", *["object", "list"] * (depth > 0)]))
    if kind in ("object", "list"):
        inner = [draw(written(depth - 1)) for _ in range(draw(st.integers(0, 4)))]
        if kind == "object":
            inner = [f"{_text(draw, draw(NAMES))}{draw(SPACES)}:{draw(SPACES)}{value}" for value in inner]
        ends = "{}" if kind == "object" else "[]"
        return ends[0] + draw(SPACES) + f"{draw(SPACES)},{draw(SPACES)}".join(inner) + draw(SPACES) + ends[1]
    if kind == "number":
        return draw(NUMBERS)
    if kind == "integer":
        return str(draw(st.integers(-(10**25), 10**25)))
    return _text(draw, draw(texts() | NAMES)) if kind == "text" else draw(st.sampled_from(["true", "false", "null"]))


def _text(draw: st.DrawFn, text: str) -> str:
    return re.sub('^"a', draw(st.sampled_from(['"a', r'"\\u0061'])), json.dumps(text, ensure_ascii=draw(st.booleans())))


def read(text: bytes, of_pairs: Callable[[Any], Any] = dict) -> Any:
    """What the text says to a reader that takes numbers exactly; integers that do not fit as their digits."""

    def fitting(digits: str) -> Any:
        return int(digits) if -(2**63) <= int(digits) < 2**63 else digits

    def exactly(number: str) -> Any:
        value = float(number)
        return int(value) if value.is_integer() and abs(value) < 2**53 else repr(value)

    special = {"9007199254740993.0": 9007199254740993}
    return json.loads(
        text,
        parse_int=fitting,
        parse_float=lambda number: special.get(number, exactly(number)),
        object_pairs_hook=of_pairs,
    )


def first_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


OBJECTS = written().filter(lambda text: text.startswith("{")).map(str.encode)


@given(OBJECTS)
def test_a_plain_text_says_the_same_to_who_takes_the_first_and_who_takes_the_last_of_a_name(text: bytes) -> None:
    made = plain(text)
    assert read(made, first_of) == read(made) == read(text)


@given(OBJECTS)
def test_what_is_not_found_unusual_is_plain_already(text: bytes) -> None:
    if not re.search(UNUSUAL, text.decode()) and not may_repeat_a_name(text):
        assert plain(text) == text


@given(OBJECTS)
def test_what_is_plain_stays_byte_for_byte(text: bytes) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a" :1, "\\u0061" :null}', b'{"a":null}'),
        (b'{"a":[{"b":{"c":1,"c":2}}]}', b'{"a":[{"b":{"c":2}}]}'),
        (b'{"u":"x\\":y","n":{"u":"\\":"}}', b'{"u":"x\\":y","n":{"u":"\\":"}}'),
        (b"[3.0, 1e3, 12.50, -0.0]", b"[3, 1000, 12.5, 0]"),
        (b'{"id":"1e3","v":"3.0","w":"see: 3.0, ok"}', b'{"id":"1e3","v":"3.0","w":"see: 3.0, ok"}'),
    ],
)
def test_of_a_name_the_last_value_counts_and_numbers_are_plain(sent: bytes, kept: bytes) -> None:
    assert plain(sent) == kept


@pytest.mark.parametrize(
    "number",
    [
        "9223372036854775807",
        "-9223372036854775808",
        "1e400",
        "1e999999999",
        "0e9999999999999999999999",
        "1e-99999999999999999999",
        "1e22",
        "0.1000000000000000055511",
    ],
)
def test_a_number_without_a_plainer_spelling_stays_as_it_was_written(number: str) -> None:
    assert plain(number.encode()) == number.encode()


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1" * 10_000])
def test_an_integer_that_no_reader_can_hold_is_a_string(number: str) -> None:
    assert plain(number.encode()) == f'"{number}"'.encode()
