"""A line that stands for a refused event says why, and no other line does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.decoder import Rejection
from event_assets.contract.refused import refused_line, rejection_of
from event_assets_tests.contract.events import FULL, encode, json_values
from event_assets_tests.examples import texts


@given(texts(), st.none() | texts(), st.dictionaries(texts(max_size=8) | st.just("refused"), json_values, max_size=3))
def test_why_an_event_was_refused_is_read_as_it_was_written(
    detail: str, name: str | None, fields: dict[str, object]
) -> None:
    why = Rejection("wrong_type", detail, name, name)
    line = refused_line(why, fields)
    assert rejection_of(line) == why
    kept = {name: value for name, value in fields.items() if name != "refused"}
    assert {name: value for name, value in msgspec.json.decode(line).items() if name != "refused"} == kept


@pytest.mark.parametrize(
    "line", [encode(FULL), b'{"refused":1}', b'{"refused":{"reason":"other","detail":""}}', b'{"refused":{', b""]
)
def test_no_other_line_says_so(line: bytes) -> None:
    assert rejection_of(line) is None
