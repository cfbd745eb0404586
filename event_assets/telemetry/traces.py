"""The way of a few events as traces of OpenTelemetry: taken, landed, refreshed, loaded.

Nothing is added to what is sent. A record's trace is made of where it is on the stream, which whoever puts it and
whoever lands it both know: its first span has the same ids for both, so that they need not tell each other. Which
records are traced follows from these ids, too. Spans name places, tables and numbers, never what an event says.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from event_assets.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

    from event_assets.telemetry.span_ids import GivenIds

MOST_AT_ONCE = 20
"""Records that one landing traces at the most."""
_SEND_SECONDS = 2.0
"""For so long a batch is sent, repeats among them; then it is lost. What ends waits for it."""


class Place(NamedTuple):
    """Where a record is on a stream."""

    stream: str
    shard_id: str
    sequence_number: str

    @property
    def ids(self) -> tuple[int, int]:
        """Ids of the record's trace and of its first span."""
        digest = hashlib.sha256("\n".join(self).encode()).digest()
        return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1

    def is_of(self, share: float) -> bool:
        """Whether the record is one of those that are traced, where this share of all is."""
        return (self.ids[0] & 0xFFFF_FFFF_FFFF_FFFF) < share * 2**64


class Way(Protocol):
    """Whom steps tell what they do with the records of which a `share` is traced."""

    share: float

    def landed(self, places: Iterable[tuple[Place, float]], ended: float) -> None:
        """These records are in the lake, each with when it arrived on the stream, in seconds since 1970. What this
        thread does next is of them."""

    def done(self, what: str, began: float, ended: float, rows: int) -> None:
        """Something was done with what this thread landed last."""


class Traces:
    """The traces of one process. Spans of steps go into the traces of what their thread landed last."""

    def __init__(self, provider: TracerProvider, share: float, ids: GivenIds) -> None:
        self.share = share
        self._provider = provider
        self._tracer = provider.get_tracer("event_assets")
        self._ids = ids
        self._way = threading.local()

    def collected(self, place: Place, size: int, began: float, ended: float) -> None:
        """A record was put on the stream. Begin and end in seconds since 1970."""
        from opentelemetry.trace import SpanKind

        with self._ids.given(*place.ids):
            span = self._tracer.start_span(
                "collect",
                kind=SpanKind.PRODUCER,
                start_time=_nanoseconds(began),
                attributes={**_named(place), "messaging.message.body.size": size},
            )
        span.end(_nanoseconds(ended))

    def landed(self, places: Iterable[tuple[Place, float]], ended: float) -> None:
        """A span each, and those of what this thread does next are below the records' first ones."""
        from opentelemetry import trace

        self._way.parents = []
        for place, arrived in places:
            trace_id, span_id = place.ids
            sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
            first = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=sampled)
            self._way.parents.append(trace.set_span_in_context(trace.NonRecordingSpan(first)))
            self._span("land raw_events", self._way.parents[-1], arrived, ended, _named(place))

    def done(self, what: str, began: float, ended: float, rows: int) -> None:
        """A span in the trace of each record that this thread landed last."""
        for parent in getattr(self._way, "parents", ()):
            self._span(what, parent, began, ended, {"event_assets.rows": rows})

    def flush(self) -> None:
        """Sends what has ended."""
        self._provider.force_flush()

    def _span(self, name: str, parent: Context, began: float, ended: float, attributes: dict[str, str | int]) -> None:
        span = self._tracer.start_span(name, context=parent, start_time=_nanoseconds(began), attributes=attributes)
        span.end(_nanoseconds(ended))


def _named(place: Place) -> dict[str, str | int]:
    """As OpenTelemetry's conventions on messaging have it."""
    return {
        "messaging.destination.name": place.stream,
        "messaging.destination.partition.id": place.shard_id,
        "messaging.message.id": place.sequence_number,
    }


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def open_traces(settings: Settings, service: str) -> Traces | None:
    """The traces of a process; None where the settings say nowhere to send them. Raises `SettingsError` without the
    extra `tracing`."""
    if settings.otlp_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        from event_assets.telemetry.span_ids import GivenIds
    except ImportError:
        raise SettingsError(
            "EVENT_ASSETS_OTLP_ENDPOINT needs the extra `tracing`: pip install 'event-assets[tracing]'"
        ) from None
    ids = GivenIds()
    described = {"service.name": f"event-assets-{service}", "service.namespace": settings.installation}
    provider = TracerProvider(resource=Resource.create(described), id_generator=ids, sampler=ALWAYS_ON)
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=_SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Traces(provider, settings.trace_share, ids)
