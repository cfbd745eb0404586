"""Country of an IP address, from the registries' allocations, which the iptocc package carries.

Nothing is asked online. It is the country that the address is registered in: right for some 95 of 100 addresses.
"""

from __future__ import annotations

import ipaddress
import re

import iptocc

_HASH = re.compile(r"[0-9a-f]{32,128}")


class BadAddress(ValueError):
    """The text is neither an IP address nor the hash of one."""


def country_of(ip: str | None) -> str | None:
    """ISO 3166-1 alpha-2 code of the country; None for private and unallocated addresses and for hashed ones.

    Raises `BadAddress`.

    >>> country_of("8.8.8.0"), country_of("10.0.0.1")
    ('US', None)
    """
    if not ip:
        return None
    country = iptocc.country_code(ip)
    if country is not None or _HASH.fullmatch(ip):
        return country
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        raise BadAddress("no IP address") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return iptocc.country_code(str(mapped or address))
