from __future__ import annotations

import itertools
from collections import defaultdict

from event_assets.simulator.batches import BATCH_EVENTS, FLUSH_SECONDS, batches
from event_assets.simulator.generate import TimedEvent


def test_a_batch_is_of_one_install_and_has_at_most_fifty_events(hour: list[TimedEvent]) -> None:
    for batch in batches(hour):
        assert {event.install for event in batch.events} == {batch.install}
        assert 1 <= len(batch.events) <= BATCH_EVENTS


def test_every_event_leaves_once_in_the_order_of_its_install_and_soon(hour: list[TimedEvent]) -> None:
    before: dict[str, list[TimedEvent]] = defaultdict(list)
    after: dict[str, list[TimedEvent]] = defaultdict(list)
    for event in hour:
        before[event.install].append(event)
    for batch in batches(hour):
        after[batch.install] += batch.events
        assert batch.events[-1].send_at <= batch.due <= batch.events[0].send_at + FLUSH_SECONDS
    assert after == before


def test_batches_come_in_the_order_in_which_they_leave(hour: list[TimedEvent]) -> None:
    assert all(first.due <= second.due for first, second in itertools.pairwise(batches(hour)))


def test_a_busy_install_fills_batches(hour: list[TimedEvent]) -> None:
    busy = [event for event in hour if event.install == hour[0].install]
    made = list(batches(itertools.islice(itertools.cycle(busy), 120), flush_seconds=1e9))
    assert [len(batch.events) for batch in made] == [50, 50, 20]
