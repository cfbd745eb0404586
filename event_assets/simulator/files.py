"""Simulated traffic as a file instead of over HTTP: the lines as the collector writes them onto the stream.

Sound events have `received_at`, the address and the user agent of their request; broken ones are as they were sent.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from event_assets.simulator.anomalies import Anomaly
from event_assets.simulator.batches import batches
from event_assets.simulator.generate import TimedEvent, generate
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.seeds import rfc3339

_NETWORK_SECONDS = 0.04


def write_file(
    path: Path,
    *,
    seed: int,
    people: int,
    start: dt.datetime,
    hours: float = 1.0,
    faults: FaultRates | None = None,
    anomalies: tuple[Anomaly, ...] = (),
) -> Counter[str]:
    """Writes NDJSON (`.gz` and `.zst` are compressed), the same for the same arguments. Gives the lines by fate."""
    fates: Counter[str] = Counter()
    with _opened(path) as file:
        for line, event in _lines(generate(seed, people, start, hours, faults, anomalies)):
            file.write(line + b"\n")
            fates[event.fate] += 1
    return fates


def _lines(events: Iterator[TimedEvent]) -> Iterator[tuple[bytes, TimedEvent]]:
    for batch in batches(events):
        for event in batch.events:
            line = event.line(rfc3339(batch.due + event.clock_error))
            yield (line if event.fate == "rejected" else _received(line, event, batch.due)), event


def _received(line: bytes, event: TimedEvent, due: float) -> bytes:
    fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    device = msgspec.json.decode(fields.get("device", b"{}"), type=dict[str, msgspec.Raw])
    agent = {"user_agent": event.user_agent}
    more = {"device": device | agent, "ip": event.ip, "received_at": rfc3339(due + _NETWORK_SECONDS)}
    return msgspec.json.encode(fields | more)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                yield packed
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packed:
                yield packed
        else:
            yield file
