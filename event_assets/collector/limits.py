"""How much the collector takes: sizes, rates and waits, and the token buckets that hold the rates."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from event_assets.contract.decoder import Limits

MIB = 1024 * 1024
EDGE_LIMITS = Limits(event_bytes=64_000, keys=496)
"""A little under the contract's limits, so that what the collector adds to an event does not carry it past them."""


@dataclass(frozen=True, slots=True)
class CollectorLimits:
    """Bounds of one collector process.

    `head_bytes` to `ip_connections` hold before anybody is known: size, number of headers and time of a request's head,
    how long a connection may be idle, requests sent before the first is answered, connections in all and of one
    address (IPv6: one /64), proxies excepted.
    Bodies of other SDKs may have `translated_bytes`, packed or not: some send all that waited while the collector was
    away as one, and what is refused as too large again and again.
    `buffer_bytes` bounds the bodies and events that are held at once, from the first byte read to the answer.
    `ip_requests_per_second` bounds each address (0: unbounded), and like each key's rate with bursts of
    `burst_seconds` worth. Of every rate this process has its share of as many `processes`. `members` bounds the gzip
    members or zstd frames of one body. What is larger than `at_once_bytes`, packed or unpacked, is worked on in a
    thread, so that others are answered meanwhile.
    """

    head_bytes: int = 32_768
    headers: int = 100
    head_seconds: float = 10.0
    keep_alive_seconds: float = 5.0
    pipelined: int = 16
    connections: int = 4_096
    ip_connections: int = 256
    body_bytes: int = MIB
    translated_bytes: int = 20 * MIB
    unpacked_bytes: int = 10 * MIB
    unpack_ratio: int = 100
    members: int = 1_000
    at_once_bytes: int = 65_536
    events: int = 500
    event: Limits = EDGE_LIMITS
    buffer_bytes: int = 128 * MIB
    body_seconds: float = 15.0
    stream_seconds: float = 15.0
    ip_requests_per_second: float = 500.0
    burst_seconds: float = 2.0
    processes: int = 1
    buckets: int = 100_000


class TokenBuckets:
    """One token bucket per name, in bounded memory."""

    def __init__(self, limits: CollectorLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst_seconds = limits.burst_seconds
        self._most = limits.buckets
        self._processes = limits.processes
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, tokens: float, rate: float) -> float:
        """Takes tokens from a bucket that fills at this process's share of `rate` a second. 0, or after how many
        seconds to ask again.

        A request for more than a full bucket is let through once the bucket is full, and leaves it in debt.
        """
        now, rate = self._clock(), rate / self._processes
        capacity = max(rate * self._burst_seconds, 1.0)
        level, at = self._buckets.get(name, (capacity, now))
        level = min(capacity, level + (now - at) * rate)
        needed = min(tokens, capacity)
        if level < needed:
            self._buckets[name] = (level, now)
            return (needed - level) / rate
        if name not in self._buckets and len(self._buckets) >= self._most:
            self._forget()
        self._buckets[name] = (level - tokens, now)
        return 0.0

    def __len__(self) -> int:
        return len(self._buckets)

    def _forget(self) -> None:
        """Drops the older half: who was not seen for longest has the fullest bucket and loses least."""
        oldest_first = sorted(self._buckets.items(), key=lambda item: item[1][1])
        self._buckets = dict(oldest_first[len(oldest_first) // 2 :])


def retry_after_seconds(wait: float) -> int:
    """A wait as the whole seconds of a `Retry-After` header."""
    return max(1, math.ceil(wait))
