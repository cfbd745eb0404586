"""How a receiver tells that a message is ours, new, and one that it has: the three headers of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

_PREFIX = "whsec_"


def headers_of(secret: str, id_: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The headers of a message: its id, which is the same whenever it is sent again, the moment of sending in seconds
    since 1970, and the HMAC-SHA256 of both and the body by the receiver's secret,
    which is `whsec_` and base64."""
    signed = f"{id_}.{seconds}.".encode() + body
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
