"""One HTTP connection to the collector, kept open between requests. What an answer means is in `answers`."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - a name's first use would, and a fork meanwhile leaves that import locked
import gzip
import hashlib
import hmac
import http.client
import platform
import secrets
import ssl
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from event_assets_sdk.answers import Answer, NoAnswer
from event_assets_sdk.version import __version__

LIBRARY = {"name": "event-assets-python", "version": __version__}
_PATH = "/v1/events"
_IDLE_SECONDS = 3.0  # servers close idle connections after 5 seconds and more
_ANSWER_BYTES = 4 * 1024 * 1024
_FORK_SECONDS = 1.0
_RATIO = 50  # what unpacks to a hundred times its size is refused as a bomb


def user_agent() -> str:
    """What the SDK calls itself in its requests."""
    return f"{LIBRARY['name']}/{__version__} (Python {platform.python_version()}; {platform.system()})"


class Transport:
    """Posts batches. Used by one thread at a time."""

    def __init__(self, endpoint: str, write_key: str, timeout: float, signed: bool = False) -> None:
        url = urlsplit(endpoint)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError(f"endpoint is {endpoint!r}: it must be an address, as https://events.example.com")
        if not write_key or not write_key.isascii() or not write_key.isprintable():
            raise ValueError("write_key is empty or not printable: make one with `event-assets keys create`")
        self._host, self._port, self._is_tls = url.hostname, url.port, url.scheme == "https"
        self._path = url.path.rstrip("/") + _PATH
        self._key = write_key
        self._signed = signed
        self._timeout = timeout
        self._tls: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._used_at = 0.0
        self._connecting = threading.Lock()
        self._held_for_fork = False

    def post(self, lines: Sequence[bytes], timeout: float | None = None) -> Answer | NoAnswer:
        """The answer to a request of these events, or what happened instead."""
        body = b"\n".join(lines)
        packed = gzip.compress(body, 6)
        headers = {
            "Content-Type": "application/x-ndjson",
            "User-Agent": user_agent(),
        }
        if len(packed) * _RATIO > len(body):
            headers["Content-Encoding"], body = "gzip", packed
        if self._signed:
            headers |= self._signature(body, headers.get("Content-Encoding", ""))
        else:
            headers["X-Write-Key"] = self._key
        is_kept = self._connection is not None and time.monotonic() - self._used_at < _IDLE_SECONDS
        if not is_kept:
            self.close()
        try:
            try:
                return self._request(body, headers, timeout)
            except (ConnectionError, http.client.BadStatusLine):
                if not is_kept:
                    raise
            # The server closed the connection while it was idle: that says nothing about the server.
            return self._request(body, headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            return NoAnswer(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def before_fork(self) -> None:
        """Waits a moment for a connection that is being made: the C library's locks, as of resolving a name, would stay
        locked in the child."""
        self._held_for_fork = self._connecting.acquire(timeout=_FORK_SECONDS)

    def after_fork_in_parent(self) -> None:
        """Goes on as before."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._connecting.release()

    def after_fork_in_child(self) -> None:
        """Begins anew: the connection is the parent's. An answer that a thread of the parent is reading has a lock that
        nobody here ever lets go: it is taken apart, since to close it would wait for that."""
        self._held_for_fork, self._connecting = False, threading.Lock()
        answer, self._answer = self._answer, None
        if answer is not None and answer.fp is not None:
            reader, answer.fp = answer.fp, None  # type: ignore[assignment]
            reader.detach().close()
        self.close()

    def _request(self, body: bytes, headers: dict[str, str], timeout: float | None) -> Answer:
        try:
            connection = self._connect(min(self._timeout, timeout or self._timeout))
            if connection.sock is None:
                with self._connecting:
                    connection.connect()
            connection.request("POST", self._path, body, headers)
            response = self._answer = connection.getresponse()
            answer = Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(_ANSWER_BYTES),
            )
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
        if response.isclosed():
            self._used_at = time.monotonic()
        else:
            self.close()
        return answer

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._is_tls:
                self._tls = self._tls or ssl.create_default_context()
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout, context=self._tls
                )
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        self._connection.timeout = timeout
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout)
        return self._connection

    def _signature(self, body: bytes, encoding: str) -> dict[str, str]:
        """The headers of a key that signs: the key itself does not travel, only its id."""
        at, nonce = str(int(time.time())), secrets.token_hex(16)
        # The path is the collector's own: a prefix of the endpoint is taken off by the proxy that it is for.
        signed = "\n".join(("POST", _PATH, "", encoding, at, nonce)).encode() + b"\n" + body
        return {
            "X-Write-Key": self._key.rpartition("_")[0],
            "X-Timestamp": at,
            "X-Nonce": nonce,
            "X-Signature": hmac.new(self._key.encode(), signed, hashlib.sha256).hexdigest(),
        }
