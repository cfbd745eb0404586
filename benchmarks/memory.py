"""How much memory the processes of a stack take while it runs, and what each grows by in an hour.

Told is what a process has to itself (USS): what it shares with others, as the servers of a database do, would be
counted once for each of them. Runs come and go: each is told alone, as far as it was there for long enough.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import linear_regression, median
from typing import Self

import psutil

EVERY_SECONDS = 5.0
_LEAST_SAMPLES = 12
_TOLD_OF = 6
"""Samples at either end of which the middle one is told."""


@dataclass
class Memory:
    """Samples of each service's process, by the ids of the processes that keep them, and of the processes below it,
    until the block ends."""

    services: Mapping[str, int]
    every: float = EVERY_SECONDS
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By process, seconds since the beginning and MB."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _names: dict[int, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(self.every):
            now, found = time.monotonic() - self._began, defaultdict[str, float](float)
            for name, process in self._processes():
                try:
                    found[name] += process.memory_full_info().uss / 2**20
                except psutil.Error:
                    continue
            for name, size in found.items():
                self.samples[name].append((now, size))

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        """Every process with the name that it is told by: its service's, or that of a run below it."""
        for service, keeper in self.services.items():
            try:
                for process in psutil.Process(keeper).children():
                    yield service, process
                    for below in process.children(recursive=True):
                        yield self._name_below(service, below), below
            except psutil.Error:
                continue

    def _name_below(self, service: str, process: psutil.Process) -> str:
        if service != "dagster-code":
            return service
        if process.pid not in self._names:
            self._names[process.pid] = f"run {len(self._names) + 1}"
        return self._names[process.pid]

    def grown(self, since: float = 0.0) -> dict[str, dict[str, float]]:
        """Of each process that there were enough samples of after so many seconds: MB at first and at last, and what it
        grew by in an hour, as a line through all samples says."""
        found = {}
        for name, samples in self.samples.items():
            later = [(at, size) for at, size in samples if at >= since]
            if len(later) >= _LEAST_SAMPLES:
                sizes = [size for _, size in later]
                found[name] = {
                    "mb_at_first": round(median(sizes[:_TOLD_OF]), 1),
                    "mb_at_last": round(median(sizes[-_TOLD_OF:]), 1),
                    "mb_an_hour": round(linear_regression([at / 3600 for at, _ in later], sizes).slope, 1),
                }
        return found
