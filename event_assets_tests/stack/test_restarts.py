"""A service that ends again and again within an hour is given up; one that ends now and then never is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.embedded.service import Service, ServiceSpec, StackError
from event_assets.settings import Settings
from event_assets.stack.local import LocalStack
from event_assets.stack.restarts import MOST_RESTARTS, WITHIN_SECONDS, Restarts
from event_assets_tests.processes import eventually


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


def test_a_stack_says_how_a_service_ended_starts_it_again_and_gives_up_on_one_that_goes_on_ending(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    stack = LocalStack(Settings(home=tmp_path), {}, said.append)
    stack._record = stack._plan()
    stack._logs.mkdir()
    command = [sys.executable, "-c", "print('no more', flush=True); import os; os.kill(os.getpid(), 9)"]
    stack._services = [Service(ServiceSpec("thing", command, lambda: True, title="The thing"), stack._logs)]

    def look() -> None:
        assert eventually(lambda: not stack._services[0].running)
        stack.check()

    for _ in range(MOST_RESTARTS):
        look()
    told = re.compile(r"The thing was ended by SIGKILL .*, and is started again\. Its log is ")
    assert all(told.match(line) for line in said[-MOST_RESTARTS:])
    with pytest.raises(StackError, match=r"The thing was ended by SIGKILL .*\n  no more"):
        look()
    stack.stop()


@pytest.mark.parametrize("host", ["no host", "203.0.113.7"])
def test_an_address_that_is_not_this_machines_is_said(tmp_path: Path, host: str) -> None:
    stack = LocalStack(Settings(home=tmp_path, collector_host=host), {})
    with pytest.raises(StackError, match=f"The ingest API cannot listen on {host}: .* Name an address of this machine"):
        stack.start()
    stack.stop()
