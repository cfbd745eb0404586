"""A content delivery network in front of the ingest API on AWS Lambda: that a request came through it, and from whom.

Without it, an HTTP API has no firewall. Whoever finds the API's own address must not get in there. The secret by which
the network is known is changed while requests come: what holds then is the new one and the one before.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

HEADER = "X-Origin-Verify"
"""By which the network says the secret. It takes the place of what a client sends under that name."""


REFRESH_SECONDS = 30.0
"""How soon the secrets may be asked for again. Whoever changes one lets more pass before the network says it."""


class Origin:
    """The API behind a network that says one of these secrets: those that `read` gives. It is asked again when somebody
    says another, since that may be a new one. `clock` gives seconds."""

    def __init__(self, read: Callable[[], Sequence[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._clock = read, clock
        self._refresh()

    def _refresh(self) -> None:
        self._asked = self._clock()
        self._secrets = [secret.encode() for secret in self._read()]

    def _holds(self, said: bytes) -> bool:
        return any(hmac.compare_digest(said, secret) for secret in self._secrets)

    def admitted(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """The request of API Gateway (payload 2.0) as if its sender had sent it to the API: from its own address, and
        without the secret. None where it did not come through the network. Raises what `read` does: who says a secret
        that is not known yet is told to come again, not that they may not."""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        said = headers.pop(HEADER.lower(), "").encode(errors="replace")
        if said and not self._holds(said) and self._clock() - self._asked >= REFRESH_SECONDS:
            self._refresh()
        if not self._holds(said):
            return None
        context = event["requestContext"]
        network = context["http"]["sourceIp"]
        called = {**context["http"], "sourceIp": _sender(headers.get("x-forwarded-for", ""), network)}
        return {**event, "headers": headers, "requestContext": {**context, "http": called}}


def _sender(forwarded: str, network: str) -> str:
    """Whom the network was called by: what it added to the end of X-Forwarded-For, to which API Gateway adds the
    network's address. What stands before that is a client's own word."""
    addresses = [each.strip() for each in forwarded.split(",") if each.strip()]
    if addresses and addresses[-1] == network:
        addresses.pop()
    return addresses[-1] if addresses else network
