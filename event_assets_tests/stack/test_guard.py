"""Whatever happens to the parent, a guarded service and everything that it started ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from event_assets_tests.processes import alive, eventually, family

ROOT = Path(__file__).parents[2]
GUARD = [sys.executable, "-m", "event_assets.stack.guard"]
STUBBORN = (
    "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print('up', flush=True); time.sleep(600)"
)


def guarded(code: str, *options: str) -> subprocess.Popen[str]:
    """A guard over a Python program, once that has said that it is up."""
    guard = subprocess.Popen(
        [*GUARD, *options, "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert guard.stdout is not None
    assert guard.stdout.readline() == "up\n"
    return guard


@pytest.fixture
def with_children() -> Iterator[subprocess.Popen[str]]:
    """A service with a child that left its process group, and a grandchild whose parent is gone."""
    code = """
        import subprocess, sys, time
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        subprocess.Popen(sleep, start_new_session=True)
        leave = f"import subprocess; subprocess.Popen({sleep!r}, start_new_session=True)"
        subprocess.run([sys.executable, "-c", leave])
        print("up", flush=True)
        time.sleep(600)
    """
    guard = guarded(textwrap.dedent(code), "--grace", "1")
    yield guard
    guard.kill()


def test_closing_the_pipe_ends_the_service_and_all_that_it_started(with_children: subprocess.Popen[str]) -> None:
    processes = family(with_children.pid)
    assert len(processes) == 4

    assert with_children.stdin is not None
    with_children.stdin.close()

    assert with_children.wait(300) == 128 + signal.SIGTERM
    assert not alive(processes)


def test_telling_the_guard_to_end_ends_the_service_too(with_children: subprocess.Popen[str]) -> None:
    processes = family(with_children.pid)
    with_children.terminate()
    with_children.wait(300)
    assert not alive(processes)


def test_what_a_service_leaves_behind_ends_with_it(with_children: subprocess.Popen[str]) -> None:
    processes = family(with_children.pid)
    service = next(
        process for process in processes if process.ppid() == with_children.pid and "print" in str(process.cmdline())
    )
    service.kill()
    assert with_children.wait(300) == 128 + signal.SIGKILL
    assert not alive(processes)


def test_a_service_that_ignores_signals_is_killed_after_its_grace() -> None:
    guard = guarded(STUBBORN, "--grace", "0.2")
    processes = family(guard.pid)
    assert guard.stdin is not None
    guard.stdin.close()
    assert guard.wait(300) == 128 + signal.SIGKILL
    assert not alive(processes)


def test_a_service_gets_the_signal_that_it_wants_even_where_interrupts_are_ignored() -> None:
    # A shell starts background jobs with SIGINT ignored, which programs inherit.
    code = "print('up', flush=True)\ntry:\n import time; time.sleep(600)\nexcept KeyboardInterrupt: raise SystemExit(7)"
    shell = subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *GUARD, "--signal", "INT", "--", sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert shell.stdout is not None and shell.stdin is not None
    assert shell.stdout.readline() == b"up\n"
    shell.stdin.close()
    assert shell.wait(300) == 7


def test_the_status_of_a_service_that_ends_by_itself_is_the_guards() -> None:
    guard = guarded("print('up', flush=True); raise SystemExit(3)")
    assert guard.wait(300) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_a_service_ends_when_its_guard_is_killed() -> None:
    guard = guarded("print('up', flush=True); import time; time.sleep(600)")
    processes = family(guard.pid)
    guard.kill()
    guard.wait()
    assert eventually(lambda: not alive(processes))


def test_orphans_that_come_to_the_guard_and_end_do_not_stay_as_zombies() -> None:
    code = """
        import subprocess, sys, time
        leave = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'pass'])"
        subprocess.run([sys.executable, "-c", leave])
        print("up", flush=True)
        time.sleep(600)
    """
    guard = guarded(textwrap.dedent(code))
    children = psutil.Process(guard.pid).children
    assert eventually(lambda: len(children(recursive=True)) == 1)
    guard.terminate()
    guard.wait(300)
