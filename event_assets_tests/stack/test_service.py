"""A service is ready when it can be used, and says why when it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from event_assets.stack.service import Service, ServiceSpec, StackError
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


def test_a_service_that_ends_early_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "thing.log").write_text("an old line\n")
    service = Service(spec([sys.executable, "-c", "raise SystemExit('no room on the disk')"]), tmp_path)
    assert eventually(lambda: not service.running)
    with pytest.raises(
        StackError, match=r"The thing ended with status 1\. Its log is .*thing\.log:\n  no room on"
    ) as fault:
        service.check()
    assert "an old line" not in str(fault.value)


def test_a_service_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    service = Service(spec(SLEEP, ready=False, within=0.0), tmp_path)
    with pytest.raises(StackError, match="The thing was not ready within 0 seconds"):
        service.check()
    service.ask_to_stop()
    service.wait_stopped()
