"""Whatever the servers answer and whenever the application dies, each event is delivered, in order, and once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets_sdk import EventClient
from event_assets_tests.examples import examples
from event_assets_tests.sdk.fault_server import Event, FaultServer, Reply, fault_server, verdicts

TRACK = st.tuples(st.just("track"), st.integers(0, 2))
CRASH = st.just(("crash", 0))
FLUSH = st.just(("flush", 0))
FAULTS = ("accept", "refuse", "overloaded", "slow_down", "timeout", "portal", "lost", "lost_answer", "too_many")
PARTIAL = (*FAULTS, "partly", "partly_lost")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with fault_server() as running:
        yield running


class Stream:
    """What a collector that answers by a script has taken, in order; copies too."""

    def __init__(self, script: list[str]) -> None:
        self.taken: list[Event] = []
        self.poison: set[str] = set()
        self._script = iter(script)

    def answer(self, events: list[Event]) -> Reply | None:
        how = next(self._script, "accept")
        if how == "too_many" and len(events) > 1:
            return Reply(413, b'{"error": "too_many_events"}')
        if how in ("overloaded", "slow_down", "timeout"):
            return Reply({"overloaded": 503, "slow_down": 429, "timeout": 408}[how], headers={"retry-after": "0"})
        if how == "portal":
            return Reply(200, b"<html>")
        if how == "lost":
            return None
        statuses = [self._verdict(how, place) for place in range(len(events))]
        self.taken += [event for event, status in zip(events, statuses, strict=True) if status == "accepted"]
        self.poison |= {e["event_id"] for e, status in zip(events, statuses, strict=True) if status == "rejected"}
        return None if how in ("lost_answer", "partly_lost") else verdicts(events, *statuses)

    def _verdict(self, how: str, place: int) -> str:
        if how == "refuse" and place % 3 == 0:
            return "rejected"
        return "retry" if how.startswith("partly") and place % 2 else "accepted"


def played(server: FaultServer, script: list[str], steps: list[tuple[str, int]]) -> tuple[list[Event], Stream]:
    """What was tracked, and what was taken, when an application does these steps and at last flushes."""
    stream = Stream(script)
    server.decide = stream.answer
    tracked: list[Event] = []
    with tempfile.TemporaryDirectory() as folder:

        def begin() -> EventClient:
            # Without a thread, a client that is left where it stands is as good as killed.
            return EventClient(
                server.url, "ea_0_0", queue_path=Path(folder) / "q", sync=True, batch_size=4, first_wait=0.001,
                longest_wait=0.002, exit_timeout=0.0,
            )  # fmt: skip

        client = begin()
        clients = [client]
        for what, who in steps:
            if what == "track":
                number = len(tracked)
                event_id = client.track("search", {"n": number}, anonymous_id=f"a{who}")
                tracked.append({"event_id": event_id, "n": number, "anonymous_id": f"a{who}"})
            elif what == "flush":
                client.flush(0.02)
            else:
                client = begin()
                clients.append(client)
        assert client.flush(30)
        assert client.stats.queued == 0
        for left in clients:
            left.close(timeout=0)
    return tracked, stream


@examples(25)
@given(st.lists(st.sampled_from(PARTIAL), max_size=12), st.lists(TRACK | TRACK | TRACK | CRASH | FLUSH, max_size=30))
def test_every_event_is_delivered_and_every_copy_is_the_same(
    server: FaultServer, script: list[str], steps: list[tuple[str, int]]
) -> None:
    tracked, stream = played(server, script, steps)
    taken: dict[str, Any] = {}
    for event in stream.taken:
        del event["sent_at"]
        assert taken.setdefault(event["event_id"], event) == event
    assert taken.keys() | stream.poison == {event["event_id"] for event in tracked}
    numbers: dict[str, list[int]] = {}
    for event in sorted(taken.values(), key=lambda event: event["properties"]["n"]):
        numbers.setdefault(event["anonymous_id"], []).append(event["sequence"])
    for own in numbers.values():
        assert own == sorted(set(own)), "numbers grow with the order of the calls"


@examples(25)
@given(st.lists(st.sampled_from(FAULTS), max_size=12), st.lists(TRACK | TRACK | TRACK | CRASH | FLUSH, max_size=30))
def test_unless_the_collector_asks_for_single_events_again_their_order_is_kept(
    server: FaultServer, script: list[str], steps: list[tuple[str, int]]
) -> None:
    _, stream = played(server, script, steps)
    first: dict[str, int] = {}
    for event in stream.taken:
        first.setdefault(event["event_id"], event["properties"]["n"])
    assert list(first.values()) == sorted(first.values())
