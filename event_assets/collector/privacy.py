"""What is kept of an IP address, and of what identifies a person, before it is first written. Refused consent is in
`contract/consent.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from event_assets.contract.placeholders import Placeholders
from event_assets.enrichment.ip import mask_ip
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.enrichment.sealing import Sealing
from event_assets.settings import Settings


def ip_rule(settings: Settings) -> Callable[[str], str | None]:
    """A function from an IP address to what may be kept of it, by `ip_privacy`; None: nothing."""
    if settings.ip_privacy == "hash" and settings.ip_hash_key is None:
        raise ValueError("ip_privacy is 'hash' and there is no ip_hash_key")
    key = settings.ip_hash_key.get_secret_value().encode() if settings.ip_hash_key else b""
    return lru_cache(maxsize=65_536)(partial(mask_ip, mode=settings.ip_privacy, key=key))


def sealing_of(settings: Settings) -> Sealing | None:
    """What puts pseudonyms into events, by `pii_at`; None where they are written as they come."""
    pseudonyms = _pseudonyms(settings) if settings.pii_at == "collector" else None
    return Sealing(pseudonyms, Placeholders(settings.placeholders)) if pseudonyms else None


def known_as_rule(settings: Settings) -> Callable[[str], str]:
    """A function from the id that somebody asks for to the one that tables have."""
    pseudonyms = _pseudonyms(settings)
    return pseudonyms.of if pseudonyms and pseudonyms.replace_ids else str


def _pseudonyms(settings: Settings) -> Pseudonyms | None:
    if settings.pii_key is None or not settings.pii_fields:
        return None
    return Pseudonyms.of_setting(settings.pii_fields, settings.pii_key.get_secret_value())
