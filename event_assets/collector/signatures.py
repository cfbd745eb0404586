"""Signed requests of servers: HMAC-SHA-256 over time, nonce and body, five minutes either way, each nonce once.

The secret never travels: the request names its key by id (`X-Write-Key: ea_<id>`) and carries `X-Timestamp` (Unix
seconds), `X-Nonce` (8 to 64 characters) and `X-Signature` (hex).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

from event_assets.collector.errors import RequestRefused

WINDOW_SECONDS = 300
_MAX_NONCES = 1_000_000


def sign(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature of a body as it travels (compressed, if it is)."""
    return hmac.new(secret.encode(), b"\n".join((timestamp.encode(), nonce.encode(), body)), hashlib.sha256).hexdigest()


class SignatureCheck:
    """Checks signatures and remembers nonces, in the memory of one process.

    Behind a load balancer, a request could be replayed once to every other process within the window; since an event
    counts once by its `event_id`, that changes no figure.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, key_id: str, secret: str, headers: dict[str, str], body: bytes) -> None:
        """Refuses the request with 401 unless its signature is right, its time is near and its nonce is new."""
        timestamp = headers.get("x-timestamp", "")
        nonce = headers.get("x-nonce", "")
        now = self._clock()
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise _refused("X-Timestamp must be Unix seconds")
        if not 8 <= len(nonce) <= 64:
            raise _refused("X-Nonce must have 8 to 64 characters")
        given = headers.get("x-signature", "").encode()
        if not hmac.compare_digest(sign(secret, timestamp, nonce, body).encode(), given):
            raise _refused("X-Signature does not fit the body")
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
