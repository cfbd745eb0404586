"""Servers that are overloaded, cut the connection, refuse, or are something else: nothing is lost, nothing hammered."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from event_assets_sdk import Problem
from event_assets_tests.sdk.conftest import Clients
from event_assets_tests.sdk.fault_server import Event, FaultServer, Reply, accepted, verdicts


def cut(_: list[Event]) -> None:
    """No answer."""


def says(status: int, body: bytes = b"", **headers: str) -> Any:
    return lambda _: Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "fault", [cut, says(408), says(429), says(500), says(502), says(503), says(504), says(200, b"<html>")]
)
def test_what_was_not_taken_is_sent_again_under_the_same_ids(
    fault: Any, faults: FaultServer, client_of: Clients
) -> None:
    faults.script(fault, fault)
    client = client_of(faults.url, sync=True)
    ids = [client.track("search", {"n": number}, anonymous_id="a") for number in range(5)]
    assert client.flush(20)
    assert len(faults.requests) == 3 and client.stats.retries == 2 and client.stats.accepted == 5
    for request in faults.requests:
        assert [event["event_id"] for event in request] == ids
        assert [event["sequence"] for event in request] == list(range(5))
    first, _, last = faults.requests
    for event in (*first, *last):
        del event["sent_at"]
    assert first == last, "only the time of sending may differ"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_event_is_isolated_dropped_and_told_of(status: int, faults: FaultServer, client_of: Clients) -> None:
    def decide(events: list[Event]) -> Reply:
        poisoned = any(event["properties"]["n"] == 37 for event in events)
        return Reply(status, b'{"error": "malformed_json"}') if poisoned else accepted(events)

    faults.decide = decide
    problems: list[Problem] = []
    client = client_of(faults.url, sync=True, on_error=problems.append)
    ids = [client.track("search", {"n": number}, anonymous_id="a") for number in range(100)]
    assert client.flush(20)
    assert (client.stats.accepted, client.stats.rejected, client.stats.queued) == (99, 1, 0)
    assert [(problem.kind, problem.event_id) for problem in problems] == [("rejected", ids[37])]
    assert sum(len(request) == 1 and request[0]["properties"]["n"] == 37 for request in faults.requests) == 1
    assert len(faults.requests) < 30


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410, 301])
def test_a_refusal_of_every_request_is_not_repeated_and_loses_nothing(
    status: int, faults: FaultServer, client_of: Clients
) -> None:
    faults.decide = says(status, b'{"error": "unknown_write_key"}')
    client = client_of(faults.url)
    client.track("search", anonymous_id="a")
    assert not client.flush(0.5)
    time.sleep(0.3)
    assert len(faults.requests) == 1
    assert client.stats.queued == 1
    problem = client.stats.last_problem
    assert problem is not None and problem.kind == "refused" and str(status) in problem.detail
    faults.decide = accepted
    assert client.flush(20), "who asks for it gets another try"
    assert client.stats.accepted == 1


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_honoured(status: int, faults: FaultServer, client_of: Clients) -> None:
    at: list[float] = []

    def decide(events: list[Event]) -> Reply:
        at.append(time.monotonic())
        return accepted(events) if len(at) > 1 else Reply(status, headers={"retry-after": "1"})

    faults.decide = decide
    client = client_of(faults.url)
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    assert at[1] - at[0] >= 1.0


def test_a_flush_that_cannot_be_done_in_time_returns_at_once(faults: FaultServer, client_of: Clients) -> None:
    faults.decide = says(503, retry_after="600")
    client = client_of(faults.url, sync=True)
    client.track("search", anonymous_id="a")
    assert not client.flush(600)
    assert not client.flush(500)
    assert len(faults.requests) == 1


def test_only_what_is_to_be_sent_again_is_sent_again(faults: FaultServer, client_of: Clients) -> None:
    faults.script(lambda events: verdicts(events, "accepted", "retry", "rejected", "retry", reason="too_deep"))
    client = client_of(faults.url, sync=True)
    for number in range(4):
        client.track("search", {"n": number}, anonymous_id="a")
    assert client.flush(20)
    assert [[event["properties"]["n"] for event in request] for request in faults.requests] == [[0, 1, 2, 3], [1, 3]]
    assert (client.stats.accepted, client.stats.rejected) == (3, 1)


def test_events_wait_while_nobody_listens(faults: FaultServer, client_of: Clients) -> None:
    offline = client_of("http://127.0.0.1:9")
    ids = [offline.track("search", anonymous_id="a") for _ in range(250)]
    assert not offline.flush(0.2)
    assert offline.stats.queued == 250 and offline.stats.storage == "disk"
    offline.close(timeout=0)
    online = client_of(faults.url)
    online.track("search", anonymous_id="a")
    assert online.flush(20)
    assert [event["event_id"] for event in faults.events][:250] == ids
    assert [event["sequence"] for event in faults.events] == list(range(251))


def test_the_application_does_not_wait_for_a_server_that_hangs(faults: FaultServer, client_of: Clients) -> None:
    released = threading.Event()

    def hang(events: list[Event]) -> Reply:
        released.wait(300)
        return accepted(events)

    faults.decide = hang
    client = client_of(faults.url, batch_size=1, timeout=120)
    for _ in range(20):
        client.track("search", anonymous_id="a")
    assert client.stats.queued == 20 and client.stats.accepted == 0, "every call returned before any answer"
    released.set()
    assert client.flush(20)


def test_a_connection_that_the_server_closed_while_idle_is_no_failure(faults: FaultServer, client_of: Clients) -> None:
    faults.decide = lambda events: Reply(200, accepted(events).body, {"connection": "close"})
    client = client_of(faults.url, sync=True)
    for _ in range(3):
        client.track("search", anonymous_id="a")
        assert client.flush(20)
    assert client.stats.retries == 0 and len(faults.requests) == 3


def test_what_packs_too_well_is_sent_plain(faults: FaultServer, client_of: Clients) -> None:
    client = client_of(faults.url, sync=True)
    client.track("search", {"query": "x" * 30_000}, anonymous_id="a")
    assert client.flush(20)
    client.track("search", {"query": "shoes"}, anonymous_id="a")
    assert client.flush(20)
    assert ["content-encoding" in headers for headers in faults.headers] == [False, True]


def test_a_full_queue_drops_the_oldest_and_counts_them(faults: FaultServer, client_of: Clients) -> None:
    client = client_of("http://127.0.0.1:9", sync=True, queue_bytes=100_000)
    for number in range(100):
        client.track("search", {"n": number, "text": "x" * 5_000}, anonymous_id="a")
    stats = client.stats
    assert stats.queued_bytes <= 100_000 and stats.queued + stats.dropped_by_full_queue == 100
    assert stats.last_problem is not None and stats.last_problem.kind == "queue_full"
    client.close()
    sender = client_of(faults.url, sync=True)
    assert sender.flush(20)
    assert [event["properties"]["n"] for event in faults.events] == list(range(100 - stats.queued, 100))


@pytest.mark.parametrize("disk", [True, "spool", False])
def test_a_full_queue_drops_the_newest_where_that_is_the_policy(
    disk: bool | str, faults: FaultServer, client_of: Clients
) -> None:
    client = client_of(
        faults.url,
        sync=True,
        queue_bytes=100_000,
        when_full="drop_newest",
        disk=disk,
        batch_size=500,
        batch_bytes=1_000_000,
    )
    for number in range(100):
        client.track("search", {"n": number, "text": "x" * 5_000}, anonymous_id="a")
    stats = client.stats
    assert stats.dropped_by_full_queue == 100 - stats.queued > 0
    assert client.flush(20)
    assert [event["properties"]["n"] for event in faults.events] == list(range(stats.queued))


def test_memory_alone_drops_the_oldest_too(faults: FaultServer, client_of: Clients) -> None:
    client = client_of(faults.url, sync=True, queue_bytes=100_000, disk=False, batch_size=500, batch_bytes=1_000_000)
    for number in range(100):
        client.track("search", {"n": number, "text": "x" * 5_000}, anonymous_id="a")
    stats = client.stats
    assert stats.storage == "memory" and stats.dropped_by_full_queue == 100 - stats.queued > 0
    assert client.flush(20)
    assert [event["properties"]["n"] for event in faults.events] == list(range(100 - stats.queued, 100))
    assert [event["sequence"] for event in faults.events] == list(range(100 - stats.queued, 100))


YEAR = 365 * 86_400.0


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_clock_that_jumps_delays_nothing_and_ages_no_event(
    jump: float, faults: FaultServer, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.script(says(503), says(503))
    client = client_of(faults.url)
    wall = time.time
    ids = [client.track("search", anonymous_id="a")]
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    ids.append(client.track("search", anonymous_id="a"))
    assert client.flush(20)
    sent = {event["event_id"]: event for event in faults.requests[-1]}
    assert list(sent) == ids == sorted(map(str, ids))
    for event in sent.values():
        occurred_at, sent_at = (dt.datetime.fromisoformat(event[name]) for name in ("occurred_at", "sent_at"))
        assert dt.timedelta(0) <= sent_at - occurred_at < dt.timedelta(seconds=30)


def test_an_offline_time_in_memory_is_bridged_too(faults: FaultServer, client_of: Clients) -> None:
    faults.script(*[cut] * 5)
    client = client_of(faults.url, disk=False)
    ids = [client.track("search", anonymous_id="a") for _ in range(50)]
    assert client.flush(20)
    assert [event["event_id"] for event in faults.requests[-1]] == ids
    assert client.stats.retries == 5


def test_a_function_that_is_frozen_between_invocations_sends_within_each(
    faults: FaultServer, client_of: Clients, tmp_path: Path
) -> None:
    """As on AWS Lambda: no thread may be counted on, and only the handler's own time is there to send in."""
    client = client_of(faults.url, sync=True, queue_path=tmp_path / "events.sqlite")
    faults.script(cut, says(503, retry_after="100"))

    def handler(number: int) -> bool:
        client.track("search", {"n": number}, anonymous_id="a")
        return client.flush(0.5)

    assert [handler(0), handler(1)] == [False, False]
    client.close(timeout=0)
    client = client_of(faults.url, sync=True, queue_path=tmp_path / "events.sqlite")  # the next cold start
    assert handler(2)
    assert [event["properties"]["n"] for event in faults.requests[-1]] == [0, 1, 2]


def test_a_refusal_that_is_over_leaves_no_trace(faults: FaultServer, client_of: Clients) -> None:
    faults.script(says(401), accepted, says(503, retry_after="600"))
    client = client_of(faults.url, sync=True)
    client.track("search", anonymous_id="a")
    assert not client.flush(1)
    assert client.flush(20)
    client.track("search", anonymous_id="a")
    assert not client.flush(1)
    assert not client.flush(1), "Retry-After is honoured, whoever asks"
    assert len(faults.requests) == 3


def test_the_log_quotes_no_event(faults: FaultServer, client_of: Clients, caplog: pytest.LogCaptureFixture) -> None:
    faults.script(lambda events: verdicts(events, "rejected", reason="plan_violation: 'ann@example.com' is no plan"))
    problems: list[Problem] = []
    client = client_of(faults.url, sync=True, on_error=problems.append)
    event_id = client.track("search", {"plan": "ann@example.com"}, anonymous_id="a")
    assert client.flush(20)
    assert "ann@example.com" in problems[0].detail
    assert caplog.messages == [f"rejected: event {event_id}"]
