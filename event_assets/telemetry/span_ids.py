"""Ids of spans: random, but where some are given. Needs the extra `tracing`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator


class GivenIds(RandomIdGenerator):
    """Gives the span that a thread begins in a block of `given` the ids that are said there."""

    def __init__(self) -> None:
        super().__init__()
        self._given = threading.local()

    @contextmanager
    def given(self, trace_id: int, span_id: int) -> Iterator[None]:
        """These are the ids of the span that this thread begins in the block."""
        self._given.ids = (trace_id, span_id)
        try:
            yield
        finally:
            self._given.ids = None

    def generate_span_id(self) -> int:
        """The id that is given, else a random one."""
        given = getattr(self._given, "ids", None)
        return int(given[1]) if given else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The id that is given, else a random one."""
        given = getattr(self._given, "ids", None)
        return int(given[0]) if given else super().generate_trace_id()
