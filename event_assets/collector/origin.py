"""A content delivery network in front of the ingest API on AWS Lambda: that a request came through it, and from whom.

Without it, an HTTP API has no firewall. Whoever finds the API's own address must not get in there.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

HEADER = "X-Origin-Verify"
"""By which the network says the secret. It takes the place of what a client sends under that name."""


class Origin:
    """The API behind a network that says this secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def admitted(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """The request of API Gateway (payload 2.0) as if its sender had sent it to the API: from its own address, and
        without the secret. None where it did not come through the network."""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        said = headers.pop(HEADER.lower(), "")
        if not hmac.compare_digest(said.encode(errors="replace"), self._secret):
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
