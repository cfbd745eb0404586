"""Load for the collector's benchmark: one process that sends bodies over a few connections and times the answers.

It speaks just enough HTTP/1.1 on an event loop, since a client library would cost more than the collector does. What it
costs itself is part of what it tells: a collector and this process have a core each only where there are two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"  # of a page
)


class _Sending(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next, until it is told to end."""

    def __init__(self, requests: Sequence[bytes], first: int, delay_seconds: float) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._turn = first
        self._delay = delay_seconds
        self._received = b""
        self._stopping = False
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._soon()

    def stop(self) -> None:
        """Ends after the answer that is due."""
        self._stopping = True
        if not self._waiting:
            self._transport.close()

    def _soon(self) -> None:
        if self._stopping:
            self._transport.close()
        elif self._delay:
            # Spread evenly between nothing and twice the mean, so that requests do not come in step.
            asyncio.get_running_loop().call_later(random.random() * 2 * self._delay, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        self._turn = (self._turn + 1) % len(self._requests)
        self._waiting = True
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._turn])

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        if length is None or len(self._received) < end + 4 + int(length.group(1)):
            return
        if self._received.startswith(b"HTTP/1.1 200"):
            self.seconds.append(time.perf_counter() - self._began)
        else:
            self.failed += 1
        self._received, self._waiting = b"", False
        self._soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self.failed += self._waiting
        self.ended.set_result(None)


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
    parser.add_argument("--rate", type=float, help="requests a second; as fast as answers come unless given")
    asked = parser.parse_args(argv)
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
    delay = asked.connections / asked.rate if asked.rate else 0.0
    print(json.dumps(uvloop.run(_run(asked.url, requests, asked.connections, asked.seconds, delay))))
    return 0


async def _run(url: str, requests: Sequence[bytes], connections: int, seconds: float, delay: float) -> dict[str, float]:
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    cpu, began = time.process_time(), time.perf_counter()
    sending = []
    for number in range(connections):
        first = number * len(requests) // connections
        _, protocol = await loop.create_connection(
            partial(_Sending, requests, first, delay),
            place.hostname or "127.0.0.1",
            place.port or 80,
        )
        sending.append(protocol)
    await asyncio.sleep(seconds)
    for each in sending:
        each.stop()
    await asyncio.gather(*(each.ended for each in sending))
    lasted = time.perf_counter() - began
    answered = sorted(second for each in sending for second in each.seconds)
    return {
        "requests": len(answered),
        "p50_ms": answered[len(answered) // 2] * 1e3 if answered else 0.0,
        "p99_ms": answered[int(len(answered) * 0.99)] * 1e3 if answered else 0.0,
        "failed": sum(each.failed for each in sending),
        "seconds": lasted,
        "client_cpu_seconds": time.process_time() - cpu,
    }


if __name__ == "__main__":
    sys.exit(main())
