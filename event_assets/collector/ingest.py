"""The way of a request: who asks, its body, verdicts, one durable write, the answer. Each step has its own module."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import msgspec
from starlette.types import Receive, Scope, Send

from event_assets.collector import bodies, pixel
from event_assets.collector.access import Access, Caller
from event_assets.collector.buffer import BufferBudget, GroupCommit, Reservation
from event_assets.collector.compression import unpack
from event_assets.collector.errors import RequestRefused
from event_assets.collector.fast_path import Batch
from event_assets.collector.keys import Source
from event_assets.collector.limits import CollectorLimits, retry_after_seconds
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.offload import Offload
from event_assets.collector.protocols.protocol import OWN_PROTOCOL, Lines, Route
from event_assets.collector.stamp import Stamp
from event_assets.collector.translation import events_of, request_of, set_aside
from event_assets.collector.validator import Validated, Validator
from event_assets.collector.verdicts import Status, Verdicts

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]
_encode = msgspec.json.Encoder().encode
_JSON: Header = (b"content-type", b"application/json")
_GIF: Header = (b"content-type", b"image/gif")
_NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_FORM_TYPE = "application/x-www-form-urlencoded"
"""What `curl -d` says of any body. A page may send it to another site unasked, as it may text/plain: what protects is
the key, and the origins that it allows."""
_BODY_TYPES = ("application/json", "text/plain", _FORM_TYPE, *_NDJSON_TYPES)
_RETRY_LATER: list[Header] = [(b"retry-after", b"5")]
_GZIP = b"\x1f\x8b\x08"
_PACKED = 4
"""A packed body is worth as much work as a text of so many times its bytes."""
_PREFLIGHT: list[Header] = [
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-max-age", b"7200"),
]
_HEADERS = (
    *("authorization", "content-type", "content-encoding", "x-write-key", "x-read-key"),
    *("x-timestamp", "x-nonce", "x-signature"),
)
"""Headers that a page may send, beside those that it asks for: SDKs have their own, and none of them gives a right."""
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")


class Refusal(msgspec.Struct):
    """The answer to a request that was refused as a whole; `code`, `message` and `status` are what other SDKs look
    for."""

    error: str
    detail: str
    code: str
    message: str
    status: int = 0


Take = Callable[[Caller, Receive, Reservation], Awaitable[tuple[int, Header, bytes]]]
"""Takes what a request carries; gives status, content type and body of its answer."""


class Ingest:
    """Takes events from requests to the stream."""

    def __init__(
        self,
        access: Access,
        validator: Validator,
        commit: GroupCommit,
        offload: Offload,
        budget: BufferBudget,
        limits: CollectorLimits,
        metrics: CollectorMetrics,
        keep_of_ip: Callable[[str], str | None],
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._access = access
        self._validator = validator
        self._commit = commit
        self._offload = offload
        self._budget = budget
        self._limits = limits
        most = limits.translated_bytes
        self._of_others = replace(limits, body_bytes=most, unpacked_bytes=max(most, limits.unpacked_bytes))
        self._metrics = metrics
        self._keep_of_ip = keep_of_ip
        self._clock = clock

    async def events(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/events`, and its preflight."""
        await self.serve(scope, receive, send, self._post)

    async def pixel(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/pixel.gif`."""
        await self.serve(scope, receive, send, self._pixel)

    async def translate(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """A request of another SDK, and its preflight."""
        await self.serve(scope, receive, send, partial(self._translate, route))

    async def serve(self, scope: Scope, receive: Receive, send: Send, take: Take) -> None:
        """Answers a request, or its preflight, with what `take` makes of it, or why it is refused."""
        began = time.perf_counter()
        cors: list[Header] = []
        held = self._budget.reserve()
        try:
            caller = Caller(scope)
            cors = self._cors(caller)
            if scope["method"] == "OPTIONS":
                await _send(send, 204, b"", self._preflight(caller, cors))
            else:
                status, content_type, body = await take(caller, receive, held)
                headers = [content_type, *cors, *_RETRY_LATER] if status == 503 else [content_type, *cors]
                await _send(send, status, body, headers)
        except bodies.ClientGone:
            return
        except RequestRefused as refused:
            self._note(refused)
            await _send(send, refused.status, *_refusal(refused, cors))
        finally:
            held.release()
            self._metrics.request_seconds.observe(time.perf_counter() - began)

    async def _post(self, caller: Caller, receive: Receive, held: Reservation) -> tuple[int, Header, bytes]:
        source = self._access.source_of(caller)
        kind = caller.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind not in _BODY_TYPES:
            raise RequestRefused(415, "unsupported_type", f"Content-Type may be {', '.join(_BODY_TYPES)}")
        body = await bodies.read_body(receive, self._limits, held.grow)
        self._access.check_signature(source, caller, body)
        text = await self._unpacked(body, caller.headers.get("content-encoding", ""), self._limits)
        held.grow(len(text))
        if kind == _FORM_TYPE and not text.lstrip().startswith((b"{", b"[")):
            raise RequestRefused(415, "unsupported_type", "the body is a form; it must be JSON")
        batch = await self._offload.work(len(text), self._validator.batch_of, text, self._limits, kind in _NDJSON_TYPES)
        validated = await self._validated(batch, len(text), source, self._stamp(source, caller))
        del batch, body, text  # what waits for the stream should be small
        return _answer(*await self._write(validated))

    async def _unpacked(self, body: bytes, encoding: str, limits: CollectorLimits) -> bytes:
        if not encoding:
            return body
        return await self._offload.work(len(body) * _PACKED, unpack, body, encoding, limits)

    async def _pixel(self, caller: Caller, receive: Receive, held: Reservation) -> tuple[int, Header, bytes]:
        source = self._access.source_of(caller)
        self._access.check_signature(source, caller, b"")
        event = pixel.event_of(caller.query, source.platform)
        held.grow(len(event))
        batch = self._validator.fast_path.of_lines([event])
        validated = await self._validated(batch, len(event), source, self._stamp(source, caller))
        answer = _answer(*await self._write(validated))
        return (200, _GIF, pixel.GIF) if answer[0] == 200 else answer

    async def _translate(
        self, route: Route, caller: Caller, receive: Receive, held: Reservation
    ) -> tuple[int, Header, bytes]:
        try:
            return await self._translated(route, caller, receive, held)
        except RequestRefused as refused:
            if refused.status == 429:
                refused.status = route.too_fast
            raise

    async def _translated(
        self, route: Route, caller: Caller, receive: Receive, held: Reservation
    ) -> tuple[int, Header, bytes]:
        if caller.method not in route.methods:
            raise RequestRefused(405, "method_not_allowed", f"the method may be {' or '.join(route.methods)}")
        self._access.limit_address(caller)
        key = caller.write_key().rpartition(":")[2]
        source = self._access.source_of_key(key, caller) if key else None
        body = await bodies.read_body(receive, self._of_others, held.grow)
        text = await self._unpacked_or_not(body, caller)
        held.grow(len(text))
        now = self._clock()
        request = request_of(caller, text, now)
        source = source or self._access.source_of_key(route.key(request), caller)
        self._access.check_signature(source, caller, body)
        if route.events is not None:
            most = max(self._limits.unpacked_bytes, len(text))
            events = await self._offload.work(len(text), events_of, route, request, source.platform, most)
            size = len(events.text) if isinstance(events, Lines) else sum(map(len, events))
            held.grow(size)
            batch = await self._offload.work(size, self._validator.batch_of_others, events)
            is_server = source.platform == "server"  # its address and user agent say nothing of those it speaks for
            address = "" if is_server or route.is_anonymous(request) else caller.address
            agent = None if is_server else caller.headers.get("user-agent")
            opts_out = caller.opts_out and not is_server
            stamp = Stamp(now, address, agent, source.believed, self._keep_of_ip, opts_out)
            validated = await self._validated(batch, size, source, stamp, route.protocol)
            del batch, events
            _, counts = await self._write(validated, route.protocol)
            for status, count in counts.items():
                self._metrics.translated.labels(route.protocol, status).inc(count)
            if counts["retry"]:
                raise RequestRefused(503, "stream_unavailable", "the stream did not take the events; send again", 5)
        answer = await self._offload.work(len(text), route.answer, request)
        return 200, (b"content-type", answer.content_type.encode()), answer.body

    async def _unpacked_or_not(self, body: bytes, caller: Caller) -> bytes:
        """The body without its encoding, which some do not name; as it came where it is not what it says, to be set
        aside."""
        encoding = caller.headers.get("content-encoding", "gzip" if body.startswith(_GZIP) else "")
        try:
            return await self._unpacked(body, encoding, self._of_others)
        except RequestRefused as refused:
            if refused.status != 400:
                raise
            return body

    def _stamp(self, source: Source, caller: Caller) -> Stamp:
        agent = caller.headers.get("user-agent")
        return Stamp(self._clock(), caller.address, agent, source.believed, self._keep_of_ip, caller.opts_out)

    async def _validated(
        self, batch: Batch, size: int, source: Source, stamp: Stamp, protocol: str | None = None
    ) -> Validated:
        """The verdicts of the rules; of a protocol those that are rejected are to be written too, set aside."""
        self._access.limit_events(source, len(batch))
        self._metrics.used(source.id, len(batch), size)
        aside = partial(set_aside, protocol) if protocol else None
        return await self._offload.work(size, self._validator.validate, batch, stamp, aside)

    async def _write(self, validated: Validated, protocol: str = OWN_PROTOCOL) -> tuple[Verdicts, Counter[Status]]:
        """The final verdicts, and how many of each status: accepted events are on the stream by then."""
        verdicts, lines, keys = validated
        if lines.keys:
            try:
                errors = await self._commit.write(lines, self._limits.stream_seconds)
            except TimeoutError:
                errors = dict.fromkeys(lines.keys, "Timeout")
            if errors:
                for row, key in enumerate(keys):
                    if key is not None and key in errors:
                        self._metrics.stream_errors.labels(errors[key].partition(":")[0][:64]).inc()
                        verdicts.retry(row, "stream_unavailable")
        self._metrics.count(verdicts, protocol)
        return verdicts, verdicts.counts()

    def _cors(self, caller: Caller) -> list[Header]:
        """Lets pages of an origin that some key allows see the answer; whether *this* key does is checked apart."""
        origin = caller.origin
        if origin is None or not self._access.allows_origin(origin):
            return []
        headers = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        ]
        if self._access.names_origin(origin):  # a beacon sends credentials whether anybody wants them or not
            headers.append((b"access-control-allow-credentials", b"true"))
        return headers

    def _preflight(self, caller: Caller, cors: list[Header]) -> list[Header]:
        if not cors:
            raise RequestRefused(403, "origin_not_allowed", "pages of this origin may not send")
        asked = caller.headers.get("access-control-request-headers", "").lower()
        more = [name for name in map(str.strip, asked.split(",")) if _TOKEN.fullmatch(name) and name not in _HEADERS]
        allowed = ", ".join((*_HEADERS, *more)).encode()
        return [*cors, *_PREFLIGHT, (b"access-control-allow-headers", allowed)]

    def cors(self, scope: Scope) -> list[Header]:
        """What lets a page see the answer to a request that no route takes."""
        return self._cors(Caller(scope))

    def _note(self, refused: RequestRefused) -> None:
        self._metrics.refused.labels(refused.code).inc()
        log.warning("request refused", extra={"status": refused.status, "code": refused.code})


def _status(counts: Counter[Status]) -> int:
    """200: nothing to complain of; 207: some were rejected; 400: all were; 503: some must be sent again."""
    if counts["retry"]:
        return 503
    if not counts["rejected"]:
        return 200
    return 400 if len(counts) == 1 else 207


def _answer(verdicts: Verdicts, counts: Counter[Status]) -> tuple[int, Header, bytes]:
    return _status(counts), _JSON, verdicts.answer()


def _refusal(refused: RequestRefused, cors: list[Header]) -> tuple[bytes, list[Header]]:
    headers = [_JSON, *cors]
    if refused.retry_after is not None:
        headers.append((b"retry-after", str(retry_after_seconds(refused.retry_after)).encode()))
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return _encode(Refusal(refused.code, refused.detail, refused.code, refused.detail)), headers


async def _send(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
