"""A message to an address that people gave: only to what may be reached, and nowhere else.

The address that a name leads to is looked up once and judged, and just that one is connected to, so that no second
look-up leads elsewhere. Redirects are not followed, and no proxy of the environment, which would look up itself, is
used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence

import httpcore

from event_assets.webhooks.attempts import NotTaken, Passing, require_taken

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
_SECONDS = 10.0
_TIMEOUT = {"connect": _SECONDS, "read": _SECONDS, "write": _SECONDS, "pool": _SECONDS}
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that stand for IPv4 ones (RFC 6052)."""
_MOST_SAID = 1_000


def post(url: str, body: bytes, headers: Mapping[str, str], reachable: Networks = ()) -> None:
    """Posts JSON. Private, loopback, link-local and other addresses that are not the internet's are refused, but for
    those in `reachable`. Raises `Passing` where it may be taken later, `NotTaken` where it is refused."""
    given = [("Content-Type", "application/json"), ("User-Agent", "event-assets"), *headers.items()]
    judging, trusted = _Judging(reachable), ssl.create_default_context()
    try:
        with (
            httpcore.ConnectionPool(ssl_context=trusted, network_backend=judging) as pool,
            pool.stream("POST", url, headers=given, content=body, extensions={"timeout": _TIMEOUT}) as answer,
        ):
            said = next(iter(answer.iter_stream()), b"")[:_MOST_SAID].decode("utf-8", "replace")
            told = {name.lower(): value for name, value in answer.headers}
            after = told.get(b"retry-after", b"").decode("latin-1")
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as fault:
        raise Passing(str(fault) or type(fault).__name__) from None
    require_taken(answer.status, said, after)


class _Judging(httpcore.NetworkBackend):
    """Connects to the addresses that it judged itself."""

    def __init__(self, reachable: Networks) -> None:
        self._reachable = reachable
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = str(judged(host, port, self._reachable))
        return self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        raise NotTaken("a socket of this machine is no address of a webhook")


def judged(host: str, port: int, reachable: Networks) -> Address:
    """The first address that a name leads to. Raises `NotTaken` where one of them may not be reached, `Passing` where
    there is none just now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Passing("its name leads to no address") from None
    addresses = [ipaddress.ip_address(str(place[0])) for *_, place in found]
    for address in addresses:
        if not _is_reachable(address, reachable):
            raise NotTaken(
                f"it leads to {address}, which is no address of the internet; name the network in "
                "EVENT_ASSETS_SEGMENT_WEBHOOK_NETWORKS, if it may be reached"
            )
    return addresses[0]


def _is_reachable(address: Address, reachable: Networks) -> bool:
    if any(address in network for network in reachable):
        return True
    return all(each.is_global and not each.is_multicast for each in _meant(address))


def _meant(address: Address) -> Iterator[Address]:
    """The address, and those that it stands for."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        within = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        yield from (each for each in within if each is not None)
