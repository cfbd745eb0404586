"""What people ask for, through the ingest API: `POST /v1/privacy/requests` queues it, `GET …/{id}` says how far it is.

Only a key of this scope may, and every request is signed. The collector reads no table and writes nothing but the
queue: a run takes it up, and enters it into the audit log.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec
from starlette.types import Receive, Scope, Send

from event_assets.collector import bodies
from event_assets.collector.access import Access, Caller
from event_assets.collector.buffer import Reservation
from event_assets.collector.errors import RequestRefused
from event_assets.collector.ingest import Header, Ingest
from event_assets.collector.keys import Source
from event_assets.collector.limits import CollectorLimits
from event_assets.lake.asked import Asked, keep_asked, read_asked
from event_assets.lake.storage import Storage

log = logging.getLogger(__name__)

MOST_NAMES = 20
LONGEST_NAME = 512
_JSON: Header = (b"content-type", b"application/json")
_encode = msgspec.json.encode


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["erasure", "access"]
    user_ids: list[str] = []
    anonymous_ids: list[str] = []
    emails: list[str] = []
    device_events: Literal["keep", "erase"] = "keep"
    linked_users: Literal["keep", "erase"] | None = None


class PrivacyRequests:
    """Queues what people ask for, and answers how far it is."""

    def __init__(
        self,
        ingest: Ingest,
        access: Access,
        storage: Storage | None,
        limits: CollectorLimits,
        deadline_days: int,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._ingest = ingest
        self._access = access
        self._storage = storage
        self._limits = limits
        self._deadline = dt.timedelta(days=deadline_days)
        self._clock = clock

    async def ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/privacy/requests`."""
        await self._ingest.serve(scope, receive, send, self._ask)

    async def state(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/privacy/requests/{id}`."""
        await self._ingest.serve(scope, receive, send, partial(self._state, scope))

    async def _ask(self, caller: Caller, receive: Receive, held: Reservation) -> tuple[int, Header, bytes]:
        source = self._access.privacy_source_of(caller)
        body = await bodies.read_body(receive, self._limits, held.grow)
        self._let_in(source, caller, body)
        try:
            wanted = msgspec.json.decode(body, type=_Wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            detail = 'the body must be such as {"kind": "erasure", "user_ids": ["u-1"]}'
            raise RequestRefused(400, "bad_body", detail) from None
        names = [*wanted.user_ids, *wanted.anonymous_ids, *wanted.emails]
        if not 0 < len(names) <= MOST_NAMES or not all(map(_is_name, names)):
            detail = f"from 1 to {MOST_NAMES} ids and addresses of one person, each of 1 to {LONGEST_NAME} characters"
            raise RequestRefused(400, "bad_names", detail)
        asked = self._asked(wanted, source, caller)
        try:
            asked = await asyncio.to_thread(keep_asked, self._queue(), asked)
        except OSError as fault:
            log.error("a request of a person was not kept", extra={"reason": str(fault)})
            raise RequestRefused(503, "queue_unavailable", "the request was not kept; send it again", 30) from None
        return 202, _JSON, _told(asked)

    async def _state(
        self, scope: Scope, caller: Caller, receive: Receive, held: Reservation
    ) -> tuple[int, Header, bytes]:
        source = self._access.privacy_source_of(caller)
        self._let_in(source, caller, b"")
        try:
            queue = self._queue()
            asked = await asyncio.to_thread(read_asked, queue, scope["path_params"]["id"])
        except OSError as fault:
            # S3 says so of an object that is not there to whoever may not list the others.
            if "ACCESS_DENIED" not in str(fault):
                raise RequestRefused(503, "queue_unavailable", "the requests cannot be read now", 30) from None
            asked = None
        if asked is None or asked.by != source.id:
            raise RequestRefused(404, "not_found", "this key made no request of this id")
        return 200, _JSON, _told(asked)

    def _let_in(self, source: Source, caller: Caller, body: bytes) -> None:
        """The rate after the signature: who only knows the key's id takes nothing from it."""
        self._access.check_signature(source, caller, body)
        self._access.limit_requests(source)

    def _asked(self, wanted: _Wanted, source: Source, caller: Caller) -> Asked:
        now = self._clock()
        # The same request is the same one for every process that takes it, and its id is nobody's guess.
        said = f"{source.id}\n{caller.headers['x-signature']}"
        sent = dt.datetime.fromtimestamp(int(caller.headers["x-timestamp"]), dt.UTC)
        id_ = f"{sent:%Y%m%d}-{hashlib.sha256(said.encode()).hexdigest()[:24]}"
        return Asked(
            id_,
            wanted.kind,
            now,
            now + self._deadline,
            source.id,
            tuple(wanted.user_ids),
            tuple(wanted.anonymous_ids),
            tuple(wanted.emails),
            wanted.device_events,
            wanted.linked_users,
        )

    def _queue(self) -> Storage:
        if self._storage is None:
            raise RequestRefused(503, "no_queue", "this collector is told of no lake: set EVENT_ASSETS_LAKE_URL", 300)
        return self._storage


def _told(asked: Asked) -> bytes:
    told = {"id": asked.id, "kind": asked.kind, "state": asked.shown, "due": f"{asked.due:%Y-%m-%d}"}
    return _encode({**told, "note": asked.note} if asked.note else told)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NAME and "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
