"""How unlikely is told by models and by the past: centred, ordered, and never surer than either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from event_assets.models.tails import Tail, count_scores, discoveries, probabilities, rate_scores, score_at, tail_of

MEANS = st.floats(0.1, 5_000)


def tail(scores: object, window: int = 1) -> Tail:
    """The tail of one series and window."""
    past = np.array(scores, dtype=float).reshape(-1, 1, 1)
    return tail_of(past, np.array([float(window)]), np.zeros(1, dtype=np.int64))


def likely(score: float, tail: Tail) -> float:
    return float(probabilities(np.array([[score]]), tail)[0, 0])


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value], dtype=float)


@given(MEANS, st.floats(1, 20), st.integers(0, 20_000), st.integers(1, 500))
def test_more_counts_are_never_a_lower_score(mean: float, dispersion: float, count: int, more: int) -> None:
    low, high = (count_scores(one(number), one(mean), one(dispersion))[0] for number in (count, count + more))
    assert np.isfinite([low, high]).all() and low <= high


def test_scores_of_counts_and_rates_have_the_spread_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(5)
    counts = rng.negative_binomial(40, 0.5, 20_000).astype(float)
    of_counts = count_scores(counts, np.full(20_000, 40.0), np.full(20_000, 2.0))
    hits = rng.binomial(200, 0.2, 20_000).astype(float)
    many = np.full(20_000, 1e7)
    of_rates = rate_scores(hits, np.full(20_000, 200.0), 0.2 * many, many)
    for scores in (of_counts, of_rates):
        assert abs(scores.mean()) < 0.05 and abs(scores.std() - 1) < 0.05
        assert (np.abs(scores) > 3).mean() < 0.006


def test_a_rate_says_less_where_little_is_known_of_the_past_and_nothing_where_nobody_tried() -> None:
    scores = rate_scores(
        *(np.array(each, dtype=float) for each in ([0, 0, 0], [50, 50, 0], [2, 2_000, 5], [10, 10_000, 9]))
    )
    assert scores[1] < scores[0] < 0 and scores[2] == 0


def test_the_past_is_believed_before_the_model() -> None:
    wild = np.random.default_rng(1).standard_t(2, 400)
    calm = np.random.default_rng(1).normal(0, 1, 400)
    assert likely(4, tail(wild)) > 10 * likely(4, tail(calm))
    assert likely(4, tail(wild)) >= (np.abs(wild) >= 4).sum() / 401


@given(st.lists(st.floats(-8, 8), max_size=60), st.floats(0, 12), st.floats(0, 12))
def test_a_larger_score_is_never_more_probable_and_none_is_surer_than_the_normal_one(
    past: list[float], one_: float, other: float
) -> None:
    smaller, larger = sorted((one_, other))
    few, many = likely(larger, tail(past)), likely(smaller, tail(past))
    assert 0 <= few <= many + 1e-12 and many <= 1
    assert few >= 2 * ndtr(-larger)


def test_what_is_not_there_is_no_past() -> None:
    with_gaps = tail([1.0, np.nan, -2.0, np.nan])
    assert with_gaps.there == 2
    assert likely(1.5, with_gaps) == pytest.approx(likely(1.5, tail([1.0, -2.0])))


def test_scores_of_windows_that_overlap_are_believed_less() -> None:
    wild = np.random.default_rng(4).normal(0, 3, 60)
    starts = [float(tail(wild, window).start[0, 0]) for window in (1, 7, 14)]
    assert starts == sorted(starts, reverse=True) and starts[0] > 2 * starts[-1] - 1.645


def test_series_of_a_group_lend_each_other_their_past() -> None:
    past = np.stack([np.random.default_rng(5).normal(0, 3, (20, 1)) for _ in range(3)], axis=1)
    apart = tail_of(past, np.ones(1), np.arange(3))
    together = tail_of(past, np.ones(1), np.zeros(3, dtype=np.int64))
    assert np.ptp(together.start) < np.ptp(apart.start) or (together.start > apart.start).any()


def test_the_band_ends_where_the_tail_says() -> None:
    wide = tail(np.random.default_rng(2).normal(0, 2, 5_000))
    assert score_at(0.01, wide)[0, 0] == pytest.approx(2 * 2.58, rel=0.15)


def test_discoveries_among_nothing_are_as_rare_as_asked_for_and_weights_move_them() -> None:
    rng = np.random.default_rng(3)
    usual = [discoveries(rng.uniform(size=50), 0.05, np.ones(50)).any() for _ in range(2_000)]
    assert 0.03 < np.mean(usual) < 0.07
    close = np.array([0.0015, 0.5])
    assert not discoveries(close, 0.002, np.ones(2)).any()
    assert discoveries(close, 0.002, np.array([1.8, 0.2])).tolist() == [True, False]
    assert not discoveries(np.zeros(0), 0.05, np.zeros(0)).any()


def test_squares_of_normal_scores_have_a_tail_that_is_believed_further_out_and_wide_ones_a_wide_one() -> None:
    calm = np.random.default_rng(3).normal(0, 1, (4_000, 1, 1))
    of_own, of_squares = (tail_of(calm, np.ones(1), np.zeros(1, dtype=np.int64), np.array([power])) for power in (1, 2))
    normal = 2 * ndtr(-5.0)
    assert normal <= likely(5, of_squares) < 5 * normal < likely(5, of_own)
    wide = tail_of(3 * calm, np.ones(1), np.zeros(1, dtype=np.int64), np.array([2]))
    assert likely(5, wide) > 0.05 and score_at(0.01, wide)[0, 0] == pytest.approx(3 * 2.58, rel=0.1)
