"""Runs a command in a process of its own and watches its memory."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence

import psutil


def watched(command: Sequence[str]) -> tuple[str, int]:
    """What the command prints, and the most megabytes that it and its children held at once.

    Raises `RuntimeError` where it fails.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(psutil.Process(process.pid), peak), daemon=True)
        watcher.start()
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
        watcher.join()
    return output, peak[0] // 2**20


def _watch(process: psutil.Process, peak: list[int]) -> None:
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        peak[0] = max(peak[0], sum(_resident(process)))
        time.sleep(0.05)


def _resident(process: psutil.Process) -> Iterator[int]:
    for part in (process, *process.children(recursive=True)):
        try:
            yield part.memory_info().rss
        except psutil.NoSuchProcess:
            continue
