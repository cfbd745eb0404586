"""TCP ports on this machine: which are free, and which another stack is about to take."""

from __future__ import annotations

import fcntl
import os
import socket
from types import TracebackType
from typing import Self

from event_assets.embedded.sockets import private_folder


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1", preferred: int = 0) -> int:
    """The preferred port if it is free, else one that the system gives. 0 prefers none."""
    if preferred and is_free(host, preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


class ClaimedPorts:
    """Ports of this user's that are spoken for, from the choice on and until it is closed or its process ends: a server
    listens only seconds after its port was chosen, and until then the port looks free to whoever starts beside."""

    def __init__(self) -> None:
        self._claims: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def claim(self, host: str, preferred: int = 0) -> int:
        """A free port as `free_port` gives it, that nobody else has claimed."""
        port = free_port(host, preferred)
        while not self._take(port):
            port = free_port(host)
        return port

    def close(self) -> None:
        """Lets go of all."""
        while self._claims:
            os.close(self._claims.pop())

    def _take(self, port: int) -> bool:
        descriptor = os.open(private_folder() / f"port-{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._claims.append(descriptor)
        return True


def accepts(host: str, port: int, timeout: float = 0.5) -> bool:
    """Whether something answers on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False
