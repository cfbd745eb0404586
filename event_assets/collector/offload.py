"""Where work of a size is done: small things at once, large ones in a thread, so that the event loop answers others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_THREADS = 2
"""Unpacking lets others run, reading JSON does not: more threads would only take turns."""

P = ParamSpec("P")
T = TypeVar("T")


class Offload:
    """Does work at once up to a size, and in a thread beyond. To be started inside the event loop."""

    def __init__(self, at_once_bytes: int) -> None:
        self.at_once_bytes = at_once_bytes
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Makes threads possible; there is none until there is work for it."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="large-body")

    def stop(self) -> None:
        """Ends the threads once what they do is done."""
        if self._threads is not None:
            self._threads.shutdown(wait=True)
            self._threads = None

    async def work(self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function gives, that works on something of so many bytes."""
        if size <= self.at_once_bytes:
            return function(*args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*args, **kwargs))
