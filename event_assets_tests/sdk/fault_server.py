"""A small HTTP server that answers as it is told: an overloaded collector, one that dies, or none at all."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

Event = dict[str, Any]


class Reply(NamedTuple):
    """An answer; `None` as a reply cuts the connection. `halfway` is called between its headers and its body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    halfway: Callable[[], object] = lambda: None


Decide = Callable[[list[Event]], Reply | None]


def verdicts(events: list[Event], *statuses: str, reason: str | None = None) -> Reply:
    """The collector's answer with these verdicts, the last of them for all that follow."""
    given = [statuses[min(place, len(statuses) - 1)] for place in range(len(events))]
    results = [{"event_id": event["event_id"], "status": status} for event, status in zip(events, given, strict=True)]
    for result in results:
        if reason is not None and result["status"] == "rejected":
            result["reason"] = reason
    return Reply(503 if "retry" in given else 200, json.dumps({"results": results}).encode())


def accepted(events: list[Event]) -> Reply:
    return verdicts(events, "accepted")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is tested."""


class FaultServer:
    """Remembers the events of every request, and answers with `decide`."""

    def __init__(self) -> None:
        self.decide: Decide = accepted
        self.requests: list[list[Event]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._lock = threading.Lock()
        faults = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                events = [json.loads(line) for line in body.split(b"\n")]
                with faults._lock:
                    faults.requests.append(events)
                    faults.paths.append(self.path)
                    faults.headers.append({name.lower(): value for name, value in self.headers.items()})
                    reply = faults.decide(events)
                if reply is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(reply.status)
                self.send_header("content-length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                reply.halfway()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def events(self) -> list[Event]:
        """The events of all requests, in the order in which they came."""
        return [event for request in self.requests for event in request]

    def use_tls(self, certificate: Path) -> None:
        """Speaks TLS from now on, with the key and the certificate of this file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def script(self, *decisions: Decide) -> None:
        """Answers request by request, and accepts what comes after."""
        rest = iter(decisions)
        self.decide = lambda events: next(rest, accepted)(events)


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    server = FaultServer()
    server._thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._server.server_close()
