"""Group commit: many requests wait for one durable write to the stream, in bounded memory.

While one write is under way the next group gathers; nothing waits for a timer. What is in an event is not looked at.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from event_assets.collector.errors import RequestRefused
from event_assets.collector.validator import EventLine

log = logging.getLogger(__name__)

Write = Callable[[Sequence[EventLine]], list[str | None]]
"""Writes lines durably, in a thread: for each line None once it is on the stream, else why it is not."""


class BufferBudget:
    """The bytes that may be held at once, from the first byte read of a request to its answer."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def reserve(self) -> Reservation:
        """A share of the budget that grows with the request; to be released when it is answered."""
        return Reservation(self)


class Reservation:
    """One request's share of the budget."""

    __slots__ = ("_budget", "_held")

    def __init__(self, budget: BufferBudget) -> None:
        self._budget = budget
        self._held = 0

    def grow(self, size: int) -> None:
        """Takes so many bytes more. Refuses the request with 503 where the budget has no room."""
        if self._budget.used + size > self._budget.limit:
            raise RequestRefused(503, "buffer_full", "the collector holds all it can; send again later", 1)
        self._budget.used += size
        self._held += size

    def release(self) -> None:
        """Gives everything back."""
        self._budget.used -= self._held
        self._held = 0


class GroupCommit:
    """Gathers the lines of many requests and writes them together."""

    def __init__(
        self,
        write: Write,
        *,
        writers: int = 1,
        group_lines: int = 10_000,
        on_write: Callable[[int, float], None] = lambda lines, seconds: None,
    ) -> None:
        self._write = write
        self._writers = writers
        self._group_lines = group_lines
        self._on_write = on_write
        self._waiting: list[tuple[Sequence[EventLine], asyncio.Future[list[str | None]]]] = []
        self._woken = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._threads: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Begins to write; to be called inside the event loop."""
        self._stopping = False
        self._woken = asyncio.Event()
        self._threads = ThreadPoolExecutor(self._writers, thread_name_prefix="stream-write")
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self._writers)]

    async def stop(self) -> None:
        """Writes what is held, answers who waits, and ends."""
        self._stopping = True
        self._woken.set()
        await asyncio.gather(*self._tasks)
        if self._threads is not None:
            self._threads.shutdown(wait=True)
            self._threads = None

    async def write(self, lines: Sequence[EventLine], timeout: float) -> list[str | None]:
        """Waits until the lines are durable: for each None, or why it is not on the stream.

        Raises `TimeoutError` when the stream takes too long; the lines may be on the stream all the same.
        """
        if self._threads is None or self._stopping:
            raise RequestRefused(503, "stopping", "the collector is stopping; send again", 1)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[str | None]] = loop.create_future()
        self._waiting.append((lines, done))
        self._woken.set()
        patience = loop.call_later(timeout, _give_up, done)  # a fifth of what asyncio.timeout costs
        try:
            return await done
        finally:
            patience.cancel()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._woken.clear()
                await self._woken.wait()
                continue
            await self._commit(self._next_group())

    def _next_group(self) -> list[tuple[Sequence[EventLine], asyncio.Future[list[str | None]]]]:
        size = count = 0
        for lines, _ in self._waiting:
            size += len(lines)
            count += 1
            if size >= self._group_lines:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        # Who gave up waiting was told to send again: writing it as well would only make a duplicate.
        return [item for item in group if not item[1].done()]

    async def _commit(self, group: list[tuple[Sequence[EventLine], asyncio.Future[list[str | None]]]]) -> None:
        lines = [line for request, _ in group for line in request]
        if not lines:
            return
        began = time.perf_counter()
        try:
            errors = await asyncio.get_running_loop().run_in_executor(self._threads, self._write, lines)
        except Exception as error:  # whatever the write raises, those who wait must hear of it
            log.exception("stream write failed", extra={"error": type(error).__name__, "lines": len(lines)})
            errors = [type(error).__name__] * len(lines)
        self._on_write(len(lines), time.perf_counter() - began)
        start = 0
        for request, done in group:
            end = start + len(request)
            if not done.done():
                done.set_result(errors[start:end])
            start = end


def _give_up(done: asyncio.Future[list[str | None]]) -> None:
    if not done.done():
        done.set_exception(TimeoutError())
