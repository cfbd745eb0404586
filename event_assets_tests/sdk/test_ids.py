"""Ids are version 7 UUIDs that only grow."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from event_assets_sdk.ids import Uuid7


@given(st.lists(st.floats(min_value=0, max_value=4e9), min_size=1, max_size=200))
def test_ids_grow_whatever_the_clock_does(times: list[float]) -> None:
    moments = iter(times)
    new_id = Uuid7(lambda: next(moments))
    made = [new_id() for _ in times]
    assert made == sorted(set(made))
    for text in made:
        parsed = uuid.UUID(text)
        assert parsed.version == 7 and parsed.variant == uuid.RFC_4122 and str(parsed) == text


def test_an_id_begins_with_its_time() -> None:
    assert uuid.UUID(Uuid7(lambda: 1_700_000_000.123)()).int >> 80 == 1_700_000_000_123
