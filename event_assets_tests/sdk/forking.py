"""An application that forks, as a process of its own: whoever forks a test run forks its threads' locks along with it.

`python -m event_assets_tests.sdk.forking HOW ENDPOINT QUEUE [METHOD, persist, spool or memory]`; ends with 0 when all
went well.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from event_assets_sdk import EventClient

_DISK: dict[str, Any] = {"persist": True, "spool": "spool", "memory": False}
_QUICK: dict[str, Any] = {"flush_interval": 0.02, "first_wait": 0.01, "longest_wait": 0.05}


def children_that_send(endpoint: str, queue: str, persist: str) -> bool:
    """Parent and four children in turn track and send; each child 20 events, the parent one after each."""
    client = EventClient(endpoint, "ea_0_0", queue_path=queue, disk=_DISK[persist], **_QUICK)
    client.track("search", {"by": "before"}, anonymous_id="a")

    def child() -> bool:
        mine = all(client.track("search", {"by": "child"}, anonymous_id="c") for _ in range(20))
        return mine and client.flush(20) and client.stats.tracked == 20

    statuses = []
    for _ in range(4):
        statuses.append(_in_a_fork(child))
        client.track("search", {"by": "parent"}, anonymous_id="a")
    return statuses == [0] * 4 and client.flush(20)


def in_the_middle_of_a_request(endpoint: str, queue: str, requests: str) -> bool:
    """Forks when the server has written down a request that it has not answered yet; the child lives on."""
    client = EventClient(endpoint, "ea_0_0", queue_path=queue, batch_size=1, **_QUICK)
    client.track("search", anonymous_id="a")
    while not Path(requests).exists():
        time.sleep(0.005)
    child = os.fork()
    if child == 0:
        time.sleep(600)  # holds whatever it inherited
        os._exit(0)
    try:
        if not client.flush(20):
            return False
        with EventClient(endpoint, "ea_0_0", queue_path=queue, sync=True, **_QUICK) as other:
            other.track("search", anonymous_id="b")
            return other.flush(30)  # the child does not keep the right to send
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def in_the_middle_of_an_answer(endpoint: str, queue: str, begun: str) -> bool:
    """Forks while its thread waits for the rest of an answer; the child tracks, sends and ends."""
    client = EventClient(endpoint, "ea_0_0", queue_path=queue, disk=False, batch_size=1, **_QUICK)
    client.track("search", anonymous_id="a")
    while not Path(begun).exists():
        time.sleep(0.005)
    time.sleep(0.2)  # the headers are read by now, or the fork is before that: right as well
    status = _in_a_fork(lambda: client.track("search", anonymous_id="b") is not None and client.flush(20))
    Path(begun).unlink()
    return status == 0 and client.flush(20)


def workers_of_multiprocessing(endpoint: str, queue: str, method: str) -> bool:
    """Two workers track 20 events each with clients of their own, and end as workers do."""
    context: Any = multiprocessing.get_context(method)
    workers = [context.Process(target=track_some, args=(endpoint, queue, f"w{number}")) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with EventClient(endpoint, "ea_0_0", queue_path=queue, sync=True) as client:
        return client.flush(20) and [worker.exitcode for worker in workers] == [0, 0]


def track_some(endpoint: str, queue: str, name: str) -> None:
    client = EventClient(endpoint, "ea_0_0", queue_path=queue)
    for number in range(20):
        client.track("search", {"n": number}, anonymous_id=name)


def _in_a_fork(work: Callable[[], bool]) -> int:
    """Runs work in a forked child, as gunicorn and celery do; gives its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


_ALL = (children_that_send, in_the_middle_of_a_request, in_the_middle_of_an_answer, workers_of_multiprocessing)

if __name__ == "__main__":
    scenario = {each.__name__: each for each in _ALL}[sys.argv[1]]
    sys.exit(0 if scenario(*sys.argv[2:]) else 1)
