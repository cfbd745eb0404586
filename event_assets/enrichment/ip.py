"""What is kept of an IP address. Where it is in the world is told in `location`.

The ingest API does this before the first write; nothing here needs an engine.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from typing import Literal

IpPrivacy = Literal["keep", "truncate", "mask", "hash"]

MODES: tuple[IpPrivacy, ...] = ("keep", "truncate", "mask", "hash")
_KEPT_BITS = {4: 24, 6: 48}
"""All but the last octet of IPv4, all but the last 80 bits of IPv6."""


_WITH_PORT = re.compile(r"(?P<v4>[0-9.x]+):\d{1,5}|\[(?P<v6>[^\[\]]+)\](?::\d{1,5})?")


def mask_ip(address: str, mode: IpPrivacy = "truncate", key: bytes = b"") -> str | None:
    """What may be kept of an IP address; None: nothing, because the text is no address.

    - `keep`: all of it, as it was sent.
    - `truncate`: the last octet of IPv4 and the last 80 bits of IPv6 become zero.
    - `mask`: the same parts become `x`, so that nobody takes it for a whole address.
    - `hash`: 32 hexadecimal digits of an HMAC-SHA-256, which only the key's owner can repeat.

    An IPv4 address written as an IPv6 one is taken for what it is. Raises `ValueError` for `hash` without a key.

    >>> mask_ip("203.0.113.77"), mask_ip("2001:db8:85a3:8d3:1319:8a2e:370:7348")
    ('203.0.113.0', '2001:db8:85a3::')
    >>> mask_ip("203.0.113.77", "mask"), mask_ip("2001:db8:85a3:8d3:1319:8a2e:370:7348", "mask")
    ('203.0.113.x', '2001:db8:85a3:x:x:x:x:x')
    >>> mask_ip("203.0.113.77", "hash", key=b"secret")
    'b75a9741e025dea05d45d8808e0c0064'
    """
    if mode == "keep":
        return address or None
    if mode == "hash" and not key:
        raise ValueError("an IP address is hashed with a key, and there is none")
    parsed = parse_ip(address)
    if parsed is None:
        return None
    if mode == "hash":
        return hmac.new(key, parsed.packed, hashlib.sha256).hexdigest()[:32]
    if mode == "mask":
        return _with_crosses(parsed)
    return str(ipaddress.ip_network((parsed, _KEPT_BITS[parsed.version]), strict=False).network_address)


def parse_ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is, a mapped IPv4 address as what it is; None where it is none.

    The zone of an IPv6 address (`fe80::1%eth0`) is the name of a network card: it is left out.
    """
    try:
        parsed = ipaddress.ip_address(without_port(address))
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    return parsed.ipv4_mapped or ipaddress.IPv6Address(parsed.packed)


def without_port(address: str) -> str:
    """The address that a proxy or a log wrote with its port, and in brackets where it is an IPv6 one.

    >>> without_port("203.0.113.77:443"), without_port("[2001:db8::1]:443"), without_port("2001:db8::1")
    ('203.0.113.77', '2001:db8::1', '2001:db8::1')
    """
    found = _WITH_PORT.fullmatch(address) if ":" in address or "[" in address else None
    return address if found is None else found["v4"] or found["v6"]


def _with_crosses(parsed: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if parsed.version == 4:
        return ".".join([*str(parsed).split(".")[:3], "x"])
    kept = [group.lstrip("0") or "0" for group in parsed.exploded.split(":")[:3]]
    return ":".join([*kept, *"xxxxx"])
