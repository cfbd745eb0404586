"""Who is asking and whether they may: write key, signature, web origin, rates. Decides about requests, not events."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.types import Scope

from event_assets.collector.errors import RequestRefused
from event_assets.collector.keys import KeyFileError, Source, WriteKeys
from event_assets.collector.limits import CollectorLimits, TokenBuckets
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.signatures import SignatureCheck, Signed
from event_assets.contract.consent import opts_out

_MAX_PARAMETERS = 200
PRIVACY_RATE = 5.0
"""Requests of people a second, of a key that has no rate of its own."""


class Caller:
    """One request's headers, address and query, as far as they matter here."""

    __slots__ = ("address", "headers", "method", "path", "query", "query_string", "scheme")

    def __init__(self, scope: Scope) -> None:
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope["scheme"]
        self.query_string: bytes = scope.get("query_string", b"")
        self.query = _query(self.query_string) if self.query_string else {}

    @property
    def origin(self) -> str | None:
        """The web origin that a browser names."""
        return self.headers.get("origin")

    @property
    def opts_out(self) -> bool:
        """Whether the browser says that its person is not to be sold or shared (Global Privacy Control)."""
        return opts_out(self.headers)

    def write_key(self) -> str:
        """The write key: `X-Write-Key`, a bearer token, the user name of basic authorisation, or `?write_key=`.

        The query is for `sendBeacon` and the pixel, which can set no header. Empty where there is none.
        """
        if key := self.headers.get("x-write-key"):
            return key
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return credentials.strip()
        if scheme.lower() == "basic":
            return _basic_user(credentials)
        return self.query.get("write_key", [""])[0]

    def read_key(self) -> str:
        """The read key: `X-Read-Key`, or a bearer token. It is no part of an address, which logs keep."""
        if key := self.headers.get("x-read-key"):
            return key
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        return credentials.strip() if scheme.lower() == "bearer" else ""


def _query(query: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(query.decode("latin-1"), max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise RequestRefused(400, "bad_query", f"a query may have {_MAX_PARAMETERS} parameters") from None


def _basic_user(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


class Access:
    """Lets requests in or refuses them."""

    def __init__(self, keys: WriteKeys, limits: CollectorLimits, metrics: CollectorMetrics) -> None:
        self._keys = keys
        self._limits = limits
        self._metrics = metrics
        self._by_address = TokenBuckets(limits)
        self._by_key = TokenBuckets(limits)
        self._signatures = SignatureCheck()

    def source_of(self, caller: Caller) -> Source:
        """The source that the request names, before its body is read. Raises 401, 403, 429; 503 without any keys."""
        self.limit_address(caller)
        return self.source_of_key(caller.write_key(), caller)

    def source_of_key(self, key: str, caller: Caller) -> Source:
        """The source of a key that the caller gave in whatever way. Raises 401, 403; 503 without any keys."""
        try:
            source = self._keys.find_signing(key) if "x-signature" in caller.headers else self._keys.find(key)
        except KeyFileError:
            raise RequestRefused(503, "keys_unreadable", "the collector cannot read its write keys", 5) from None
        if source is None:
            raise RequestRefused(401, "unknown_write_key", "the write key is missing, unknown, revoked or must sign")
        if caller.origin is not None and not source.allows_origin(caller.origin):
            raise RequestRefused(403, "origin_not_allowed", "pages of this origin may not send with this key")
        return source

    def reader_of(self, caller: Caller) -> Source:
        """Who asks for segments, by a read key. Raises 401, 403, 429; 503 without any keys."""
        self.limit_address(caller)
        try:
            source = self._keys.find_reading(caller.read_key())
        except KeyFileError:
            raise RequestRefused(503, "keys_unreadable", "the collector cannot read its keys", 5) from None
        if source is None:
            raise RequestRefused(401, "unknown_read_key", "the read key is missing, unknown, revoked, or cannot read")
        if caller.origin is not None and not source.allows_origin(caller.origin):
            raise RequestRefused(403, "origin_not_allowed", "pages of this origin may not read with this key")
        return source

    def privacy_source_of(self, caller: Caller) -> Source:
        """Who says what people ask for, by a key of that scope; its signature and rate are yet to be checked. Raises
        401, 403, 429; 503 without any keys."""
        self.limit_address(caller)
        try:
            source = self._keys.find_for_privacy(caller.write_key())
        except KeyFileError:
            raise RequestRefused(503, "keys_unreadable", "the collector cannot read its keys", 5) from None
        if source is None:
            raise RequestRefused(401, "unknown_privacy_key", "the key is missing, unknown, revoked or of another scope")
        if caller.origin is not None:
            raise RequestRefused(403, "origin_not_allowed", "no page may ask with this key")
        return source

    def limit_requests(self, source: Source) -> None:
        """Takes one request of a person from the key's rate. Raises 429 with the seconds to wait."""
        self._limit(source, 1, "the key is over its rate", PRIVACY_RATE)

    def limit_reads(self, source: Source, people: int) -> None:
        """Takes the people asked for from the key's rate. Raises 429 with the seconds to wait."""
        self._limit(source, people, "the read key is over its rate")

    def check_signature(self, source: Source, caller: Caller, body: bytes) -> None:
        """Refuses the request of a source that signs unless the signature fits."""
        if source.signing_secret is not None:
            encoding = caller.headers.get("content-encoding", "")
            request = Signed(caller.method, caller.path, caller.query_string, encoding, body)
            self._signatures.check(source.id, source.signing_secret, caller.headers, request)

    def limit_events(self, source: Source, events: int) -> None:
        """Takes the events from the key's rate. Raises 429 with the seconds to wait."""
        self._limit(source, events, "the write key is over its rate")

    def _limit(self, source: Source, tokens: int, words: str, usual: float | None = None) -> None:
        rate = source.events_per_second or usual
        if rate is None:
            return
        wait = self._by_key.take(source.id, tokens, rate)
        if wait > 0:
            self._metrics.throttled.labels("key").inc()
            raise RequestRefused(429, "key_rate", words, wait)

    def allows_origin(self, origin: str) -> bool:
        """Whether any key allows pages of this origin; a CORS preflight names no key."""
        with suppress(KeyFileError):
            return self._keys.allows_origin(origin)
        return False

    def names_origin(self, origin: str) -> bool:
        """Whether any key allows this origin by its name, and it is one site's: `null` is anybody's."""
        return origin != "null" and self._keys.names_origin(origin)

    def limit_address(self, caller: Caller) -> None:
        """Takes one request from the address's rate. Raises 429 with the seconds to wait."""
        rate = self._limits.ip_requests_per_second
        if rate <= 0:
            return
        wait = self._by_address.take(neighbourhood(caller.address), 1, rate)
        if wait > 0:
            self._metrics.throttled.labels("ip").inc()
            raise RequestRefused(429, "ip_rate", "too many requests from this address", wait)


def neighbourhood(address: str) -> str:
    """Whom a rate is for: an IPv4 address, or the /64 of an IPv6 one, which is one customer's to choose from."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        return address
