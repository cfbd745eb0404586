"""Lines that stand in one text are the lines, or it is said that they are not."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.ndjson import Lines, decode_text
from event_assets_tests.examples import examples

_DECODER = msgspec.json.Decoder(msgspec.defstruct("Counted", [("a", int)]))
OBJECTS = st.builds(lambda value: json.dumps({"a": value}).encode(), st.integers(0, 300) | st.text(max_size=2))
ANYTHING = OBJECTS | st.sampled_from([b"", b"{", b"}", b"{}{}", b'{"a":', b"1}", b"[{}]", b'{"a":"}', b'{"}'])


def of(lines: list[bytes]) -> Lines:
    found = Lines.of(b"\n".join(lines))
    assert found is not None
    return found


@examples(60)
@given(st.lists(ANYTHING, max_size=6))
def test_only_lines_that_begin_and_end_as_objects_stand_in_a_text(lines: list[bytes]) -> None:
    found = Lines.of(b"\n".join(lines))
    stand = bool(lines) and all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    assert (found is not None) == stand
    if found is not None:
        assert [found[row] for row in range(len(found))] == lines
        assert decode_text(_DECODER, found) == [_said(line) for line in lines]


def _said(line: bytes) -> Any:
    try:
        return _DECODER.decode(line)
    except msgspec.MsgspecError:
        return None


@examples(30)
@given(st.lists(OBJECTS, min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 6), st.lists(OBJECTS, min_size=1))
def test_lines_are_parted_and_joined_as_a_list_is(
    lines: list[bytes], first: int, count: int, more: list[bytes]
) -> None:
    first = min(first, len(lines) - 1)
    part = of(lines).part(first, first + count)
    joined = Lines.joined([part, of(more)])
    assert [joined[row] for row in range(len(joined))] == [*lines[first : first + count], *more]


def test_one_line_in_many_that_is_none_of_the_decoders_costs_no_other() -> None:
    lines = [b'{"a":%d}' % number for number in range(200)]
    lines[150] = b'{"a":}'
    said = decode_text(_DECODER, of(lines))
    assert [None if value is None else value.a for value in said] == [n if n != 150 else None for n in range(200)]
