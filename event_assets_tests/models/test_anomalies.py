"""The unusual is found in its own series and in time, usual days are left alone, and no later day changes an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.planted import FAULTS, planted
from event_assets.models.anomalies import Detection, Findings, detect
from event_assets.models.panel import Panel, SeriesKey
from event_assets_tests.examples import examples

HIDDEN_SEEDS = range(100, 103)
"""Not those that the benchmark shows."""


def panel_of(*series: object, kind: str = "count", season: int = 7) -> Panel:
    amounts = np.array(series, dtype=float)
    number, steps = amounts.shape
    return Panel(
        [SeriesKey(f"m{place}", "all", "(all)") for place in range(number)],
        [kind] * number,  # type: ignore[list-item]
        amounts,
        np.zeros(amounts.shape),
        np.zeros(number, dtype=np.int64),
        season,
        np.zeros((number, steps), dtype=bool),
    )


def until(panel: Panel, step: int) -> Panel:
    parts = {name: getattr(panel, name)[:, :step] for name in ("amounts", "wholes", "known")}
    return replace(panel, **parts)


ONE = Detection(budget=0.001)
"""Of one series alone: of the usual budget three days in a hundred are told in vain."""


def calm(seed: int, steps: int = 120, mean: float = 200) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).poisson(mean, steps)


def test_most_planted_faults_are_found_in_their_own_series() -> None:
    found = dict.fromkeys(FAULTS, 0)
    for seed in HIDDEN_SEEDS:
        panel, faults = planted(seed, faults=4)
        is_alert = detect(panel, Detection()).is_alert
        for fault in faults:
            found[fault.kind] += bool(is_alert[fault.series, fault.begins : fault.ends].any())
    slow = found.pop("slow_leak")
    assert sum(found.values()) >= 2 / 3 * len(found) * len(HIDDEN_SEEDS), (found, slow)
    assert all(found.values()), found


def test_a_slow_leak_of_a_large_series_is_told_before_it_reaches_half() -> None:
    expected = 400 * np.concatenate([np.ones(70), np.linspace(1, 0.5, 20), np.full(10, 0.5)])
    series = np.random.default_rng(13).poisson(expected)
    found = detect(panel_of(series, calm(14, 100), calm(15, 100)), ONE)
    assert found.is_alert[0, 70:88].any() and found.score[0, 85] < 0
    assert not found.is_alert[:, :70].any()


def test_without_any_fault_the_share_of_days_on_which_an_alert_begins_keeps_to_the_budget() -> None:
    began, judged = 0, 0
    for seed in HIDDEN_SEEDS:
        findings = detect(planted(seed)[0], Detection(budget=0.03))
        begins = findings.is_alert & ~np.pad(findings.is_alert, ((0, 0), (1, 0)))[:, :-1]
        began += int(begins.any(axis=0).sum())
        judged += int(findings.is_judged.any(axis=0).sum())
    assert judged > 400 and began <= 0.05 * judged


@examples(10)
@given(st.integers(0, 10_000), st.integers(40, 99))
def test_what_comes_later_changes_no_earlier_answer(seed: int, step: int) -> None:
    panel, _ = planted(seed, series=6, steps=100)
    whole, part = detect(panel, Detection()), detect(until(panel, step), Detection())
    for name in Findings.__annotations__:
        np.testing.assert_array_equal(getattr(whole, name)[:, :step], getattr(part, name), err_msg=name)


def test_the_order_of_the_series_does_not_matter() -> None:
    panel, _ = planted(7, series=9, steps=110, faults=4)
    back = replace(
        panel,
        **{name: getattr(panel, name)[::-1] for name in ("keys", "kinds", "amounts", "wholes", "begins", "known")},
    )
    one, other = detect(panel, Detection()), detect(back, Detection())
    np.testing.assert_allclose(one.probability, other.probability[::-1])
    np.testing.assert_array_equal(one.is_alert, other.is_alert[::-1])


def test_a_series_that_was_not_seen_for_long_enough_says_nothing() -> None:
    series = calm(1)
    series[20] = 5_000
    found = detect(panel_of(series), ONE)
    assert not found.is_judged[0, :28].any() and not found.is_alert[0, :28].any()
    assert np.isnan(found.expected[0, :28]).all() and found.is_judged[0, 60]


def test_nothing_is_told_of_a_known_event_and_nothing_is_learnt_from_it() -> None:
    series = calm(2)
    series[60:63] = 900
    panel = panel_of(series)
    assert detect(panel, ONE).is_alert[0, 60]
    known = panel.known.copy()
    known[0, 60:63] = True
    found = detect(replace(panel, known=known), ONE)
    assert not found.is_alert.any() and not found.is_judged[0, 60:63].any()
    assert found.expected[0, 63] == pytest.approx(found.expected[0, 59], rel=0.15)


def test_a_fault_is_told_while_it_lasts_and_does_not_become_usual_at_once() -> None:
    series = calm(3)
    series[70:90] = series[70:90] // 2
    found = detect(panel_of(series), ONE)
    assert found.is_alert[0, 71:90].all() and not found.is_alert[0, 91:].any()
    assert found.expected[0, 89] == pytest.approx(200, rel=0.15)


def test_what_stays_so_is_usual_in_the_end() -> None:
    series = np.concatenate([calm(4, 70), calm(5, 90, mean=400)])
    found = detect(panel_of(series), ONE)
    assert found.is_alert[0, 70:98].all()
    assert not found.is_alert[0, 105:].any()
    assert found.expected[0, -1] == pytest.approx(400, rel=0.15)


def test_a_weekly_pattern_is_no_anomaly_and_a_broken_one_is() -> None:
    week = np.tile([300, 300, 300, 300, 300, 60, 40], 20)
    series = np.random.default_rng(6).poisson(week)
    found = detect(panel_of(series), ONE)
    assert not found.is_alert.any()
    series[7 * 15 + 6] = 300
    assert detect(panel_of(series), ONE).is_alert[0, 7 * 15 + 6]


def test_the_first_of_an_event_that_never_was_is_told_within_days() -> None:
    series = np.zeros(100)
    series[80:] = np.random.default_rng(8).poisson(2, 20)
    found = detect(panel_of(series, calm(9, 100)), ONE)
    assert found.is_alert[0, 80:90].any() and not found.is_alert[:, :80].any()


def test_less_proof_is_asked_of_series_with_more_weight() -> None:
    panel, _ = planted(11, faults=8)
    shape = panel.amounts.shape
    few, many = (detect(panel, Detection(), np.full(shape, weight)).is_alert.sum() for weight in (1 / 16, 1.0))
    assert few < many


def test_bands_hold_most_usual_days() -> None:
    panel, _ = planted(12)
    found = detect(panel, Detection())
    is_rate = panel.of_kind("rate")[:, None]
    shares = np.divide(panel.amounts, panel.wholes, out=np.zeros(panel.amounts.shape), where=panel.wholes > 0)
    observed = np.where(is_rate, shares, panel.amounts)
    inside = (observed >= found.low) & (observed <= found.high)
    assert inside[found.is_judged].mean() > 0.96
    assert (found.low <= found.expected + 1e-9)[found.is_judged].all()


def test_a_panel_whose_parts_do_not_belong_together_is_refused() -> None:
    panel = panel_of(calm(1), calm(2))
    with pytest.raises(ValueError, match="as many keys"):
        replace(panel, keys=panel.keys[:1])
    with pytest.raises(ValueError, match="series by steps"):
        replace(panel, wholes=panel.wholes[:, :5])
    with pytest.raises(ValueError, match="finite"):
        replace(panel, amounts=np.where(panel.amounts > 0, np.nan, 0))
