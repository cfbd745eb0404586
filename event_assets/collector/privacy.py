"""What is kept of an IP address before it is first written. Refused consent is in `contract/consent.py`."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from functools import lru_cache

from event_assets.settings import Settings


def ip_rule(settings: Settings) -> Callable[[str], str | None]:
    """A function from an IP address to what may be kept of it; None: nothing.

    `truncate` keeps the first 24 bits of IPv4 and 48 of IPv6, `hash` an HMAC-SHA-256 that only the key's owner can
    repeat. What is no address is dropped, save where addresses are kept.
    """
    if settings.ip_privacy == "keep":
        return lambda address: address or None
    if settings.ip_privacy == "truncate":
        return lru_cache(maxsize=65_536)(_truncated)
    if settings.ip_hash_key is None:
        raise ValueError("ip_privacy is 'hash' and there is no ip_hash_key")
    key = settings.ip_hash_key.get_secret_value().encode()

    def hashed(address: str) -> str | None:
        parsed = _parsed(address)
        return hmac.new(key, parsed.packed, hashlib.sha256).hexdigest()[:32] if parsed else None

    return lru_cache(maxsize=65_536)(hashed)


def _truncated(address: str) -> str | None:
    parsed = _parsed(address)
    if parsed is None:
        return None
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False).network_address)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
