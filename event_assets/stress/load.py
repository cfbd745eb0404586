"""Processes that send: each holds some connections and sends at the rate that it is told, or as fast as it can.

A refused event is not sent again: here the refusals are what is to be seen. What to send is in `bodies`.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from event_assets.simulator.seeds import rfc3339
from event_assets.stress.bodies import BATCH, fill

_PATIENT_SECONDS = 0.25
"""While answers take less than this, there are connections enough for the rate."""
_FEWEST = 8
ANSWER_SECONDS = 10.0
"""A request without an answer for so long counts as unanswered."""
_FAR_APART = 1 << 34
"""Numbers of requests that lie between two senders' first."""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ALL_ACCEPTED = b'"accepted":%d,' % BATCH


class Order(NamedTuple):
    """Send so many events a second for so many seconds."""

    rate: float
    seconds: float


@dataclass
class Tally:
    """What came of an order. `latencies` are seconds from the first byte sent to the last byte answered, one a request.

    `unanswered` events may have been taken. `cpu` is CPU seconds of the sender, `seconds` the time until the last
    answer.
    """

    sent: int = 0
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    latencies: list[float] = field(default_factory=list)
    cpu: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.sent + other.sent,
            self.acknowledged + other.acknowledged,
            self.refused + other.refused,
            self.unanswered + other.unanswered,
            self.latencies + other.latencies,
            self.cpu + other.cpu,
            max(self.seconds, other.seconds),
        )


class Senders:
    """So many processes, which end with the block."""

    def __init__(self, endpoint: str, key: str, bodies: Sequence[bytes], processes: int, connections: int) -> None:
        self.processes = processes
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._running = []
        for number in range(processes):
            ours, theirs = context.Pipe()
            arguments = (theirs, endpoint, key, list(bodies), number * _FAR_APART, connections)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._running.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.send(None)
        for process in self._running:
            process.join(ANSWER_SECONDS + 5)
            if process.is_alive():
                process.kill()

    def send(self, rate: float, seconds: float) -> Tally:
        """Sends and waits for the last answer."""
        for pipe in self._pipes:
            pipe.send(Order(rate / self.processes, seconds))
        total = Tally()
        for pipe in self._pipes:
            total += pipe.recv()
        return total


def _serve(pipe: Connection, endpoint: str, key: str, bodies: list[bytes], first: int, connections: int) -> None:
    """A sender process: takes orders until there are no more."""
    clients = [_Client(endpoint, key, bodies, first + number, connections) for number in range(connections)]
    pipe.send("ready")
    with suppress(EOFError, KeyboardInterrupt):
        while (order := pipe.recv()) is not None:
            pipe.send(_carry_out(clients[: connections_for(order.rate, connections)], order))


def connections_for(rate: float, most: int) -> int:
    """How many connections the rate needs: more only make the collector work harder, fewer hold the load back."""
    return min(most, max(_FEWEST, math.ceil(rate * _PATIENT_SECONDS / BATCH)))


def _carry_out(clients: list[_Client], order: Order) -> Tally:
    tallies = [Tally() for _ in clients]
    interval = BATCH * len(clients) / order.rate
    began, cpu = time.perf_counter(), time.process_time()
    threads = [
        threading.Thread(target=client.send, args=(tally, began + interval * place / len(clients), interval, order))
        for place, (client, tally) in enumerate(zip(clients, tallies, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(tallies, Tally())
    total.cpu, total.seconds = time.process_time() - cpu, time.perf_counter() - began
    return total


class _Client:
    """One connection. A client library would cost more than the collector does: this speaks just enough HTTP/1.1."""

    def __init__(self, endpoint: str, key: str, bodies: list[bytes], number: int, stride: int) -> None:
        place = urlsplit(endpoint)
        self._address = (place.hostname or "127.0.0.1", place.port or 80)
        self._head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nUser-Agent: event-assets-stress\r\nContent-Length: %d\r\n\r\n"
        ).encode()
        self._bodies = bodies
        self._number = number
        self._stride = stride
        self._socket: socket.socket | None = None

    def send(self, tally: Tally, due: float, interval: float, order: Order) -> None:
        """Sends one request each interval. One that is late is sent at once, and those after it keep their distance:
        what the API cannot take is not saved up for later."""
        end = due + order.seconds
        while due < end:
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            elif -wait > order.seconds:
                return
            self._request(tally)
            due = max(due + interval, time.perf_counter())

    def _request(self, tally: Tally) -> None:
        body = fill(self._bodies[self._number % len(self._bodies)], self._number, rfc3339(time.time()).encode())
        self._number += self._stride
        tally.sent += BATCH
        began = time.perf_counter()
        try:
            status, answer = self._exchange(body)
        except (OSError, ValueError):
            self._close()
            tally.unanswered += BATCH
            return
        tally.latencies.append(time.perf_counter() - began)
        if status == 200 and _ALL_ACCEPTED in answer[:64]:
            tally.acknowledged += BATCH
        else:
            _note(tally, status, answer)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=ANSWER_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._head % len(body) + body)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._received(self._socket)
        length = _LENGTH.search(data, 0, end)
        if length is None:
            raise ValueError("an answer without a length")
        missing = end + 4 + int(length.group(1)) - len(data)
        parts = [data]
        while missing > 0:
            parts.append(self._received(self._socket))
            missing -= len(parts[-1])
        whole = b"".join(parts)
        return int(whole[9:12]), whole[end + 4 :]

    @staticmethod
    def _received(connection: socket.socket) -> bytes:
        if not (part := connection.recv(65_536)):
            raise ConnectionError("the connection was closed")
        return part

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _note(tally: Tally, status: int, answer: bytes) -> None:
    """Counts the verdicts of an answer that does not accept all events."""
    try:
        results: list[dict[str, Any]] = json.loads(answer)["results"]
    except (ValueError, KeyError, TypeError):
        results = []
    if len(results) != BATCH:
        tally.refused[f"http_{status}"] += BATCH
        return
    for result in results:
        if result["status"] == "accepted":
            tally.acknowledged += 1
        else:
            tally.refused[result.get("reason") or result["status"]] += 1
