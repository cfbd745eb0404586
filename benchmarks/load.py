"""Load for the collector's benchmark: one process that sends bodies over a few connections and times the answers.

It speaks just enough HTTP/1.1 on an event loop, since a client library would cost more than the collector does. What it
costs itself is part of what it tells: a collector and this process have a core each only where there are two.

At a rate requests fall due by themselves (a Poisson process), however slow the answers are, and wait for a connection
where all are in use: that wait counts as the answer's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"  # of a page
)


class _Connection(asyncio.Protocol):
    """One connection, with one request under way at most. `free` is told when it has none."""

    def __init__(self, free: Callable[[_Connection], None]) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._free = free
        self._received = b""
        self._stopping = False
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._free(self)

    def stop(self) -> None:
        """Ends after the answer that is due."""
        self._stopping = True
        if not self._waiting:
            self._transport.close()

    def send(self, request: bytes, due: float) -> None:
        """Sends a request; its answer takes from `due` on."""
        self._waiting, self._due = True, due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        if length is None or len(self._received) < end + 4 + int(length.group(1)):
            return
        if self._received.startswith(b"HTTP/1.1 200"):
            self.seconds.append(time.perf_counter() - self._due)
        else:
            self.failed += 1
        self._received, self._waiting = b"", False
        if self._stopping:
            self._transport.close()
        else:
            self._free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.failed += self._waiting
        self.ended.set_result(None)


class _Sending:
    """Hands one request after the other to the connections: as fast as answers come, or at a rate."""

    def __init__(self, requests: Sequence[bytes], rate: float | None) -> None:
        self.late: list[float] = []
        """How long after it fell due a request was seen to be due: what the machine does to this process."""
        self._requests = requests
        self._rate = rate
        self._turn = random.randrange(len(requests))
        self._idle: deque[_Connection] = deque()
        self._due: deque[float] = deque()

    def free(self, connection: _Connection) -> None:
        """The connection is idle."""
        if self._rate is None:
            self._send(connection, time.perf_counter())
        elif self._due:
            self._send(connection, self._due.popleft())
        else:
            self._idle.append(connection)

    async def keep_rate(self) -> None:
        """Requests fall due until it is cancelled; at no rate none does."""
        if self._rate is None:
            return
        due = time.perf_counter()
        while True:
            due += random.expovariate(self._rate)
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            now = time.perf_counter()
            self.late.append(now - due)
            if self._idle:
                self._send(self._idle.popleft(), now)
            else:
                self._due.append(now)

    def _send(self, connection: _Connection, due: float) -> None:
        self._turn = (self._turn + 1) % len(self._requests)
        connection.send(self._requests[self._turn], due)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; prints one JSON object: the fields of `benchmarks.collector.Load`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("url", help="where to send")
    parser.add_argument("bodies", type=Path, help="file of bodies (or paths), one a line, sent in turn")
    parser.add_argument("--key", required=True, help="write key")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--gets", action="store_true", help="the lines are paths that are asked for with a read key")
    parser.add_argument("--reads", action="store_true", help="the key is a read key, of bodies too")
    parser.add_argument("--ahead", action="store_true", help="run before all other processes")
    parser.add_argument("--rate", type=float, help="requests a second; as fast as answers come unless given")
    asked = parser.parse_args(argv)
    if asked.ahead:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    place = urlsplit(asked.url)
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"{'X-Read-Key' if asked.reads else 'X-Write-Key'}: {asked.key}\r\nUser-Agent: {_AGENT}\r\nContent-Length: "
    ).encode()
    lines = asked.bodies.read_bytes().splitlines()
    requests = [head + b"%d\r\n\r\n%s" % (len(body), body) for body in lines]
    if asked.gets:
        rest = f" HTTP/1.1\r\nHost: {place.netloc}\r\nX-Read-Key: {asked.key}\r\nUser-Agent: {_AGENT}\r\n\r\n".encode()
        requests = [b"GET " + path + rest for path in lines]
    print(json.dumps(uvloop.run(_run(asked.url, requests, asked.connections, asked.seconds, asked.rate))))
    return 0


async def _run(
    url: str, requests: Sequence[bytes], connections: int, seconds: float, rate: float | None
) -> dict[str, float]:
    loop, place, sending = asyncio.get_running_loop(), urlsplit(url), _Sending(requests, rate)
    cpu, began = time.process_time(), time.perf_counter()
    opened = []
    for _ in range(connections):
        connected = await loop.create_connection(
            partial(_Connection, sending.free), place.hostname or "127.0.0.1", place.port or 80
        )
        opened.append(connected[1])
    keeping = asyncio.create_task(sending.keep_rate())
    await asyncio.sleep(seconds)
    keeping.cancel()
    for each in opened:
        each.stop()
    await asyncio.gather(*(each.ended for each in opened))
    lasted = time.perf_counter() - began
    answered = sorted(second for each in opened for second in each.seconds)
    return {
        "requests": len(answered),
        **{f"p{share}_ms": _quantile_ms(answered, share) for share in (50, 95, 99)},
        "late_p99_ms": _quantile_ms(sorted(sending.late), 99),
        "failed": sum(each.failed for each in opened),
        "seconds": lasted,
        "client_cpu_seconds": time.process_time() - cpu,
    }


def _quantile_ms(sorted_seconds: Sequence[float], share: int) -> float:
    return sorted_seconds[len(sorted_seconds) * share // 100] * 1e3 if sorted_seconds else 0.0


if __name__ == "__main__":
    sys.exit(main())
