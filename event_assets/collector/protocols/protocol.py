"""What a protocol is to the collector: routes, each of which reads a request and says what success looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from event_assets.contract.event import Platform

OWN_PROTOCOL = "event_assets"
"""What the ingest API's own way of sending is called beside the others."""


class Request(NamedTuple):
    """What a client sent: the path without a slash at its end, headers in lower case, the body unpacked.

    `base` is the address that the client called, such as `https://collect.example.com`; `received_at` is when, as
    RFC 3339: of clients that never say when they send it stands for that. `place`: where the request stands, if it is
    one of a file, which can be read again.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    base: str = ""
    received_at: str = ""
    place: str = ""

    def parameter(self, name: str) -> str:
        """The last value of a query parameter; empty where there is none."""
        return self.query[name][-1] if name in self.query else ""


class Answer(NamedTuple):
    """What a client takes for success."""

    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Lines:
    """Events on one text: so many JSON objects, each with a line break behind it, and no other break anywhere."""

    text: bytes
    count: int

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.text[:-1].split(b"\n"))


class Unreadable(ValueError):
    """The body is no request of the protocol, so that no event can be told from another. The message says why."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way in.

    `key` finds the write key where only the protocol knows to look (path, query, body). `events` gives the events of a
    request of a source of that platform, each a JSON text on one line: what breaks the contract is left for the
    verdict. It raises `Unreadable` alone. What a body says once for all its events may be large, so each is made when
    it is asked for, and who asks may stop; `Lines` are made at once. A route without `events` only answers.
    `is_anonymous`: the client asks that its address is not kept. `too_fast` is the status of what is over a rate: 503
    where SDKs send that again, and drop what is answered 429.
    """

    protocol: str
    answer: Callable[[Request], Answer]
    events: Callable[[Request, Platform], Iterable[bytes]] | None = None
    key: Callable[[Request], str] = lambda request: ""
    methods: tuple[str, ...] = ("POST",)
    is_anonymous: Callable[[Request], bool] = lambda request: False
    too_fast: int = 429
