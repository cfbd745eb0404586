"""A service is ready when it can be used, and says why when it cannot."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from event_assets.embedded.service import Service, ServiceSpec, StackError
from event_assets_tests.processes import alive, eventually, family

SLEEP = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(600)"]


def spec(command: list[str], ready: bool = True, within: float = 30.0) -> ServiceSpec:
    return ServiceSpec("thing", command, lambda: ready, title="The thing", ready_within_seconds=within)


def test_a_service_writes_to_its_log_and_stops_with_all_of_its_processes(tmp_path: Path) -> None:
    service = Service(spec(SLEEP), tmp_path)
    assert service.check()
    assert eventually(lambda: "hello" in service.log.read_text())
    processes = family(service.pid)
    assert len(processes) == 2

    service.ask_to_stop()
    service.wait_stopped()

    assert not service.running
    assert not alive(processes)


def test_a_service_stops_though_a_fork_of_its_owner_holds_its_pipe(tmp_path: Path) -> None:
    service = Service(spec(SLEEP), tmp_path)
    assert eventually(lambda: "hello" in service.log.read_text())
    assert service._guard.stdin is not None
    held = os.dup(service._guard.stdin.fileno())
    try:
        service.ask_to_stop()
        service.wait_stopped()
    finally:
        os.close(held)


def test_a_service_that_ends_early_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "thing.log").write_text("an old line\n")
    service = Service(spec([sys.executable, "-c", "raise SystemExit('no room on the disk')"]), tmp_path)
    assert eventually(lambda: not service.running)
    with pytest.raises(
        StackError, match=r"The thing ended with status 1\. Its log is .*thing\.log:\n  no room on"
    ) as fault:
        service.check()
    assert "an old line" not in str(fault.value)
    assert service.log.read_text().startswith("an old line\n"), "what was said before stays"


def test_a_service_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    service = Service(spec(SLEEP, ready=False, within=0.0), tmp_path)
    with pytest.raises(StackError, match="The thing was not ready within 0 seconds"):
        service.check()
    service.ask_to_stop()
    service.wait_stopped()


def test_a_service_goes_on_when_the_thread_that_started_it_has_ended(tmp_path: Path) -> None:
    started: list[Service] = []
    thread = threading.Thread(target=lambda: started.append(Service(spec(SLEEP), tmp_path)))
    thread.start()
    thread.join()
    [service] = started
    assert eventually(lambda: "hello" in service.log.read_text())
    os.kill(service.pid, signal.SIGUSR1)  # as the kernel may, late
    assert not eventually(lambda: not service.running, 2.0)
    service.ask_to_stop()
    service.wait_stopped()


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("import os; os._exit(3)", "ended with status 3"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL (which is what the system does when memory"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
    ],
)
def test_the_end_of_a_service_is_told_by_its_status_or_its_signal(tmp_path: Path, ends: str, said: str) -> None:
    service = Service(spec([sys.executable, "-c", ends]), tmp_path)
    assert eventually(lambda: not service.running)
    assert service.fault().startswith(f"The thing {said}")
