"""What the page of the pipeline says of quarantined events is nothing about a person."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from event_assets.dashboards.pages.pipeline import shape_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
SECRET = "anna@example.org"


def test_a_shape_has_the_names_and_types_of_an_event() -> None:
    event = {"event": "search", "user_id": SECRET, "properties": {"n": 1, "found": [{"a": 0.5}, 2], "none": None}}
    assert json.loads(shape_of(json.dumps(event).encode())) == {
        "event": "text",
        "user_id": "text",
        "properties": {"n": "number", "found": [{"a": "number"}, "2 in all"], "none": "null"},
    }


@given(JSON)
def test_no_value_of_an_event_is_in_its_shape(value: Any) -> None:
    def marked(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: marked(each) for name, each in inner.items()}
        return [marked(each) for each in inner] if isinstance(inner, list) else SECRET

    assert SECRET not in shape_of(json.dumps(marked(value)).encode())


@given(st.binary())
def test_whatever_was_sent_has_a_shape_that_can_be_shown(data: bytes) -> None:
    assert shape_of(data).isprintable()


def test_what_is_nested_too_deep_or_no_json_is_told_by_its_size() -> None:
    assert shape_of(b"[" * 100_000) == "100000 bytes that are no JSON"
    assert shape_of(b'{"email": "anna@exam') == "20 bytes that are no JSON"
