from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.enrichment.ip import MODES, IpPrivacy, mask_ip
from event_assets.enrichment.location import locate

V6 = "2001:db8:85a3:8d3:1319:8a2e:370:7348"


@pytest.mark.parametrize(
    ("mode", "address", "kept"),
    [
        ("keep", "203.0.113.77", "203.0.113.77"),
        ("keep", V6, V6),
        ("truncate", "203.0.113.77", "203.0.113.0"),
        ("truncate", V6, "2001:db8:85a3::"),
        ("truncate", "::1", "::"),
        ("mask", "203.0.113.77", "203.0.113.x"),
        ("mask", V6, "2001:db8:85a3:x:x:x:x:x"),
        ("mask", "::1", "0:0:0:x:x:x:x:x"),
        ("truncate", "2001:DB8:0085:0:0:0:0:1", "2001:db8:85::"),
        ("mask", "2001:DB8:0085::1", "2001:db8:85:x:x:x:x:x"),
        ("truncate", "::203.0.113.77", "::"),
    ],
)
def test_an_address_is_kept_truncated_or_masked(mode: IpPrivacy, address: str, kept: str) -> None:
    assert mask_ip(address, mode) == kept


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("written", ["::ffff:203.0.113.77", "::FFFF:cb00:714d", "0:0:0:0:0:ffff:203.0.113.77"])
def test_a_mapped_address_is_the_ipv4_address_that_it_is(mode: IpPrivacy, written: str) -> None:
    assert mask_ip(written, mode, b"k") == mask_ip("203.0.113.77", mode, b"k")


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("address", ["fe80::1ff:fe23:4567:890a", "::ffff:203.0.113.77"])
def test_the_zone_of_an_address_is_not_kept(mode: IpPrivacy, address: str) -> None:
    assert mask_ip(f"{address}%eth0", mode, b"k") == mask_ip(address, mode, b"k")


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("text", ["", "nowhere", "300.1.1.1", "203.0.113", "::1::", "1.2.3.4/24"])
def test_nothing_is_kept_of_what_is_no_address(mode: IpPrivacy, text: str) -> None:
    assert mask_ip(text, mode, b"k") is None


def test_a_hash_is_the_same_for_the_same_key_and_address_only() -> None:
    first = mask_ip("203.0.113.77", "hash", b"a")
    assert first == mask_ip("203.0.113.77", "hash", b"a")
    assert first not in (mask_ip("203.0.113.77", "hash", b"b"), mask_ip("203.0.113.78", "hash", b"a"))
    with pytest.raises(ValueError, match="hashed with a key"):
        mask_ip("203.0.113.77", "hash")


@given(st.ip_addresses(v=4).map(str), st.integers(0, 255))
def test_the_last_octet_is_never_told(address: str, other: int) -> None:
    neighbour = f"{address.rpartition('.')[0]}.{other}"
    assert mask_ip(address) == mask_ip(neighbour)
    assert mask_ip(address, "mask") == mask_ip(neighbour, "mask")


@given(st.ip_addresses(v=6), st.integers(0, 2**80 - 1))
def test_the_last_80_bits_are_never_told(address: Any, other: int) -> None:
    neighbour = ipaddress.IPv6Address((int(address) >> 80 << 80) | other)
    if not (address.ipv4_mapped or neighbour.ipv4_mapped):
        assert mask_ip(str(address)) == mask_ip(str(neighbour))
        assert mask_ip(str(address), "mask") == mask_ip(str(neighbour), "mask")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("203.0.113.77:443", "203.0.113.0"),
        ("[2001:db8:85a3::1]:443", "2001:db8:85a3::"),
        ("[2001:db8:85a3::1]", "2001:db8:85a3::"),
        ("203.0.113.77:port", None),
    ],
)
def test_the_port_beside_an_address_is_no_part_of_it(text: str, kept: str | None) -> None:
    assert mask_ip(text) == kept
    if kept:
        assert locate(text) == locate(kept)
