"""The parent of one service: whatever happens to the stack, the service and all that it started ends.

`python -m event_assets.stack.guard --signal INT --grace 10 -- COMMAND…` runs the command until it ends or until the
guard's standard input closes. The stack holds the other end of that pipe, so that a stop in order, a crash and SIGKILL
of the stack are one and the same thing here. Knows nothing of what it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

import psutil

from event_assets.embedded.service import path_of_descriptor
from event_assets.permissions import private_by_default

KILL_AFTER_SECONDS = 3.0
"""How long what a service left behind has between being asked to end and being killed."""

_PARENT_MAY_BE_GONE = signal.SIGUSR1
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one service to its end; the exit status is the service's (128 + n when signal n ended it)."""
    options = _parse(arguments)
    stop_signal = signal.Signals[f"SIG{options.signal}"]
    _process_control(_PR_SET_CHILD_SUBREAPER, 1)
    private_by_default()
    wakeup = _wake_on_signals()
    end_with_parent(_PARENT_MAY_BE_GONE)
    parent = os.getppid()
    opened, path = _opened(options.folder, options.user)
    service = subprocess.Popen(
        [part.replace("{folder}", path) for part in options.command],
        stdin=subprocess.DEVNULL,
        pass_fds=opened,
        user=options.user,
        group=options.user,
        extra_groups=[] if options.user else None,
        process_group=0,
        preexec_fn=_end_with_parent(stop_signal),
    )
    _wait(service, wakeup, parent)
    _end(service, stop_signal, options.grace)
    code = service.returncode
    return code if code >= 0 else 128 - code


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Let this process get a signal when its parent is gone: the thread that started it, too. Only Linux can."""
    _process_control(_PR_SET_PDEATHSIG, number)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="event_assets.stack.guard", description=__doc__)
    parser.add_argument("--signal", default="TERM", help="signal that asks the service to stop, without SIG")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds that the service has to stop")
    parser.add_argument("--user", default=None, help="system user that runs the service")
    parser.add_argument("--folder", default=None, help="folder that {folder} in the command stands for")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _opened(folder: str | None, user: str | None) -> tuple[list[int], str]:
    """Descriptors for the service to inherit, and how it names its folder: another user may only reach it so."""
    if folder is None or user is None:
        return [], folder or ""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    return [descriptor], path_of_descriptor(descriptor)


def _process_control(option: int, value: int) -> None:
    """prctl(2) on Linux. Elsewhere the closing pipe alone has to do, and it does."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _end_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    # Loaded before the fork: importing in the child is not safe.
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None).prctl
        return lambda: prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
    return lambda: None


def _wake_on_signals() -> int:
    """A descriptor that becomes readable when the guard is told to end or its child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def note(number: int, frame: FrameType | None) -> None:
        """The wake-up descriptor carries it. A handler also undoes an inherited "ignore" for the child."""

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, _PARENT_MAY_BE_GONE):
        signal.signal(number, note)
    return reading


def _wait(service: subprocess.Popen[bytes], wakeup: int, parent: int) -> None:
    """Return when the service has ended or is to end."""
    told_to_end = {int(signal.SIGTERM), int(signal.SIGINT), int(signal.SIGHUP)}
    while service.poll() is None:
        readable, _, _ = select.select([0, wakeup], [], [], 5.0)
        if wakeup in readable and told_to_end & set(os.read(wakeup, 64)):
            return
        if os.getppid() != parent:
            return
        if 0 in readable and not os.read(0, 1):
            return
        _bury_adopted(service.pid)


def _bury_adopted(service_pid: int) -> None:
    """Collect the exit statuses of orphans that came to the guard, which would stay as zombies otherwise."""
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == service_pid:
                return
            os.waitpid(ended.si_pid, 0)


def _end(service: subprocess.Popen[bytes], stop_signal: signal.Signals, grace: float) -> None:
    """Ask the service to stop, then end it and every process that it left behind."""
    family = _descendants()
    if service.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            service.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.wait(grace)
    for process in family | _descendants():
        with contextlib.suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + KILL_AFTER_SECONDS
    while time.monotonic() < deadline and any(_alive(process) for process in family | _descendants()):
        time.sleep(0.05)
    while left := {process for process in family | _descendants() if _alive(process)}:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.05)
    service.wait()


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    sys.exit(main())
