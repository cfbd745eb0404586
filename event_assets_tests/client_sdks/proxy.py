"""A network that fails: passes requests on to a collector, save that it first answers for it or cuts the line."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

Fault = Literal["503", "429", "cut", "lost"]
"""`cut`: the line is cut before the collector hears of it; `lost`: after it has answered, so that nobody knows."""
_OWN_HEADERS = {"connection", "transfer-encoding", "content-length", "content-encoding", "date"}


@contextmanager
def failing(endpoint: str, faults: Iterable[Fault]) -> Iterator[str]:
    """The address of a proxy to the endpoint that does these to the first requests that carry events, one each."""
    left, lock = list(faults), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                fault = left.pop(0) if left and (self.command == "POST") else None
            if fault == "cut":
                self.close_connection = True
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            if fault in ("503", "429"):
                seen = {"access-control-allow-origin": self.headers.get("origin", "*")}
                seen["access-control-allow-credentials"] = "true"
                self.answer(int(fault), {"retry-after": "1", **seen}, b"{}")
                return
            answer = httpx.request(self.command, endpoint + self.path, headers=headers, content=body, timeout=60)
            if fault == "lost":
                self.close_connection = True
                return
            kept = {name: value for name, value in answer.headers.items() if name not in _OWN_HEADERS}
            self.answer(answer.status_code, kept, answer.content)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_OPTIONS = handle_request  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
