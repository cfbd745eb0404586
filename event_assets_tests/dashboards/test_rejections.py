"""What was refused is told by reason and protocol, with the next step: from lake and collector."""

from __future__ import annotations

import datetime as dt
from typing import get_args

from event_assets.collector.buffer import BufferBudget
from event_assets.collector.metrics import CollectorMetrics
from event_assets.contract.rejections import Reason
from event_assets.dashboards.rejections import exposition_of, set_aside, turned_away, what_to_do
from event_assets.stack.rejected import RejectedKind
from event_assets_tests.dashboards.conftest import NOW


def test_every_reason_has_a_next_step_and_one_of_tomorrow_has_a_place_to_look() -> None:
    steps = [what_to_do(reason) for reason in get_args(Reason)]
    assert all(steps) and what_to_do("of tomorrow") not in steps


def test_what_the_collector_counts_is_told_by_reason_and_protocol_the_most_first() -> None:
    metrics = CollectorMetrics(BufferBudget(1_000))
    for reason, protocol, events, size in (("past", "segment", 1, 90), ("missing_field", "event_assets", 12, 700)):
        metrics.rejected.labels(reason, protocol).inc(events)
        metrics.rejected_bytes.labels(reason, protocol).inc(size)
    figure = turned_away(metrics.text().decode())
    assert [row[:4] for row in figure.rows] == [("missing_field", "event_assets", 12, 700), ("past", "segment", 1, 90)]
    assert all(row[4] == what_to_do(row[0]) for row in figure.rows)


def test_a_collector_that_refused_nothing_and_one_that_is_not_there_are_told_apart() -> None:
    nothing = turned_away(CollectorMetrics(BufferBudget(1_000)).text().decode())
    assert nothing.is_empty and "nothing" in nothing.empty
    unreachable = turned_away(exposition_of("http://127.0.0.1:9"))
    assert unreachable.is_empty and "/metrics" in unreachable.empty == turned_away(exposition_of(None)).empty


def test_what_was_set_aside_says_from_when_to_when_and_what_to_do() -> None:
    [row] = set_aside([RejectedKind("unknown_event", "segment", NOW - dt.timedelta(days=2), NOW, 3, 300)]).rows
    assert row[:6] == ("unknown_event", "segment", 3, 300, NOW - dt.timedelta(days=2), NOW) and "replay" in row[6]
