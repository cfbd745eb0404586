"""What the collector's registry gained since a minute ago, told to a meter. The hot path knows nothing of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil, inf

from event_assets.collector.metrics import CollectorMetrics
from event_assets.streams import OnPut, PutResult, StreamRecord
from event_assets.telemetry import metrics as names
from event_assets.telemetry.meter import EVERY_SECONDS, MOST_VALUES, Meter
from event_assets.telemetry.metrics import Metric
from event_assets.telemetry.traces import Place, Traces

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_COUNTS: Mapping[str, Metric] = {
    "collector_events_accepted_total": names.EVENTS_ACCEPTED,
    "collector_events_rejected_total": names.EVENTS_REJECTED,
    "collector_events_dropped_total": names.EVENTS_DROPPED,
    "collector_events_not_taken_total": names.EVENTS_NOT_TAKEN,
    "collector_requests_refused_total": names.REQUESTS_REFUSED,
}
_TIMES: Mapping[str, Metric] = {
    "collector_request_seconds_bucket": names.REQUEST_SECONDS,
    "collector_stream_write_seconds_bucket": names.WRITE_SECONDS,
}
_STATES: Mapping[str, Metric] = {
    "collector_stream_failing": names.STREAM_FAILING,
    "collector_keys_unreadable": names.KEYS_UNREADABLE,
}
_BY_KEY: Mapping[str, str] = {
    "collector_key_events_total": "EventsByKey",
    "collector_key_bytes_total": "BytesByKey",
}
"""Notes beside the metrics: each key as a metric of its own would be paid for."""
_TROUBLE = {names.EVENTS_NOT_TAKEN.name, names.STREAM_FAILING.name, names.KEYS_UNREADABLE.name}


class Telling:
    """Tells what one process's registry gained. A count that did not grow is not told."""

    def __init__(self, metrics: CollectorMetrics, meter: Meter) -> None:
        self._metrics = metrics
        self._meter = meter
        self._before: dict[tuple[str, str], float] = {}
        self._most_used = 0.0
        self._told_at = meter.clock()

    async def stay(self) -> None:
        """Looks at what is held once a second and tells what was gained once a minute, until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Looks at what is held; tells what was gained where the last time was a minute ago."""
        self._note_what_is_held()
        if self._meter.clock() - self._told_at >= EVERY_SECONDS:
            self.tell()

    def after_request(self) -> None:
        """The same where the process may be frozen now and never wake: what is wrong is told at once."""
        if self._gained() & _TROUBLE:
            self.tell()
        else:
            self.look()

    def tell(self) -> None:
        """Tells what was gained since the last time, and writes it."""
        self._note_what_is_held()
        self._told_at = self._meter.clock()
        buckets: dict[str, list[tuple[float, float]]] = {}
        for name, labels, value in self._samples():
            if name in _STATES and value:
                self._meter.value(_STATES[name], value)
            gained = self._gain(name, labels, value, forget=True)
            if name in _COUNTS and gained:
                self._meter.count(_COUNTS[name], gained)
            if name in _BY_KEY and gained:
                self._meter.note(_BY_KEY[name], dict(labels)["key"], gained)
            if name in _TIMES:
                buckets.setdefault(name, []).append((float(dict(labels)["le"]), gained))
        for name, counts in buckets.items():
            self._meter.value(_TIMES[name], *_values_of(sorted(counts)))
        if self._most_used:
            self._meter.value(names.BUFFER_USED, round(100 * self._most_used, 1))
        self._most_used = 0.0
        self._meter.flush()

    def _note_what_is_held(self) -> None:
        self._metrics.look()
        self._most_used = max(self._most_used, self._metrics.buffer_used)

    def _gained(self) -> set[str]:
        """The names of the metrics that something was counted of, or that are in a bad state."""
        found = set()
        for name, labels, value in self._samples():
            if name in _STATES and value:
                found.add(_STATES[name].name)
            elif name in _COUNTS and self._gain(name, labels, value):
                found.add(_COUNTS[name].name)
        return found

    def _gain(self, name: str, labels: tuple[tuple[str, str], ...], value: float, forget: bool = False) -> float:
        key = (name, str(labels))
        gained = value - self._before.get(key, 0.0)
        if forget:
            self._before[key] = value
        return gained

    def _samples(self) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
        return [
            (sample.name, tuple(sorted(sample.labels.items())), sample.value)
            for family in self._metrics.registry.collect()
            for sample in family.samples
        ]


def trace_puts(traces: Traces, stream: str) -> OnPut:
    """What traces records that were put: from when they were packed to when they are durable. It never raises: what is
    on the stream is acknowledged."""

    def put(records: Sequence[StreamRecord], results: Sequence[PutResult], seconds: float) -> None:
        ended = time.time()
        try:
            for record, result in zip(records, results, strict=True):
                if result.shard_id is None or result.sequence_number is None:
                    continue
                place = Place(stream, result.shard_id, result.sequence_number)
                if place.is_of(traces.share):
                    traces.collected(place, len(record.data), ended - seconds, ended)
        except Exception:  # whatever a library of traces may raise
            log.warning("records are not traced", exc_info=True)

    return put


def _values_of(cumulative: list[tuple[float, float]]) -> list[float]:
    """Values that stand for what a histogram gained: of each bucket its upper bound, as often as its share of a hundred
    says and at least once. What is above the last bound stands at it."""
    last_bound = max((bound for bound, _ in cumulative if bound != inf), default=0.0)
    alone: Counter[float] = Counter()
    before = 0.0
    for bound, count in cumulative:
        alone[min(bound, last_bound)] += round(count - before)
        before = count
    total = sum(alone.values())
    most = MOST_VALUES - len(alone)
    scale = min(1.0, most / total) if total else 0.0
    return [bound for bound, count in sorted(alone.items()) for _ in range(ceil(count * scale))]
