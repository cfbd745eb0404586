"""A small web site on a port of its own, so that its pages are of another origin than the collector."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "web-sdk" / "dist" / "event-assets.js"
"""The build for a script tag; there once `make web-sdk` has run."""

_STUB = "window.ea = window.ea || function () { (window.ea.q = window.ea.q || []).push(arguments) };"
_BODY = """
<h1>A page</h1>
<p><a id="away" href="http://away.example/there?x=1">Away</a> <a id="home" href="/pricing">Pricing</a></p>
<form id="signup" name="signup" action="/signup">
<input name="email" value="secret@example.com"><button>Go</button></form>
<div style="height: 3000px">Much to read</div>
"""


@dataclass
class Site:
    """Pages by path, as text of their head; every other path is a page with the usual head."""

    port: int
    usual_head: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    """Whole pages by path."""
    scripts: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Its web origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_host(self) -> str:
        """The same pages under another host name."""
        return f"http://localhost:{self.port}"

    def snippet(self, options: str, *commands: str) -> str:
        """A head with the asynchronous snippet: `options` and commands are JavaScript."""
        lines = [_STUB, f"ea('init', {options});", *commands]
        return f"<script>{' '.join(lines)}</script><script async src='/event-assets.js'></script>"

    def with_plugin(self, name: str, options: str, *commands: str) -> str:
        """A head with a plug-in of that file before the snippet."""
        return f"<script src='/event-assets-{name}.js'></script>{self.snippet(options, *commands)}"

    def answer(self, path: str) -> tuple[str, bytes]:
        """Content type and body of a path."""
        if path.startswith("/event-assets"):
            return "text/javascript", (SCRIPT.parent / path[1:]).read_bytes()
        if path in self.scripts:
            return "text/javascript", self.scripts[path].encode()
        if path in self.documents:
            return "text/html", self.documents[path].encode()
        head = self.pages.get(path, self.usual_head)
        return "text/html", f"<!doctype html><title>Page {path}</title>{head}<body>{_BODY}</body>".encode()


@contextmanager
def serving_site() -> Iterator[Site]:
    """A site that serves until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = site.answer(self.path.partition("?")[0])
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
