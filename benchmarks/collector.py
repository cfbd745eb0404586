"""How many events one collector process takes, with the load from another process (`benchmarks.load`).

Validated, keyed and rate-limited as in production, against a stream that takes everything at once (`null`), the
embedded log (`embedded`, durable), an emulator of Kinesis over HTTP (`kinesis`) and one Kafka broker (`kafka`); beside
them an app on the same server that decodes the bodies to the contract's types and does nothing else (`bare`):
`ratio_…` is its processor time over the collector's, both with `mixed` batches, each the cheapest of three rounds in
turn. Batches hold 50 events of about 600 bytes from a few visitors; `mixed` batches hold events of as many visitors as
come, which makes more and smaller stream records. `cpu_us_…` is the collector's processor time for an event, which
other load on the machine changes little; `client_cpu_us_…` is what the load costs for an event; where both do not have
a core each, the rates lack it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import psutil
import uvicorn
from starlette.types import Receive, Scope, Send

from benchmarks.data import event_blocks
from event_assets.collector import WriteKeys, create_app
from event_assets.collector.__main__ import serve
from event_assets.collector.limits import CollectorLimits
from event_assets.contract.event import Event
from event_assets.settings import PREFIX, load_settings
from event_assets.streams import EventStream, PutResult, StreamRecord, open_stream
from event_assets_tests.emulators import servers
from event_assets_tests.emulators.kafka import kafka

Kind = Literal["bare", "null", "embedded", "kinesis", "kafka"]
Figures = dict[str, float | str | None]
BATCH = 50
BODIES = 200
CONNECTIONS = 32
SHARDS = 4
ROUNDS = 3
_events = msgspec.json.Decoder(list[Event])
UNREACHED_RATE = 10_000_000
"""A rate that is checked with each request and never reached."""


class Load(NamedTuple):
    """Requests that succeeded in so many seconds, those that did not, and seconds of processor time.

    `late_p99_ms` is how late the load itself was, at a rate: what it waited for a core.
    `cpu_seconds` are those of the watched processes, `client_cpu_seconds` the load's own.
    """

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    late_p99_ms: float
    failed: int
    seconds: float
    client_cpu_seconds: float
    cpu_seconds: tuple[float, ...]

    @property
    def requests_per_second(self) -> float:
        """Requests that succeeded, a second."""
        return self.requests / self.seconds

    def cpu_us(self, events_per_request: int) -> float:
        """The first process's processor time for an event, in microseconds."""
        return round(self.cpu_seconds[0] / (self.requests * events_per_request) * 1e6, 2)

    def client_cpu_us(self, events_per_request: int) -> float:
        """The load's processor time for an event, in microseconds."""
        return round(self.client_cpu_seconds / (self.requests * events_per_request) * 1e6, 2)


