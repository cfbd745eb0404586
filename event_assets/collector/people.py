"""Which segments somebody is in, for the front end that asks: who asks, for whom, what they may be told, the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
from starlette.types import Receive, Scope, Send

from event_assets.collector import bodies
from event_assets.collector.access import Access, Caller
from event_assets.collector.buffer import Reservation
from event_assets.collector.errors import RequestRefused
from event_assets.collector.ingest import Header, Ingest
from event_assets.collector.keys import Source
from event_assets.collector.limits import CollectorLimits
from event_assets.online import Found, OnlineError, OnlineTable

MOST_IDS = 100
LONGEST_ID = 512
_JSON: Header = (b"content-type", b"application/json")
_THREADS, _FEW_IDS = 4, 10
_encode = msgspec.json.Encoder().encode


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str]


class PeopleSegments:
    """Answers from the online table. Where it is slow or not there, events are taken as ever."""

    def __init__(
        self,
        ingest: Ingest,
        access: Access,
        online: OnlineTable,
        limits: CollectorLimits,
        known_as: Callable[[str], str] = str,
    ) -> None:
        self._known_as = known_as
        self._ingest = ingest
        self._access = access
        self._online = online
        self._limits = limits
        self._threads: ThreadPoolExecutor | None = None

    def stop(self) -> None:
        """Ends the threads; the next request starts others."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def one(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/people/{id}/segments`, and its preflight."""
        await self._ingest.serve(scope, receive, send, partial(self._one, scope))

    async def several(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/people/segments`, and its preflight."""
        await self._ingest.serve(scope, receive, send, self._several)

    async def _one(
        self, scope: Scope, caller: Caller, receive: Receive, held: Reservation
    ) -> tuple[int, Header, bytes]:
        source = self._access.reader_of(caller)
        [person], made_at = await self._found(source, [scope["path_params"]["id"]])
        return 200, _JSON, _encode({**person, "as_of": made_at})

    async def _several(self, caller: Caller, receive: Receive, held: Reservation) -> tuple[int, Header, bytes]:
        source = self._access.reader_of(caller)
        body = await bodies.read_body(receive, self._limits, held.grow)
        try:
            ids = msgspec.json.decode(body, type=_Asked).ids
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise RequestRefused(400, "bad_body", 'the body must be such as {"ids": ["u-1", "u-2"]}') from None
        people, made_at = await self._found(source, ids)
        return 200, _JSON, _encode({"people": people, "as_of": made_at})

    async def _found(self, source: Source, ids: Sequence[str]) -> tuple[list[dict[str, object]], str]:
        if not 0 < len(ids) <= MOST_IDS:
            raise RequestRefused(400, "bad_ids", f"from 1 to {MOST_IDS} ids can be asked for at once")
        if not all(map(is_id, ids)):
            raise RequestRefused(400, "bad_ids", f"an id is a text of 1 to {LONGEST_ID} characters")
        self._access.limit_reads(source, len(ids))
        try:
            found = await self._find([*map(self._known_as, ids)])
        except OnlineError:
            raise RequestRefused(503, "segments_unavailable", "who is in which segment is not known now", 30) from None
        people: list[dict[str, object]] = [
            {
                "id": id_,
                "segments": [
                    {"segment": stay.name, "since": stay.value}
                    for stay in found.facts[self._known_as(id_)]
                    if source.may_read(stay.name)
                ],
            }
            for id_ in ids
        ]
        return people, found.made_at.isoformat()

    async def _find(self, ids: Sequence[str]) -> Found:
        """In a thread, but for a few ids in a file: the look takes a fifth of what another thread's turn does."""
        if not self._online.waits and len(ids) <= _FEW_IDS:
            return self._online.find(ids)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "segments")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._online.find, ids)


def is_id(text: str) -> bool:
    """Whether an id can be asked for."""
    if not 0 < len(text) <= LONGEST_ID or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
