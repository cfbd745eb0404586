"""Signed requests of servers: HMAC-SHA-256 over all that a request says, five minutes either way, each nonce once.

The secret never travels: the request names its key by id (`X-Write-Key: ea_<id>`) and carries `X-Timestamp` (Unix
seconds), `X-Nonce` (8 to 64 characters) and `X-Signature` (hex).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from event_assets.collector.errors import RequestRefused

WINDOW_SECONDS = 300
_MAX_NONCES = 1_000_000


class Signed(NamedTuple):
    """What a signature covers beside its time and nonce: the request as the collector sees it.

    `query` and `body` are the bytes as they travel (compressed, if they are), `encoding` is the Content-Encoding, empty
    where there is none.
    """

    method: str
    path: str
    query: bytes
    encoding: str
    body: bytes


def sign(secret: str, timestamp: str, nonce: str, request: Signed) -> str:
    """The signature: hex HMAC-SHA-256 over method, path, query, encoding, time, nonce and body, a line feed between.

    None of them but the body can hold a line feed, so no two requests say the same.
    """
    named = (request.method, request.path, request.query.decode("latin-1"), request.encoding, timestamp, nonce)
    text = "\n".join(named).encode("latin-1") + b"\n" + request.body
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


class SignatureCheck:
    """Checks signatures and remembers nonces, in the memory of one process.

    Behind a load balancer, a request could be replayed once to every other process within the window; since an event
    counts once by its `event_id`, that changes no figure.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, key_id: str, secret: str, headers: dict[str, str], request: Signed) -> None:
        """Refuses the request with 401 unless its signature is right, its time is near and its nonce is new."""
        timestamp = headers.get("x-timestamp", "")
        nonce = headers.get("x-nonce", "")
        now = self._clock()
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise _refused("X-Timestamp must be Unix seconds")
        if not 8 <= len(nonce) <= 64:
            raise _refused("X-Nonce must have 8 to 64 characters")
        given = headers.get("x-signature", "").encode()
        if not hmac.compare_digest(sign(secret, timestamp, nonce, request).encode(), given):
            raise _refused("X-Signature does not fit the request: method, path, query, Content-Encoding, body")
        if abs(now - int(timestamp)) > WINDOW_SECONDS:
            raise _refused(f"X-Timestamp is more than {WINDOW_SECONDS} seconds away")
        self._remember(f"{key_id}:{nonce}", now)

    def _remember(self, nonce: str, now: float) -> None:
        while self._seen and (next(iter(self._seen.values())) < now or len(self._seen) >= _MAX_NONCES):
            self._seen.popitem(last=False)
        if nonce in self._seen:
            raise _refused("X-Nonce was used before")
        self._seen[nonce] = now + 2 * WINDOW_SECONDS


def _refused(detail: str) -> RequestRefused:
    return RequestRefused(401, "bad_signature", detail)
