"""One service of the stack: its command, its log file, when it is ready, how it is stopped.

Which services there are is decided in `local.py`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from event_assets.permissions import make_private_file

LOG_LINES_SHOWN = 15


class StackError(RuntimeError):
    """The stack cannot start or go on. The message says why, in a sentence, and names the log file where one helps."""


@dataclass(frozen=True)
class ServiceSpec:
    """What is to run. `{folder}` in the command is the path of `folder`, which the service's user may be unable to
    reach by its name.

    `is_ready` answers False until the service can be used; it may raise `StackError` to give up early.
    """

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    title: str
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    grace_seconds: float = 10.0
    ready_within_seconds: float = 90.0
    user: str | None = None
    folder: Path | None = None


class Service:
    """A started service under its guard. Ends with this process, whatever way that goes."""

    def __init__(self, spec: ServiceSpec, log_dir: Path) -> None:
        self.spec = spec
        self.log = log_dir / f"{spec.name}.log"
        self._started = time.monotonic()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        make_private_file(self.log)
        user = ["--user", spec.user] if spec.user else []
        folder = ["--folder", str(spec.folder)] if spec.folder else []
        guard = [sys.executable, "-m", "event_assets.stack.guard", "--signal", spec.stop_signal]
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                [*guard, "--grace", str(spec.grace_seconds), *user, *folder, "--", *spec.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **spec.environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The guard's process id: when it is gone, so is the service."""
        return self._guard.pid

    @property
    def running(self) -> bool:
        """Whether the service has not ended."""
        return self._guard.poll() is None

    def check(self) -> bool:
        """Whether the service is ready. Raises `StackError` when it has ended or takes too long."""
        if not self.running:
            raise StackError(self.fault())
        if self.spec.is_ready():
            return True
        if time.monotonic() - self._started > self.spec.ready_within_seconds:
            raise StackError(self._fault(f"was not ready within {self.spec.ready_within_seconds:.0f} seconds"))
        return False

    def ask_to_stop(self) -> None:
        """Begin to stop; `wait_stopped` waits for the end."""
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        self._guard.terminate()  # a fork of this process may hold the pipe open

    def wait_stopped(self) -> None:
        """Return when the service and all that it started have ended. Call `ask_to_stop` first."""
        self._guard.wait()

    def fault(self) -> str:
        """Why the service is not running, with the end of its log."""
        return self._fault(self.ending)

    @property
    def ending(self) -> str:
        """How the service ended, to follow its title: `was ended by SIGKILL …`."""
        return ending_of(self._guard.returncode)

    def _fault(self, what: str) -> str:
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode("utf-8", "replace").strip().splitlines()[-LOG_LINES_SHOWN:]
        end = "".join(f"\n  {line}" for line in lines)
        return f"{self.spec.title} {what}. Its log is {self.log}{':' if end else ' (empty).'}{end}"


def path_of_descriptor(descriptor: int) -> str:
    """A path to what is open, for a process that inherits the descriptor and cannot enter the folders above."""
    return f"/proc/self/fd/{descriptor}"


def ending_of(status: int) -> str:
    """How a process ended, by its exit status, or by the signal's number as a negative one or above 128."""
    number = -status if status < 0 else status - 128
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"ended with status {status}"
    return f"was ended by {name}{_MEANINGS.get(name, '')}"


_MEANINGS = {
    "SIGKILL": " (which is what the system does when memory runs out)",
    "SIGSEGV": " (a fault inside it, which it has no words for)",
    "SIGABRT": " (a fault inside it)",
}
