"""What the collector counts and times, for Prometheus. One registry per app; names only, no personal data.

Where several workers share a port, each keeps its figures in files of one folder (`shared_between_workers`), and
whichever is asked answers for all of them: counters of workers that ended stay in the sums, their gauges do not.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from event_assets.collector.buffer import BufferBudget
from event_assets.collector.verdicts import Verdicts

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the Prometheus client learns the folder, when it is imported."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class CollectorMetrics:
    """The collector's counters, gauges and histograms."""

    def __init__(self, budget: BufferBudget) -> None:
        self.registry = registry = CollectorRegistry()
        self.accepted = Counter("collector_events_accepted", "Events that the stream took.", registry=registry)
        why = ["reason", "protocol"]
        self.rejected = Counter("collector_events_rejected", "Events refused.", why, registry=registry)
        self.rejected_bytes = Counter("collector_rejected_bytes", "Bytes of events refused.", why, registry=registry)
        self.translated = Counter(
            "collector_events_translated", "Events of other protocols.", ["protocol", "status"], registry=registry
        )
        self._key_events = Counter("collector_key_events", "Events sent with a write key.", ["key"], registry=registry)
        self._key_bytes = Counter(
            "collector_key_bytes", "Bytes of what was sent with it, unpacked.", ["key"], registry=registry
        )
        self._of_key: dict[str, tuple[Counter, Counter]] = {}
        self.dropped = Counter("collector_events_dropped", "Events dropped for refused consent.", registry=registry)
        self.retried = Counter("collector_events_not_taken", "Events the stream did not take.", registry=registry)
        self.refused = Counter("collector_requests_refused", "Requests refused.", ["code"], registry=registry)
        self.throttled = Counter("collector_requests_throttled", "Requests over a rate.", ["by"], registry=registry)
        self.request_seconds = Histogram(
            "collector_request_seconds", "First byte to answer.", buckets=_SECONDS, registry=registry
        )
        self.write_seconds = Histogram(
            "collector_stream_write_seconds", "One durable write.", buckets=_SECONDS, registry=registry
        )
        self.group_events = Histogram(
            "collector_stream_write_events",
            "Events in one durable write.",
            buckets=(1, 10, 50, 100, 500, 1_000, 5_000, 10_000),
            registry=registry,
        )
        self.stream_errors = Counter("collector_stream_errors", "Events per stream error.", ["code"], registry=registry)
        self.stream_failing = Gauge(
            "collector_stream_failing",
            "1 while the stream takes no events.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.keys_unreadable = Gauge(
            "collector_keys_unreadable",
            "1 while the file of write keys cannot be read.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.connections = Gauge(
            "collector_connections", "Connections that are open.", registry=registry, multiprocess_mode="livesum"
        )
        self._budget = budget
        self._held = Gauge(
            "collector_buffer_bytes",
            "Bytes held between first byte and answer.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        Gauge(
            "collector_buffer_limit_bytes",
            "Bytes that may be held.",
            registry=registry,
            multiprocess_mode="livesum",
        ).set(budget.limit)

    @property
    def buffer_used(self) -> float:
        """Share of this process's buffer that is held now."""
        return self._budget.used / self._budget.limit

    def look(self) -> None:
        """Takes down what no request does: what is held."""
        self._held.set(self._budget.used)

    def wrote(self, events: int, seconds: float) -> None:
        """One write to the stream has ended."""
        self.write_seconds.observe(seconds)
        self.group_events.observe(events)

    def used(self, key: str, events: int, size: int) -> None:
        """So much was sent with a key, by its id, within its rate; whatever becomes of it."""
        counters = self._of_key.get(key)
        if counters is None:  # asking for a label's counter costs more than counting
            counters = self._of_key[key] = self._key_events.labels(key), self._key_bytes.labels(key)
        counters[0].inc(events)
        counters[1].inc(size)

    def count(self, verdicts: Verdicts, protocol: str) -> None:
        """The final verdicts of one request."""
        self.accepted.inc(len(verdicts) - len(verdicts.others))
        for row, verdict in verdicts.others.items():
            if verdict.status == "rejected":
                self.rejected.labels(verdict.reason, protocol).inc()
                self.rejected_bytes.labels(verdict.reason, protocol).inc(verdicts.sizes.get(row, 0))
            else:
                (self.dropped if verdict.status == "dropped" else self.retried).inc()

    def text(self) -> bytes:
        """The exposition in Prometheus's text format, of all workers."""
        self.look()
        folder = os.environ.get(_FOLDER)
        if folder is None:
            return generate_latest(self.registry)
        for file in Path(folder).glob("gauge_live*_*.db"):
            worker = int(file.stem.rpartition("_")[2])
            if not psutil.pid_exists(worker):
                mark_process_dead(worker, folder)  # type: ignore[no-untyped-call]
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)


@contextmanager
def shared_between_workers() -> Iterator[None]:
    """Processes that are spawned in the block add their figures to each other's."""
    with tempfile.TemporaryDirectory(prefix="event-assets-metrics-") as folder:
        os.environ[_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_FOLDER]