class NullStream:
    """A stream whose shards are real and whose records are nowhere."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def put(self, records: Sequence[StreamRecord]) -> list[PutResult]:
        """Says yes to everything."""
        return [PutResult("shard-0", "0", None)] * len(records)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks collector", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement")
    parser.add_argument("--memory-seconds", type=float, default=60, help="load over which memory growth is measured")
    parser.add_argument("--serve", choices=["bare", "null", "embedded", "kinesis", "kafka"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.serve:
        _serve(asked.serve, asked.home, asked.port)
        return 0
    figures = measure(asked.seconds, asked.memory_seconds)
    print(json.dumps(figures) if asked.json else "\n".join(map(_row, figures.items())))
    return 0


def _row(figure: tuple[str, float | str | None]) -> str:
    name, value = figure
    return f"{name:<36} {value:>12,}" if isinstance(value, int | float) else f"{name:<36} {value}"


def measure(seconds: float, memory_seconds: float) -> Figures:
    """All figures: events and requests a second, milliseconds, microseconds, megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        grouped, mixed, single = _bodies(Path(folder))
        event_bytes = grouped.stat().st_size / BODIES / BATCH
        with ExitStack() as servers_of:
            kinds: tuple[Kind, ...] = ("bare", "null", "embedded")
            running = {kind: servers_of.enter_context(collector_process(kind, Path(folder) / kind)) for kind in kinds}
            rounds = {kind: [_round(running[kind], mixed, 2)] for kind in kinds}  # the first warms up
            for _ in range(ROUNDS):
                for kind in kinds:
                    rounds[kind].append(_round(running[kind], mixed, seconds))
            bare, null_mixed, mixed_load = (_cheapest(rounds[kind][1:]) for kind in kinds)
            null = _round(running["null"], grouped, seconds)
            embedded = _round(running["embedded"], grouped, seconds)
            url, key, process = running["embedded"]
            one = _load(url, key, single, seconds, watched=(process,))
            half = _load(url, key, grouped, seconds, embedded.requests_per_second / 2)
            before = process.memory_info().rss
            long = _load(url, key, grouped, memory_seconds, embedded.requests_per_second / 2)
            growth = process.memory_info().rss - before
        kinesis = _kinesis(Path(folder), grouped, seconds)
        on_kafka = _kafka(Path(folder) / "kafka", grouped, seconds)
    loads = (bare, null, null_mixed, embedded, mixed_load, one, half, long)
    return {
        "ratio_null": round(bare.cpu_us(BATCH) / null_mixed.cpu_us(BATCH), 2),
        "ratio_embedded": round(bare.cpu_us(BATCH) / mixed_load.cpu_us(BATCH), 2),
        "cpu_us_bare_mixed": bare.cpu_us(BATCH),
        "cpu_us_null_mixed": null_mixed.cpu_us(BATCH),
        "cpu_us_embedded_mixed": mixed_load.cpu_us(BATCH),
        "events_per_second_null": round(null.requests_per_second * BATCH),
        "events_per_second_embedded": round(embedded.requests_per_second * BATCH),
        "events_per_second_embedded_mixed": round(mixed_load.requests_per_second * BATCH),
        "single_requests_per_second": round(one.requests_per_second),
        "p99_ms_half_load": round(half.p99_ms, 1),
        "half_load_requests_per_second": round(half.requests_per_second),
        "rss_growth_mb": round(growth / 1e6, 1),
        "rss_seconds": memory_seconds,
        "cpu_us_null": null.cpu_us(BATCH),
        "cpu_us_embedded": embedded.cpu_us(BATCH),
        "cpu_us_single": one.cpu_us(1),
        "client_cpu_us_embedded": embedded.client_cpu_us(BATCH),
        "client_cpu_us_single": one.client_cpu_us(1),
        "event_bytes": round(event_bytes),
        "failed_requests": sum(load.failed for load in loads),
        **kinesis,
        **on_kafka,
    }


def _round(server: tuple[str, str, psutil.Process], bodies: Path, seconds: float) -> Load:
    url, key, process = server
    return _load(url, key, bodies, seconds, watched=(process,))


def _cheapest(loads: Sequence[Load]) -> Load:
    """The one that others on the machine made dearer the least."""
    return min(loads, key=lambda load: load.cpu_us(BATCH))


def _kinesis(folder: Path, bodies: Path, seconds: float) -> Figures:
    """The figure on an emulator, and whether emulator or collector is at the end of its strength."""
    try:
        with servers.kinesis(folder) as emulator:
            environment = {
                **servers.CREDENTIALS,
                f"{PREFIX}STREAM_KIND": "kinesis",
                f"{PREFIX}STREAM_ENDPOINT_URL": emulator.url,
            }
            return _beside("kinesis", folder / "on-kinesis", environment, bodies, seconds, psutil.Process(emulator.pid))
    except servers.EmulatorAbsent as absent:
        return {"events_per_second_kinesis": None, "kinesis_limited_by": str(absent)}


def _kafka(folder: Path, bodies: Path, seconds: float) -> Figures:
    """The same on a broker, which waits for no other replica."""
    folder.mkdir()
    try:
        with kafka(folder) as broker:
            environment = {f"{PREFIX}STREAM_KIND": "kafka", f"{PREFIX}KAFKA_BROKERS": broker.brokers}
            return _beside("kafka", folder / "on-kafka", environment, bodies, seconds, broker.process)
    except servers.EmulatorAbsent as absent:
        return {"events_per_second_kafka": None, "kafka_limited_by": str(absent)}


