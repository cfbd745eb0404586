"""Applications that are killed, that fork, and that share a queue: nothing is lost, nothing is sent twice at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from event_assets_sdk import EventClient
from event_assets_tests.sdk.conftest import Collector
from event_assets_tests.sdk.fault_server import FaultServer, Reply, accepted
from event_assets_tests.sdk.forking import (
    children_that_send,
    in_the_middle_of_a_request,
    in_the_middle_of_an_answer,
    workers_of_multiprocessing,
)

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


def forking(how: Callable[[str, str, str], bool], faults: FaultServer, folder: Path, *more: str) -> int:
    """The status with which an application ends that forks so."""
    command = [sys.executable, "-m", "event_assets_tests.sdk.forking", how.__name__]
    given = [*command, faults.url, str(folder / "queue.sqlite"), *more]
    with subprocess.Popen(given, start_new_session=True) as running:
        try:
            return running.wait(300)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # its children, too
            raise


@pytest.mark.parametrize("kept", ["persist", "spool", "memory"])
def test_after_a_fork_parent_and_children_each_send_their_own_once(
    kept: str, faults: FaultServer, tmp_path: Path
) -> None:
    assert forking(children_that_send, faults, tmp_path, kept) == 0
    ids = Counter(event["event_id"] for event in faults.events)
    by = {event["event_id"]: event["properties"]["by"] for event in faults.events}
    assert Counter(by.values()) == {"before": 1, "child": 80, "parent": 4}
    # What a parent spools while a child lives, the child may be sending when it exits: it is sent again, by its id.
    assert {
        event_id for event_id, times in ids.items() if times > 1 and (kept != "spool" or by[event_id] == "child")
    } == set()


def test_a_fork_in_the_middle_of_a_request_leaves_the_right_to_send_with_the_parent(
    faults: FaultServer, tmp_path: Path
) -> None:
    def slowly(events: list[dict[str, Any]]) -> Reply:
        (tmp_path / "requested").touch()
        time.sleep(0.5)
        return accepted(events)

    faults.decide = slowly
    assert forking(in_the_middle_of_a_request, faults, tmp_path, str(tmp_path / "requested")) == 0
    assert set(Counter(event["event_id"] for event in faults.events).values()) == {1}
    assert {event["anonymous_id"] for event in faults.events} == {"a", "b"}


def test_a_fork_in_the_middle_of_an_answer_stops_neither_process(faults: FaultServer, tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def in_two_parts(events: list[dict[str, Any]]) -> Reply:
        def until_forked() -> None:
            begun.touch()
            while begun.exists():
                time.sleep(0.01)

        own = events[0]["anonymous_id"] == "a"
        return accepted(events)._replace(halfway=until_forked) if own else accepted(events)

    faults.decide = in_two_parts
    assert forking(in_the_middle_of_an_answer, faults, tmp_path, str(begun)) == 0
    assert Counter(event["anonymous_id"] for event in faults.events) == {"a": 1, "b": 1}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_lose_nothing(method: str, faults: FaultServer, tmp_path: Path) -> None:
    assert forking(workers_of_multiprocessing, faults, tmp_path, method) == 0
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
