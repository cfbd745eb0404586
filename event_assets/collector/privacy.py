"""What is kept of an IP address before it is first written. Refused consent is in `contract/consent.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from event_assets.enrichment.ip import mask_ip
from event_assets.settings import Settings


def ip_rule(settings: Settings) -> Callable[[str], str | None]:
    """A function from an IP address to what may be kept of it, by `ip_privacy`; None: nothing."""
    if settings.ip_privacy == "hash" and settings.ip_hash_key is None:
        raise ValueError("ip_privacy is 'hash' and there is no ip_hash_key")
    key = settings.ip_hash_key.get_secret_value().encode() if settings.ip_hash_key else b""
    return lru_cache(maxsize=65_536)(partial(mask_ip, mode=settings.ip_privacy, key=key))
