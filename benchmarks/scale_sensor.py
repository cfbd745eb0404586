"""The synthetic stream as what the stream's sensor asks. Apart, since it imports Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.scale_synthetic import SyntheticStream
from event_assets.defs.resources.stream import StreamResource
from event_assets.streams import EventStream


class SyntheticStreamResource(StreamResource):
    """So many shards of so many records each; a question takes so long."""

    shards: int
    records: int
    call_seconds: float

    @contextmanager
    def open(self) -> Iterator[EventStream]:
        yield SyntheticStream(self.shards, [b"{}"], self.records, self.call_seconds)
