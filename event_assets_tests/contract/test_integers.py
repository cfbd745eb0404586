from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.integers import quote_long_integers
from event_assets_tests.examples import texts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | texts() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
    max_leaves=12,
)


def as_kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_kept(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_kept(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


@given(VALUES, st.booleans())
def test_integers_outside_64_bits_become_strings_and_nothing_else_changes(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert json.loads(quote_long_integers(text)) == as_kept(json.loads(text))


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "1e400", "1.00000000000000000000"])
def test_a_number_that_a_reader_can_hold_stays_as_it_was_written(number: str) -> None:
    assert quote_long_integers(number.encode()) == number.encode()


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1" * 10_000])
def test_an_integer_that_no_reader_can_hold_is_a_string(number: str) -> None:
    assert quote_long_integers(number.encode()) == f'"{number}"'.encode()
