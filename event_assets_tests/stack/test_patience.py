"""Patience lasts as long as something moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from event_assets.stack.patience import Patience


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3)), max_size=50))
def test_it_is_over_exactly_when_nothing_has_moved_for_so_long(looks: list[tuple[int, int]]) -> None:
    now = 0
    patience = Patience(300, lambda: now)
    moved_at, last = 0, None
    for later, seen in looks:
        now += later
        if seen != last:
            moved_at, last = now, seen
        assert patience.is_over(seen) == (now - moved_at > 300)


def test_a_slow_machine_may_take_as_long_as_it_needs() -> None:
    now = 0
    patience = Patience(300, lambda: now)
    for missing in range(1000, 0, -1):
        now += 299
        assert not patience.is_over(missing)
