"""A way to an emulator of AWS that writes down which actions of IAM the requests on it need."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

_OF_A_HOP = frozenset({"transfer-encoding", "content-length", "connection", "expect"})
"""Headers that each connection has of its own."""


class Recorder:
    """What was asked for, as IAM names it, while it `is_on`."""

    def __init__(self, target: str) -> None:
        self.actions: set[str] = set()
        self.is_on = False
        recorder, host = self, urlsplit(target).netloc

        class Forwards(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self._body()
                if recorder.is_on:
                    recorder.actions |= actions_of(self.command, self.path, self.headers.get("x-amz-target", ""))
                connection = http.client.HTTPConnection(host)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_A_HOP}
                connection.request(self.command, self.path, body, {**headers, "content-length": str(len(body))})
                answer = connection.getresponse()
                data = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_A_HOP:
                        self.send_header(name, value)
                length = answer.headers["content-length"] if self.command == "HEAD" else None
                self.send_header("content-length", length or str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                connection.close()

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("transfer-encoding", ""):
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                body = b""
                while size := int(self.rfile.readline().partition(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers
                return body

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forwards)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Only what is asked for in the block is written down."""
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False


def actions_of(method: str, path: str, target: str = "") -> set[str]:
    """The actions of a request to S3 (`/bucket/key?…`), or of one to a service that names its operation.

    >>> sorted(actions_of("POST", "/lake/a/b?uploads"))
    ['s3:PutObject']
    """
    if target:
        service, _, operation = target.partition(".")
        return {f"{service.partition('_')[0].lower()}:{operation}"}
    parts = urlsplit(path)
    asked = set(parse_qs(parts.query, keep_blank_values=True))
    is_bucket = not parts.path.strip("/").partition("/")[2]
    if is_bucket and method in ("GET", "HEAD"):
        return {"s3:GetBucketLocation" if "location" in asked else "s3:ListBucket"}
    if is_bucket and method == "POST" and "delete" in asked:
        return {"s3:DeleteObject"}
    if is_bucket:
        return {f"s3:{method} of a bucket"}
    if method == "DELETE":
        return {"s3:AbortMultipartUpload" if "uploadId" in asked else "s3:DeleteObject"}
    return {"s3:GetObject"} if method in ("GET", "HEAD") else {"s3:PutObject"}


@contextlib.contextmanager
def recorder(target: str) -> Iterator[Recorder]:
    """A running one before the emulator at this URL."""
    made = Recorder(target)
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
