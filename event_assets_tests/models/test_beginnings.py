"""What came late, of days before a platform ran, is no past of it; nights and weekends take none away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.models.beginnings import beginning, runs
from event_assets_tests.examples import examples

DAY, WEEK = 7, 168
"""Steps of a season of days, and of hours."""
WORK = np.array([9 <= hour % 24 < 17 and hour // 24 % 7 < 5 for hour in range(WEEK)])
"""The hours in which an office works."""


def began(sizes: object, season: int) -> int | None:
    return beginning(runs(np.asarray(sizes, dtype=float)), season)


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_what_has_run_for_a_day_has_no_past_whatever_came_late(hours: int) -> None:
    rng = np.random.default_rng(hours)
    late = rng.poisson(0.4, 63 * 24)
    assert began([*late, *rng.poisson(18_000, hours)], WEEK) is None
    assert began([*rng.poisson(0.5, 400), 18_000], DAY) is None


def test_what_runs_for_an_hour_now_and_then_has_none() -> None:
    """As where a demo is started now and then on the same machine, with what came late of each in between."""
    sizes = np.random.default_rng(3).poisson(2.0, 60 * 24)
    sizes[[100, 101, 300, 720, 721, 1_100, 1_400]] = 18_000
    assert began(sizes, WEEK) is None


@examples(50)
@given(
    st.integers(0, 400),
    st.lists(st.integers(0, 2), min_size=0, max_size=400),
    st.sampled_from(["always", "office", "first half of the day"]),
)
def test_late_events_before_it_began_never_move_the_beginning(seed: int, late: list[int], when: str) -> None:
    rng, hours = np.random.default_rng(seed), np.arange(3 * WEEK)
    is_on = {"always": hours >= 0, "office": WORK[hours % WEEK], "first half of the day": hours % 24 < 12}[when]
    sizes = np.where(is_on, rng.poisson(300, len(hours)), 0)
    first = int(is_on.argmax())
    assert began(sizes, WEEK) == first
    assert began([*late, *sizes], WEEK) == len(late) + first


@examples(50)
@given(st.integers(0, 400), st.integers(2, 20))
def test_a_pause_after_it_and_a_flood_take_no_past_away(seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.poisson(300, 8 * WEEK)
    pause = int(rng.integers(WEEK, 6 * WEEK))
    sizes[pause : pause + WEEK] = 0
    sizes[-1] = 300 * times
    assert began(sizes, WEEK) == 0
    days = rng.poisson(20, 60) * (np.arange(60) % 7 < 5)
    days[-1] = 20 * times
    assert began(days, DAY) == 0


def test_what_grows_has_all_of_its_past_and_what_is_small_too() -> None:
    assert began(np.geomspace(100, 5_000, 200), DAY) == 0
    few = np.random.default_rng(5).poisson(1.5, 120)
    assert began(few, DAY) == int((few > 0).argmax())


def test_what_never_came_or_for_less_than_a_season_has_not_begun() -> None:
    assert began(np.zeros(400), DAY) is None and began([], DAY) is None and began([9, 9, 9, 9, 9, 9], DAY) is None
    assert began([9] * DAY, DAY) == 0
