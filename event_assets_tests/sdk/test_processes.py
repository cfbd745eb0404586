"""Applications that are killed, that fork, and that share a queue: nothing is lost, nothing is sent twice at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from event_assets.sdk import EventClient
from event_assets_tests.sdk.conftest import Clients, Collector
from event_assets_tests.sdk.fault_server import FaultServer, Reply, accepted

OFFLINE = "http://127.0.0.1:9"


def application(endpoint: str, queue: Path, how: str, events: int, name: str, *key: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "event_assets_tests.sdk.application", endpoint, str(queue), how, str(events), name]
    return subprocess.Popen([*command, *key], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> list[str]:
    """The ids that the application says it tracked."""
    return process.communicate(timeout=60)[0].split()


def test_what_a_killed_application_tracked_is_sent_by_the_next(collector: Collector, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite"
    ids: list[str] = []
    for turn in range(3):
        with application(OFFLINE, queue, "killed", 100, f"turn{turn}") as killed:
            ids += said(killed)
        assert killed.returncode == -signal.SIGKILL
    with application(collector.url, queue, "exits", 1, "last", collector.key) as last:
        ids += said(last)
    assert len(ids) == 301
    assert [event["event_id"] for event in collector.events()] == ids


def test_an_application_that_is_killed_while_sending_loses_nothing(collector: Collector, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite"
    ids: set[str] = set()
    for turn in range(4):
        with application(collector.url, queue, "stays", 300, f"turn{turn}", collector.key) as running:
            assert running.stdout is not None
            for _ in range(50 * turn + 20):
                ids.add(running.stdout.readline().strip())
            running.kill()
            ids.update(line for line in running.stdout.read().split() if len(line) == 36)
    client = EventClient(collector.url, collector.key, queue_path=queue, sync=True)
    assert client.flush(30)
    client.close()
    assert ids <= {event["event_id"] for event in collector.events()}


def test_processes_that_share_a_queue_never_send_the_same_at_once(faults: FaultServer, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite"

    def slowly(events: list[dict[str, Any]]) -> Reply:
        time.sleep(0.01)
        return accepted(events)

    faults.decide = slowly
    running = [application(faults.url, queue, "exits", 100, f"app{number}") for number in range(4)]
    ids = [event_id for process in running for event_id in said(process)]
    for process in running:
        process.stdout and process.stdout.close()
    with EventClient(faults.url, "ea_0_0", queue_path=queue, sync=True) as client:
        assert client.flush(30)
    assert Counter(event["event_id"] for event in faults.events) == Counter(ids)
    for number in range(4):
        own = [event for event in faults.events if event["anonymous_id"] == f"app{number}"]
        assert [event["properties"]["n"] for event in own] == list(range(100))
        assert [event["sequence"] for event in own] == list(range(100))


def test_a_process_that_takes_over_from_a_killed_sender_goes_on(faults: FaultServer, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite"
    faults.decide = lambda _: Reply(503, headers={"retry-after": "300"})
    with application(faults.url, queue, "stays", 5, "first") as first:
        assert first.stdout is not None
        ids = [first.stdout.readline().strip() for _ in range(5)]
        while not faults.requests:
            time.sleep(0.01)
        faults.decide = accepted
        with EventClient(faults.url, "ea_0_0", queue_path=queue, flush_interval=0.05) as second:
            ids.append(str(second.track("search", anonymous_id="second")))
            assert not second.flush(0.3), "the first has the right to send, and was told to wait"
            first.kill()
            assert second.flush(20)
    assert [event["event_id"] for event in faults.requests[-1]] == ids


def in_a_fork(work: Any) -> int:
    """Runs work in a forked child, as gunicorn and celery do; gives its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("persist", [True, False])
def test_after_a_fork_parent_and_children_each_send_their_own_once(
    persist: bool, faults: FaultServer, client_of: Clients
) -> None:
    client = client_of(faults.url, persist=persist, flush_interval=0.02)
    client.track("search", {"by": "before"}, anonymous_id="a")

    def child() -> bool:
        mine = all(client.track("search", {"by": "child"}, anonymous_id="c") for _ in range(20))
        return mine and client.flush(20) and client.stats.tracked == 20

    statuses = []
    for _ in range(4):
        statuses.append(in_a_fork(child))
        client.track("search", {"by": "parent"}, anonymous_id="a")
    assert statuses == [0] * 4
    assert client.flush(20)
    ids = Counter(event["event_id"] for event in faults.events)
    assert set(ids.values()) == {1}
    assert Counter(event["properties"]["by"] for event in faults.events) == {"before": 1, "child": 80, "parent": 4}


def test_a_fork_in_the_middle_of_a_request_leaves_the_right_to_send_with_the_parent(
    faults: FaultServer, client_of: Clients
) -> None:
    def slowly(events: list[dict[str, Any]]) -> Reply:
        time.sleep(0.5)
        return accepted(events)

    faults.decide = slowly
    client = client_of(faults.url, batch_size=1)
    client.track("search", anonymous_id="a")
    while not faults.requests:
        time.sleep(0.005)
    child = os.fork()
    if child == 0:
        time.sleep(600)  # holds whatever it inherited
        os._exit(0)
    try:
        assert client.flush(20)
        with client_of(faults.url, sync=True) as other:
            other.track("search", anonymous_id="b")
            assert other.flush(30), "the child does not keep the right to send"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert set(Counter(event["event_id"] for event in faults.events).values()) == {1}


def track_some(endpoint: str, queue: str, name: str) -> None:
    client = EventClient(endpoint, "ea_0_0", queue_path=queue)
    for number in range(20):
        client.track("search", {"n": number}, anonymous_id=name)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_lose_nothing(method: str, faults: FaultServer, tmp_path: Path) -> None:
    queue = tmp_path / "queue.sqlite"
    context: Any = multiprocessing.get_context(method)
    workers = [context.Process(target=track_some, args=(faults.url, str(queue), f"w{n}")) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    with EventClient(faults.url, "ea_0_0", queue_path=queue, sync=True) as client:
        assert client.flush(20)
    assert set(Counter(event["event_id"] for event in faults.events).values()) == {1}
    assert len(faults.events) == 40


def test_the_end_of_a_program_sends_what_waits_or_leaves_it_in_the_file(faults: FaultServer, tmp_path: Path) -> None:
    with application(faults.url, tmp_path / "queue.sqlite", "exits", 3, "a") as ends:
        assert len(said(ends)) == 3
    assert ends.returncode == 0 and len(faults.events) == 3
    with application(OFFLINE, tmp_path / "queue.sqlite", "exits", 3, "a") as ends:
        assert len(said(ends)) == 3
    assert ends.returncode == 0
    with EventClient(faults.url, "ea_0_0", queue_path=tmp_path / "queue.sqlite", sync=True) as client:
        assert client.flush(20)
    assert len(faults.events) == 6
