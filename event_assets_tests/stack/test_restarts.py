"""A service that ends again and again within an hour is given up; one that ends now and then never is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from event_assets.stack.restarts import MOST_RESTARTS, WITHIN_SECONDS, Restarts


class Clock:
    """A clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_end_more_than_allowed_within_an_hour_is_too_many() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    assert not any(restarts.are_too_many("collector") for _ in range(MOST_RESTARTS))
    assert not restarts.are_too_many("spark"), "each service has its own count"
    clock.now = WITHIN_SECONDS - 1
    assert restarts.are_too_many("collector")


def test_a_service_that_crashes_now_and_then_is_started_again_for_ever() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(1000):
        assert not restarts.are_too_many("collector")
        clock.now += WITHIN_SECONDS / MOST_RESTARTS


@given(st.lists(st.integers(0, 4000), max_size=40))
def test_it_gives_up_exactly_when_an_hour_holds_more_ends_than_allowed(pauses: list[int]) -> None:
    clock = Clock()
    restarts = Restarts(clock)
    ends: list[float] = []
    for pause in pauses:
        clock.now += pause
        ends.append(clock.now)
        within = [end for end in ends if clock.now - end < WITHIN_SECONDS]
        assert restarts.are_too_many("collector") == (len(within) > MOST_RESTARTS)