def _beside(
    kind: Kind, home: Path, environment: Mapping[str, str], bodies: Path, seconds: float, other: psutil.Process
) -> Figures:
    """What a collector takes with a stream that is another process, and which of the two is at the end of its
    strength."""
    with collector_process(kind, home, environment) as (url, key, process):
        _load(url, key, bodies, 2)
        load = _load(url, key, bodies, seconds, watched=(process, other))
    collector, others = (round(share / load.seconds * 100) for share in load.cpu_seconds)
    first = "the stream" if others > collector else "the collector"
    return {
        f"events_per_second_{kind}": round(load.requests_per_second * BATCH),
        f"cpu_us_{kind}": load.cpu_us(BATCH),
        f"{kind}_limited_by": f"{first}: the stream used {others} % of a core, the collector {collector} %",
    }


def _bodies(folder: Path) -> tuple[Path, Path, Path]:
    """Files of request bodies, one a line: batches of few visitors, batches of many, single events."""
    block = next(event_blocks(BODIES * BATCH, duplicates=0.0))
    lines = [re.sub(rb',"(?:received_at|ip)":"[^"]*"', b"", line) for line in block.splitlines()]
    by_visitor = sorted(lines, key=lambda line: json.loads(line)["anonymous_id"])
    made = []
    for name, events, size in (("grouped", by_visitor, BATCH), ("mixed", lines, BATCH), ("single", lines, 1)):
        batches = [events[start : start + size] for start in range(0, len(events), size)]
        made.append(folder / name)
        made[-1].write_bytes(b"\n".join(b"[" + b",".join(batch) + b"]" for batch in batches))
    return made[0], made[1], made[2]


def _load(
    url: str,
    key: str,
    bodies: Path,
    seconds: float,
    rate: float | None = None,
    watched: Sequence[psutil.Process] = (),
) -> Load:
    """Sends bodies over and over, as fast as answers come or at `rate` requests a second."""
    command = [sys.executable, "-m", "benchmarks.load", f"{url}/v1/events", str(bodies), "--key", key]
    command += ["--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    before = [_cpu_seconds(process) for process in watched]
    done = subprocess.run(command + (["--rate", str(rate)] if rate else []), check=True, stdout=subprocess.PIPE)
    used = tuple(_cpu_seconds(process) - start for process, start in zip(watched, before, strict=True))
    return Load(**json.loads(done.stdout), cpu_seconds=used)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def collector_process(
    kind: Kind, home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str, psutil.Process]]:
    """A collector process: its address, a write key, itself."""
    home.mkdir()
    key = WriteKeys(home / "keys.json").create("site", "web", events_per_second=UNREACHED_RATE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.collector", "--serve", kind, "--home", str(home), "--port", str(port)]
    running = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(running, url)
        yield url, key, psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait()


def _wait_until_ready(running: subprocess.Popen[bytes], url: str) -> None:
    while running.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v1/ready"):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the collector did not start")


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Decodes a body to events and answers how many there are; of another path than theirs, to JSON."""
    body, more = b"", scope["method"] == "POST"
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    events = scope["path"] == "/v1/events"
    answer = b"%d" % len(_events.decode(body) if events else msgspec.json.decode(body)) if body else b""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def _serve(kind: Kind, home: Path, port: int) -> None:
    if kind == "bare":
        uvicorn.run(
            _bare, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_config=None
        )
        return
    settings = load_settings(home=home, collector_port=port)
    stream = open_stream(settings)
    if kind in ("kinesis", "kafka"):
        stream.create(SHARDS)
    limits = CollectorLimits(ip_requests_per_second=UNREACHED_RATE)
    app = create_app(settings, NullStream(stream) if kind == "null" else stream, None, limits)
    serve(settings, app)


if __name__ == "__main__":
    sys.exit(main())
