"""Whether events can be taken, and why not: what the last writes came to, what stream and keys say when asked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping

from event_assets.collector.keys import WriteKeys
from event_assets.collector.metrics import CollectorMetrics
from event_assets.streams.protocol import PERMANENT_ERRORS, EventStream

log = logging.getLogger(__name__)

_ASK_SECONDS = 2.0
_PATIENCE_SECONDS = 2.0
_FAILED_SECONDS = 5.0
"""So long after a write that failed the stream is believed again when it says that it takes events: only events can
show that it does, and they come where it is ready."""


class Readiness:
    """What one process knows of its stream and its keys. Told of writes by any thread, asked in the event loop."""

    def __init__(
        self,
        stream: EventStream,
        keys: WriteKeys,
        metrics: CollectorMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._keys = keys
        self._clock = clock
        self._failing: str | None = None
        self._failed_at = 0.0
        self._failing_since = 0.0
        self._answer: tuple[str, str] | None = None
        self._ask_at = 0.0
        self._asking = asyncio.Lock()
        self._refused = metrics.stream_failing
        metrics.keys_unreadable.set_function(lambda: self._keys.fault is not None)

    def wrote(self, keys: Collection[str], errors: Mapping[str, str]) -> None:
        """A write has ended: of whose events, and of whom the stream did not take them, with its error."""
        refused = [error for error in errors.values() if not error.startswith(PERMANENT_ERRORS)]
        if not errors or len(refused) < len(errors) or any(key not in errors for key in keys):
            self._takes()
        else:
            self.failed(refused[0])

    def failed(self, error: str) -> None:
        """The stream took nothing. The first failure is logged, not those after it."""
        self._failed_at = self._clock()
        if self._failing is None:
            self._failing_since = self._failed_at
            log.error("the stream takes no events", extra={"stream": self._stream.name, "reason": error})
        self._failing = error
        self._refused.set(1)
        self.forget()

    def _takes(self) -> None:
        if self._failing is not None:
            seconds = round(self._clock() - self._failing_since, 1)
            log.info("the stream takes events again", extra={"stream": self._stream.name, "after_seconds": seconds})
            self._failing = None
            self._refused.set(0)
            self.forget()

    def forget(self) -> None:
        """What stream and keys said is asked anew."""
        self._ask_at = 0.0

    async def fault(self) -> tuple[str, str] | None:
        """Why no event can be taken: a code and a sentence; None where they can. Asks at most every two seconds."""
        async with self._asking:
            if self._clock() >= self._ask_at:
                self._answer = self._fault_of_keys() or await self._fault_of_stream()
                self._ask_at = self._clock() + _ASK_SECONDS
        return self._answer

    def warning(self) -> str | None:
        """What is wrong without being in the way: keys that cannot be read, while those read before still hold."""
        return self._keys.fault

    def _fault_of_keys(self) -> tuple[str, str] | None:
        self._keys.look()
        return ("keys_unreadable", self._keys.fault) if self._keys.fault and not self._keys.were_read else None

    async def _fault_of_stream(self) -> tuple[str, str] | None:
        try:
            await asyncio.wait_for(asyncio.to_thread(self._stream.require_writable), _PATIENCE_SECONDS)
        except TimeoutError:
            return "stream_unavailable", f"the stream did not answer within {_PATIENCE_SECONDS:g} seconds"
        except Exception as error:  # whatever the stream raises means that it cannot be written to
            return "stream_unavailable", str(error) or type(error).__name__
        if self._failing is not None and self._clock() - self._failed_at < _FAILED_SECONDS:
            return "stream_unavailable", self._failing
        return None
