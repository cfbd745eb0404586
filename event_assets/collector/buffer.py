"""Group commit: many requests wait for one durable write to the stream, in bounded memory.

While one write is under way the next group gathers, and while requests come that are ready to be served; nothing waits
for a timer. What is in an event is not looked at.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from event_assets.collector.errors import RequestRefused
from event_assets.streams import EventLines

log = logging.getLogger(__name__)

Write = Callable[[Sequence[EventLines]], Mapping[str, str]]
"""Writes lines durably, in a thread: the keys whose lines are not on the stream then, each with its error."""


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
        group_events: int = 10_000,
        group_requests: int = 64,
        on_write: Callable[[int, float], None] = lambda events, seconds: None,
    ) -> None:
        self._write = write
        self._writers = writers
        self._group_events = group_events
        self._group_requests = group_requests
        self._on_write = on_write
        self._waiting: list[_Waiting] = []
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

    async def write(self, lines: EventLines, timeout: float) -> Mapping[str, str]:
        """Waits until the lines are durable. Gives errors by key; those of other keys than the lines' may be among
        them.

        Raises `TimeoutError` when the stream takes too long; the lines may be on the stream all the same.
        """
        if self._threads is None or self._stopping:
            raise RequestRefused(503, "stopping", "the collector is stopping; send again", 1)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Mapping[str, str]] = loop.create_future()
        self._waiting.append(_Waiting(lines, done))
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
            await self._gather()
            await self._commit(self._next_group())

    async def _gather(self) -> None:
        """Lets others be served first, as long as that brings more to write: a larger group is packed into fewer
        records, for less work an event. Where nobody is waiting to be served it takes one turn of the loop."""
        before = -1
        while before < len(self._waiting) < self._group_requests and not self._stopping:
            before = len(self._waiting)
            await asyncio.sleep(0)

    def _next_group(self) -> list[_Waiting]:
        size = count = 0
        for each in self._waiting:
            size += len(each.lines.keys)
            count += 1
            if size >= self._group_events:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        # Who gave up waiting was told to send again: writing it as well would only make a duplicate.
        return [each for each in group if not each.done.done()]

    async def _commit(self, group: list[_Waiting]) -> None:
        if not group:
            return
        began = time.perf_counter()
        lines = [each.lines for each in group]
        events = sum(len(each.keys) for each in lines)
        try:
            errors = await asyncio.get_running_loop().run_in_executor(self._threads, self._write, lines)
        except Exception as error:  # whatever the write raises, those who wait must hear of it
            log.exception("stream write failed", extra={"error": type(error).__name__, "events": events})
            errors = {key: type(error).__name__ for each in lines for key in each.keys}
        self._on_write(events, time.perf_counter() - began)
        for each in group:
            if not each.done.done():
                each.done.set_result(errors)


class _Waiting(NamedTuple):
    """The lines of one request, and what it waits for."""

    lines: EventLines
    done: asyncio.Future[Mapping[str, str]]


def _give_up(done: asyncio.Future[Mapping[str, str]]) -> None:
    if not done.done():
        done.set_exception(TimeoutError())
