"""A small JSON API, which lets in who has its token. No tests here."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Api(http.server.BaseHTTPRequestHandler):
    """An API that lets in who has the token."""

    rows: list[dict[str, Any]]

    def do_GET(self) -> None:
        is_let_in = self.headers.get("Authorization") == "Bearer t0ken"
        self._answer(200 if is_let_in else 401, {"data": self.rows} if is_let_in else {})

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Its address, while the block runs."""
    Api.rows = rows
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
