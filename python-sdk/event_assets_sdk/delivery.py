"""From the text of an event to the collector: the queue, the thread that sends, a fork, the end.

What an event says is not looked at here.
"""

from __future__ import annotations

import os
import time

from event_assets_sdk.clock import steady
from event_assets_sdk.events import NewEvent
from event_assets_sdk.queue import EventQueue
from event_assets_sdk.report import Report
from event_assets_sdk.sender import Fresh, Pace, Sender
from event_assets_sdk.transport import Transport
from event_assets_sdk.worker import Worker

_LOOK_SECONDS = 0.05
_SPOOL_SECONDS = 0.05
"""How long events wait in memory for others, before one transaction takes all into the file."""


class Delivery:
    """Delivers what is put in a thread of its own; with `sync` in the calls, at most `exit_timeout` seconds in each."""

    def __init__(
        self,
        queue: EventQueue,
        transport: Transport,
        report: Report,
        pace: Pace,
        *,
        sync: bool,
        exit_timeout: float,
        debug: bool,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._report = report
        self._pace = pace
        self._sync = sync
        self._exit_timeout = exit_timeout
        self._process = os.urandom(8).hex()
        self._sender = Sender(queue, transport, report, pace, self._process, debug)
        self._worker = Worker(self._turn, pace.flush_interval)
        self._spooler = Worker(self._spool, 3_600.0)
        self._fresh = Fresh()

    def put(self, event_id: str, anonymous_id: str | None, text: bytes) -> None:
        """Takes an event; lets it be sent at once where it completes a batch."""
        self._queue.put(NewEvent(event_id, anonymous_id, text, time.time(), steady(), self._process))
        if self._queue.spools:
            if self._sync or not self._spooler.start():
                self._queue.spool()
            else:
                self._spooler.wake()
        is_due = self._fresh.add(len(text), self._pace)
        if self._sync:
            if is_due:
                self._fresh.clear()
                self._sender.deliver(time.monotonic() + self._exit_timeout, patiently=False)
        elif self._worker.start() and is_due:
            self._worker.wake()

    def flush(self, deadline: float) -> bool:
        """Waits until what is in the queue now has left it, or the deadline (monotonic seconds). Whether it has."""
        self._sender.try_held()
        mark = self._queue.mark()
        while not self._queue.is_past(mark):
            if time.monotonic() >= deadline or self._sender.is_paused_until(deadline):
                return False
            if self._sync or not self._worker.start():
                self._sender.deliver(deadline)
            else:
                self._worker.wake()
            if self._queue.is_past(mark):
                break
            time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        return True

    def close(self, deadline: float) -> None:
        """Flushes, if anything was put, and ends the thread."""
        if self._fresh.any:
            self.flush(deadline)
        self._sender.stop()
        self._worker.stop(max(0.1, deadline - time.monotonic()))
        self._spooler.stop(1.0)
        self._queue.spool()
        self._queue.close()

    def before_fork(self) -> None:
        """Called before the process forks."""
        self._queue.before_fork()
        self._transport.before_fork()

    def after_fork_in_parent(self) -> None:
        """Called in the parent of a fork."""
        self._transport.after_fork_in_parent()
        self._queue.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Called in the child of a fork: it starts a thread when it has something."""
        self._queue.after_fork_in_child()
        self._transport.after_fork_in_child()
        self._sender.begin_anew()
        self._worker.forget()
        self._spooler.forget()
        self._fresh = Fresh()

    def _spool(self) -> None:
        time.sleep(_SPOOL_SECONDS)
        self._queue.spool()

    def _turn(self) -> None:
        try:
            self._fresh.clear()
            self._sender.deliver()
        except Exception as error:
            self._report.problem("internal", f"sending failed: {type(error).__name__}: {error}")
