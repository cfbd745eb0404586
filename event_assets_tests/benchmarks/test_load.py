"""The load of the collector's benchmarks falls due by itself, and counts what waits for a slow server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Slow(BaseHTTPRequestHandler):
    """Answers a connection's requests one after the other, each a tenth of a second after it came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(0.1)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told."""


def test_a_rate_is_kept_when_answers_are_slow_and_what_waits_for_a_connection_counts(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    paths = tmp_path / "paths"
    paths.write_text("/a\n/b")
    command = [sys.executable, "-m", "benchmarks.load", f"http://127.0.0.1:{server.server_port}", str(paths), "--gets"]
    command += ["--key", "k", "--seconds", "2", "--connections", "2"]
    try:
        closed, at_rate = (
            json.loads(subprocess.run(each, check=True, stdout=subprocess.PIPE).stdout)
            for each in (command, [*command, "--rate", "40"])
        )
    finally:
        server.shutdown()
        server.server_close()
    assert closed["failed"] == at_rate["failed"] == 0
    # Two connections carry twenty a second: what falls due beyond that waits, and its wait is told.
    assert closed["p99_ms"] < at_rate["p50_ms"] <= at_rate["p95_ms"] <= at_rate["p99_ms"]
    assert at_rate["p95_ms"] > 300
