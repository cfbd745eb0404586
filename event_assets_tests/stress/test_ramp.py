from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from event_assets.stress.load import Tally
from event_assets.stress.ramp import Curve, RampLimits, RampStep, broken_rules, gave_way
from event_assets.stress.report import LoadReconciliation, load_sentence

SOUND = Tally(sent=10_000, acknowledged=10_000, seconds=5.0)
STEP = RampStep(2_000, 1, 5.0, 10_000, 10_000, {}, 0, 0.01, 0.02, 0.1, 0.5, 0.3, 0.0, 0.45, 100, 1.0)
RECONCILED = LoadReconciliation(100, 90, 8, 2, 90, landed=90, clean=89, quarantined=1, enriched=89, loaded=89)


@pytest.mark.parametrize(
    ("tally", "p99", "lag", "sentence"),
    [
        (SOUND, 0.6, 0.0, "API: p99 of 600 ms is above 500 ms"),
        (replace(SOUND, refused=Counter(retry=101)), 0.1, 0.0, "API: 1.0% of the events are refused (retry)"),
        (replace(SOUND, unanswered=150), 0.1, 0.0, "are refused (no answer)"),
        (replace(SOUND, sent=8_900), 0.1, 0.0, "API: it takes 1,780 of 2,000 offered events/s, less than 90%"),
        (replace(SOUND, seconds=6.0), 0.1, 0.0, "API: it takes 1,667 of 2,000 offered events/s"),
        (SOUND, 0.1, 61.0, "pipeline: the oldest event on its way is 61 s old, more than 60 s"),
    ],
)
def test_each_rule_is_broken_by_what_it_forbids(tally: Tally, p99: float, lag: float, sentence: str) -> None:
    (broken,) = broken_rules(RampLimits(), 2_000, 5.0, tally, p99, lag)
    assert sentence in broken


def test_at_its_very_limits_everything_holds() -> None:
    tally = replace(SOUND, sent=9_000, refused=Counter(retry=60), unanswered=30)
    assert broken_rules(RampLimits(), 2_000, 5.0, tally, 0.5, 60.0) == []


def test_only_what_is_broken_twice_running_has_given_way() -> None:
    broken = replace(STEP, broken=("API: too slow",))
    assert gave_way([broken]) == ()
    assert gave_way([STEP, broken]) == ()
    assert gave_way([broken, STEP]) == ()
    assert gave_way([STEP, broken, broken]) == ("API: too slow",)


def test_between_two_looks_events_came_evenly() -> None:
    line = Curve()
    line.times, line.counts = [0.0], [0]
    line.add(10.0, 0)
    line.add(20.0, 100)
    line.add(30.0, 100)
    assert line.when(0) == 10.0
    assert line.when(50) == 15.0
    assert line.when(100) == 30.0


def test_books_that_balance_have_no_faults() -> None:
    assert RECONCILED.faults == []
    assert replace(RECONCILED, on_stream=92, landed=92, clean=91, enriched=91, loaded=91).faults == []
    assert LoadReconciliation(100, 100, 0, 0, 100).faults == []


@pytest.mark.parametrize(
    ("reconciliation", "sentence"),
    [
        (replace(RECONCILED, sent=101), "101 sent are not acknowledged + refused + unanswered"),
        (replace(RECONCILED, on_stream=89), "90 acknowledged, but 89 on the stream"),
        (replace(RECONCILED, on_stream=101), "90 acknowledged, but 101 on the stream"),
        (replace(RECONCILED, landed=91), "90 on the stream, but 91 landed"),
        (replace(RECONCILED, clean=90), "90 landed, but 90 clean + 1 quarantined"),
        (replace(RECONCILED, enriched=88), "89 clean, but 88 enriched"),
        (replace(RECONCILED, loaded=90), "89 enriched, but 90 in the warehouse"),
    ],
)
def test_each_sum_that_is_wrong_is_named(reconciliation: LoadReconciliation, sentence: str) -> None:
    assert sentence in reconciliation.faults


def test_what_is_still_on_the_stream_when_the_time_is_over_is_no_fault() -> None:
    assert replace(RECONCILED, landed=50, clean=50, quarantined=0, enriched=50, loaded=50, drained=False).faults == []


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (STEP, "Neither the load generator nor the machine was the limit"),
        (replace(STEP, load_cpu=0.9), "The load generator was the limit, try more senders"),
        (replace(STEP, load_cpu=1.2, senders=2), "Neither"),
        (replace(STEP, machine_cpu=1.0, load_cpu=0.5, api_cpu=1.0), "The machine was the limit"),
        (replace(STEP, machine_cpu=1.0, others_cpu=1.2), "Other programs had a good part of the machine"),
    ],
)
def test_the_report_says_what_the_load_means_for_its_figures(
    step: RampStep, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert load_sentence([step]).startswith(sentence)
