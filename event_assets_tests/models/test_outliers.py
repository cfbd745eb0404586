"""Who behaves unlike most on several suspicious sides is an outlier, and hardly anybody else."""

from __future__ import annotations

import numpy as np
import pytest

from event_assets.models.outliers import LEAST_KNOWN, LEAST_VISITORS, Habit, Numbers, Outliers, Usual, usual_of

HABITS = (Habit("speed", 1, 0.1), Habit("attention", -1, 0.1), Habit("views", 1, 0.1))
ROBOT = [20.0, 0.0, 25.0]


def people(number: int, seed: int = 1) -> Numbers:
    return np.random.default_rng(seed).gamma(4, 1, (number, 3))


def usual(values: Numbers) -> Usual:
    known = usual_of(values, HABITS)
    assert known is not None
    return known


def found(values: Numbers) -> Outliers:
    return usual(values).judge(values)


@pytest.mark.parametrize("robots", [1, 30, 80])
def test_those_who_differ_in_several_ways_are_told_with_reasons_however_many_and_few_others(robots: int) -> None:
    outliers = found(np.vstack([people(1_000), np.tile(ROBOT, (robots, 1))]))
    assert outliers.is_outlier[1_000:].all() and outliers.is_outlier[:1_000].mean() <= 0.01
    assert [HABITS[each].name for each in outliers.reasons(1_000)][:2] == ["views", "speed"]
    assert outliers.score[1_000] > 1


@pytest.mark.parametrize("seed", range(5))
def test_among_people_of_one_kind_hardly_anybody_is_told(seed: int) -> None:
    assert found(people(2_000, seed)).is_outlier.mean() <= 0.005


@pytest.mark.parametrize("row", [[4.0, 4.0, 500.0], [0.0, 90.0, 0.0], [np.nan, np.nan, np.nan]])
def test_who_differs_in_one_way_or_on_the_other_side_or_is_not_known_is_no_outlier(row: list[float]) -> None:
    assert not found(np.vstack([people(500), np.array([row])])).is_outlier[-1]


def test_robots_of_which_many_share_one_habit_do_not_make_it_usual() -> None:
    """One in six has no attention at all, and half of those are loud besides: the others are told once these are."""
    attentive = people(300, 3) + np.array([0.0, 3.0, 0.0])
    loud, quiet = np.tile([20.0, 0.0, 40.0], (30, 1)), np.tile([10.0, 0.0, 10.0], (30, 1))
    outliers = found(np.vstack([attentive, loud, quiet]))
    assert outliers.is_outlier[300:].all() and outliers.is_outlier[:300].mean() <= 0.01
    assert HABITS[outliers.reasons(350)[0]].name == "attention"


def test_those_who_all_behave_alike_are_no_outliers_and_a_few_are_not_judged() -> None:
    assert not found(np.ones((LEAST_VISITORS, 3))).is_outlier.any()
    assert usual_of(people(LEAST_VISITORS - 1), HABITS) is None


def test_a_habit_that_few_have_is_not_looked_at() -> None:
    values = np.vstack([people(500), np.tile(ROBOT, (5, 1))])
    values[: 505 - LEAST_KNOWN + 1, 2] = np.nan
    known = usual(values)
    assert np.isnan(known.middle[2]) and 3 < known.middle[0] < 4
    assert not known.judge(values).deviations[:, 2].any()


def test_the_order_of_visitors_does_not_matter() -> None:
    values = np.vstack([people(300), np.tile(ROBOT, (8, 1))])
    np.testing.assert_array_equal(found(values).score, found(values[::-1]).score[::-1])
    one_by_one = [usual(values).judge(row[None]).score[0] for row in values]
    np.testing.assert_array_equal(found(values).score, one_by_one)
