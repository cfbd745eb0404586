"""For tests that start processes: whether they are gone, and waiting for something to become true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import psutil


def family(pid: int) -> list[psutil.Process]:
    """The process and everything that it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not."""
    return [process for process in processes if _runs(process)]


def eventually(condition: Callable[[], bool], within: float = 300.0) -> bool:
    """Whether the condition becomes true in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
