"""What the collector counts and times, for Prometheus. One registry per app; names only, no personal data."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from event_assets.collector.buffer import BufferBudget
from event_assets.collector.verdicts import Verdicts

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
            "collector_stream_failing", "1 while the stream takes no events.", registry=registry
        )
        self.keys_unreadable = Gauge(
            "collector_keys_unreadable", "1 while the file of write keys cannot be read.", registry=registry
        )
        self.connections = Gauge("collector_connections", "Connections that are open.", registry=registry)
        held = Gauge("collector_buffer_bytes", "Bytes held between first byte and answer.", registry=registry)
        held.set_function(lambda: budget.used)
        Gauge("collector_buffer_limit_bytes", "Bytes that may be held.", registry=registry).set(budget.limit)

    def wrote(self, events: int, seconds: float) -> None:
        """One write to the stream has ended."""
        self.write_seconds.observe(seconds)
        self.group_events.observe(events)

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
        """The exposition in Prometheus's text format."""
        return generate_latest(self.registry)
