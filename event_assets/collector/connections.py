"""What a connection may do before anybody knows whose it is: how many, how long, how much. What it asks for is others'.

uvicorn bounds none of this but idle time; behind a load balancer that does, these bounds are a second wall.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import resource
from collections import Counter
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from event_assets.collector.access import neighbourhood
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.protocols.router import find_route

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 1.0
_OWN_FILES = 128
"""File descriptors that a process needs for anything but connections."""
_BODY_SLACK = 2
"""Chunks have a frame each: so many times the bytes of a body may come for it."""
_PRESSED = 0.75
"""From this share of all connections on, those that say nothing get a quarter of their time."""


class Connections:
    """The connections of one process: lets them in, and ends those whose time is over."""

    def __init__(self, limits: CollectorLimits, metrics: CollectorMetrics, proxies: str = "") -> None:
        self.limits = limits
        self.now = 0.0
        self._metrics = metrics
        self._proxies = _networks(proxies)
        self._most = max(1, min(limits.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OWN_FILES))
        self._by_address: Counter[str] = Counter()
        self._open: set[BoundedProtocol] = set()
        self._sweeping: asyncio.Task[None] | None = None
        metrics.connections.set_function(lambda: len(self._open))

    def start(self) -> None:
        """Begins to look at the connections each second; to be called inside the event loop."""
        self.now = asyncio.get_running_loop().time()
        self._sweeping = asyncio.create_task(self._sweep())

    def stop(self) -> None:
        """Ends that. Connections are the server's to close."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def admit(self, connection: BoundedProtocol, address: str) -> bool:
        """Whether there is room for one more connection, of this address and in all."""
        if len(self._open) >= self._most:
            self.refuse("connections")
            return False
        whose = neighbourhood(address)
        if self._by_address[whose] >= self.limits.ip_connections and not self._is_proxy(address):
            self.refuse("ip_connections")
            return False
        self._by_address[whose] += 1
        self._open.add(connection)
        return True

    def leave(self, connection: BoundedProtocol, address: str) -> None:
        """Forgets an admitted connection."""
        if connection in self._open:
            self._open.discard(connection)
            whose = neighbourhood(address)
            self._by_address[whose] -= 1
            if self._by_address[whose] <= 0:
                del self._by_address[whose]

    def refuse(self, code: str) -> None:
        """Counts a connection that is ended for what it did."""
        self._metrics.refused.labels(code).inc()
        log.warning("connection refused", extra={"code": code})

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self._proxies)
        except ValueError:
            return False

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.now = loop.time()
            hurry = 0.25 if len(self._open) > self._most * _PRESSED else 1.0
            for connection in list(self._open):
                if self.now - connection.since > connection.seconds * (1.0 if connection.is_served else hurry):
                    connection.time_is_over()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds. The app's life span gives it the `connections` that it is one of.

    `since` and `seconds` say when what it does now began and how long that may last, `is_served` whether it waits for
    the app.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state["connections"]
        self._limits = limits = self._all.limits
        self.since, self.seconds, self.is_served = self._all.now, limits.head_seconds, False
        self._body_seconds = limits.body_seconds + 2 * limits.stream_seconds + limits.head_seconds
        self._body_bytes = 0
        self._is_idle = self._in_head = self._is_whole = True
        self._head_bytes = self._rest_bytes = self._chunk_bytes = 0
        self._address = ""
        self._refusal: tuple[int, str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets the connection in, or closes it at once."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._address = self.client[0] if self.client else ""
        if not self._all.admit(self, self._address):
            self._end(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Makes room for another."""
        self._all.leave(self, self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came, unless there was too much of it before."""
        if self._refusal is not None:
            return
        self._chunk_bytes = len(data)
        if self._in_head:
            if self._head_bytes > self._limits.head_bytes:
                self._end(431, "the head of a request is too large")
                return
            if self._is_idle:
                self._is_idle, self.since, self.seconds = False, self._all.now, self._limits.head_seconds
            self._head_bytes += self._chunk_bytes
        else:
            self._rest_bytes += self._chunk_bytes
            if self._rest_bytes > self._body_bytes:
                self._end(413, "the body is too large")
                return
        HttpToolsProtocol.data_received(self, data)

    def on_message_begin(self) -> None:
        """A request begins, somewhere in what came."""
        self._in_head, self._is_whole = True, False
        self._head_bytes, self._rest_bytes = self._chunk_bytes, 0
        HttpToolsProtocol.on_message_begin(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn does it, but that what follows a body is no header."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Hands the request to the app, unless its head breaks a bound."""
        self._in_head = False
        self._refusal = self._fault_of_head()
        if self._refusal is not None:
            raise ValueError(self._refusal[1])  # ends the parser; `send_400_response` answers
        self.since, self.seconds, self.is_served = self._all.now, self._body_seconds, True
        HttpToolsProtocol.on_headers_complete(self)
        limits, is_translated = self._limits, find_route(self.scope["path"]) is not None
        most = limits.translated_bytes if is_translated else limits.body_bytes
        self._body_bytes = _BODY_SLACK * most + limits.head_bytes

    def _fault_of_head(self) -> tuple[int, str] | None:
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            return 505, "HTTP/1.1 and HTTP/1.0 are spoken here"
        if len(self.headers) > self._limits.headers:
            return 431, f"a request may have {self._limits.headers} headers"
        if self._head_bytes > self._limits.head_bytes and self._size_of_head() > self._limits.head_bytes:
            return 431, f"the head of a request may have {self._limits.head_bytes} bytes"
        if len(self.pipeline) >= self._limits.pipelined:
            return 429, f"{self._limits.pipelined} requests may wait for one answer"
        return None

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_whole = True
        HttpToolsProtocol.on_message_complete(self)
        if self.cycle.response_complete:
            self._wait()

    def on_response_complete(self) -> None:
        """Turns to the next request, or to the rest of a body that nobody reads."""
        self.since, self.is_served = self._all.now, bool(self.pipeline)
        HttpToolsProtocol.on_response_complete(self)
        if self.is_served:
            return
        if self._is_whole:
            self._wait()
        else:
            self.seconds = self._limits.head_seconds

    def _wait(self) -> None:
        """For the next request, which has not begun."""
        self._is_idle = self._in_head = True
        self._head_bytes, self.since, self.seconds = 0, self._all.now, self._limits.keep_alive_seconds

    def send_400_response(self, msg: str) -> None:
        """Answers what the parser does not take."""
        if self._refusal is None:
            self._all.refuse("malformed_http")
            super().send_400_response(msg)
        else:
            self._end(*self._refusal)

    def time_is_over(self) -> None:
        """Ends the connection: idle, slow, or its app does not answer."""
        if self.is_served:
            self._all.refuse("request_timeout")
            self.transport.abort()
        elif self._is_idle:
            self.transport.close()
        else:
            self._end(408, "the request did not arrive in time")

    def _end(self, status: int, detail: str) -> None:
        """Answers, unless an answer is under way, and closes. What comes after that is not looked at."""
        self._refusal = (status, detail)
        self._all.refuse(_CODES[status])
        if not self.is_served:
            body = f'{{"error":"{_CODES[status]}","detail":"{detail}"}}'.encode()
            self.transport.write(STATUS_LINE[status] + _HEAD % len(body) + body)
        self.transport.close()


_HEAD = b"content-type: application/json\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: %d\r\n\r\n"
_CODES = {
    408: "request_timeout",
    413: "body_too_large",
    429: "too_many_pipelined",
    431: "head_too_large",
    503: "too_many_connections",
    505: "http_version",
}


def _networks(proxies: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks with commas between; `*` is all of them. Names say nothing about an address."""
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for proxy in map(str.strip, proxies.split(",")):
        if proxy == "*":
            networks += [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
        elif proxy and all(character in "0123456789abcdefABCDEF.:/" for character in proxy):
            networks.append(ipaddress.ip_network(proxy, strict=False))
    return networks
