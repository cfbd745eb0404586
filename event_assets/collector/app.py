"""Puts the collector together: routes, life span, what is shared between requests. No request is handled here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from event_assets.collector.access import Access
from event_assets.collector.buffer import BufferBudget, GroupCommit
from event_assets.collector.connections import Connections
from event_assets.collector.docs import docs_routes
from event_assets.collector.ingest import Ingest
from event_assets.collector.keys import WriteKeys
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.offload import Offload
from event_assets.collector.openapi import openapi_document
from event_assets.collector.people import PeopleSegments
from event_assets.collector.privacy import ip_rule, known_as_rule
from event_assets.collector.privacy_requests import PrivacyRequests
from event_assets.collector.protocols.router import OWN_EVENTS, find_route
from event_assets.collector.readiness import Readiness
from event_assets.collector.scores import SegmentScores
from event_assets.collector.telling import Telling, trace_puts
from event_assets.collector.validator import Validator
from event_assets.lake.storage import Storage
from event_assets.online import open_online
from event_assets.settings import Settings
from event_assets.streams import EventLines, EventStream, RetryPolicy, StreamError, StreamWriter, open_stream
from event_assets.telemetry.emission import open_meter
from event_assets.telemetry.traces import open_traces

log = logging.getLogger(__name__)

_WRITERS = {"embedded": 1, "kinesis": 4, "kafka": 4}
"""Writes in flight: the embedded log commits one at a time, the others answer each after a network's delay."""
_PERSON, _SCORE = ("/v1/people/", "/segments"), "/v1/segment"


class _Text(PathConvertor):
    """Any text in a path, line breaks too: an id that cannot be is refused by who answers, not by the router."""

    regex = "(?s:.*)"


register_url_convertor("text", _Text())


def create_app(
    settings: Settings,
    stream: EventStream | None = None,
    keys: WriteKeys | None = None,
    limits: CollectorLimits | None = None,
    frozen_between_requests: bool = False,
) -> Starlette:
    """The ingest API as an ASGI app. Stream, keys and limits are those of the settings unless given.

    The app holds no thread and no connection before its life span has begun, and none after it has ended; it may begin
    again (on AWS Lambda it does with each request, and is frozen between two: `frozen_between_requests`).
    """
    collector = Collector(
        settings,
        stream or open_stream(settings),
        keys or WriteKeys.of(settings),
        limits or limits_of(settings),
        frozen_between_requests,
    )
    routes = [
        Route(OWN_EVENTS, _Endpoint(collector.ingest.events), methods=["POST", "OPTIONS"]),
        Route("/v1/pixel.gif", _Endpoint(collector.ingest.pixel), methods=["GET"]),
        Route("/v1/people/segments", _Endpoint(collector.people.several), methods=["POST", "OPTIONS"]),
        Route("/v1/people/{id:text}/segments", _Endpoint(collector.people.one), methods=["GET", "OPTIONS"]),
        Route(_SCORE, _Endpoint(collector.scores.segment), methods=["POST", "OPTIONS"]),
        Route("/v1/privacy/requests", _Endpoint(collector.privacy.ask), methods=["POST"]),
        Route("/v1/privacy/requests/{id}", _Endpoint(collector.privacy.state), methods=["GET"]),
        Route("/v1/health", collector.health),
        Route("/v1/ready", collector.ready),
        Route("/metrics", collector.exposition),
        Route("/openapi.json", collector.openapi),
        *docs_routes(),
    ]
    return _App(
        collector.ingest,
        collector.people,
        collector.scores,
        routes=routes,
        lifespan=collector.lifespan,
        exception_handlers={HTTPException: _error, Exception: _fault},
    )


def limits_of(settings: Settings) -> CollectorLimits:
    """The limits that the settings name."""
    return CollectorLimits(
        buffer_bytes=settings.collector_buffer_mb * 1024 * 1024,
        connections=settings.collector_connections,
        ip_connections=settings.collector_ip_connections,
        keep_alive_seconds=settings.collector_keep_alive_seconds,
        ip_requests_per_second=settings.collector_ip_rate,
        processes=settings.collector_processes,
    )


class Collector:
    """One process's ingest API: what its requests share."""

    def __init__(
        self,
        settings: Settings,
        stream: EventStream,
        keys: WriteKeys,
        limits: CollectorLimits,
        frozen_between_requests: bool,
    ) -> None:
        self._settings = settings
        self._is_frozen = frozen_between_requests
        self._stream = stream
        self._traces = open_traces(settings, "collector")
        self._writer = StreamWriter(
            stream,
            RetryPolicy(attempts=6, base_seconds=0.05, cap_seconds=2.0),
            on_put=trace_puts(self._traces, stream.name) if self._traces else None,
        )
        budget = BufferBudget(limits.buffer_bytes)
        self.metrics = CollectorMetrics(budget)
        self.telling = Telling(self.metrics, open_meter(settings, "collector"))
        self._commit = GroupCommit(self._write, writers=_WRITERS[settings.stream], on_write=self.metrics.wrote)
        self._offload = Offload(limits.at_once_bytes)
        access = Access(keys, limits, self.metrics)
        self.ingest = Ingest(
            access,
            Validator.of(settings, limits.event),
            self._commit,
            self._offload,
            budget,
            limits,
            self.metrics,
            ip_rule(settings),
        )
        known_as = known_as_rule(settings)
        self.people = PeopleSegments(self.ingest, access, open_online(settings), limits, known_as)
        self.scores = SegmentScores(self.ingest, access, open_online(settings, "features"), limits, known_as)
        self.privacy = PrivacyRequests(
            self.ingest,
            access,
            _queue_of(settings),
            limits,
            settings.privacy_deadline_days,
        )
        self._connections = Connections(limits, self.metrics, settings.collector_proxies)
        self._readiness = Readiness(stream, keys, self.metrics)
        self._is_made = settings.stream != "embedded"
        self._openapi = openapi_document(limits)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        """Makes the embedded stream if it is not there; writes while the app serves, and at its end what it holds.

        Gives the `connections` to the server.
        """
        await asyncio.to_thread(self._make_stream)
        self._commit.start()
        self._offload.start()
        self._connections.start()
        telling = asyncio.create_task(self.telling.stay())
        log.debug("writing to the stream", extra={"stream": self._stream.name, "kind": self._settings.stream})
        try:
            yield {"connections": self._connections}
        finally:
            self._connections.stop()
            self._offload.stop()
            self.people.stop()
            self.scores.stop()
            await self._commit.stop()
            self._readiness.forget()
            telling.cancel()
            if self._is_frozen:
                self.telling.after_request()
            else:
                self.telling.tell()
            if self._traces is not None:
                await asyncio.to_thread(self._traces.flush)
            log.debug("all written", extra={"stream": self._stream.name})

    def _make_stream(self) -> None:
        """Makes the embedded stream, now or, where it cannot be made, before the next write."""
        if self._is_made:
            return
        try:
            self._stream.create(self._settings.stream_shards)
            self._is_made = True
        except StreamError as error:
            self._readiness.failed(str(error))

    def _write(self, lines: Sequence[EventLines]) -> Mapping[str, str]:
        self._make_stream()
        keys = [key for each in lines for key in each.keys]
        try:
            errors = self._writer.write_events(lines)
        except StreamError as error:
            errors = dict.fromkeys(keys, f"{type(error).__name__}: {error}")
        self._readiness.wrote(keys, errors)
        return errors

    async def health(self, request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """Events can be taken, or the sentence that says why not."""
        fault = await self._readiness.fault()
        if fault is not None:
            status, detail = fault
            return JSONResponse({"status": status, "detail": detail}, 503, {"retry-after": "5"})
        warning = self._readiness.warning()
        return JSONResponse({"status": "ready", **({"warning": warning} if warning else {})})

    async def exposition(self, request: Request) -> Response:
        """Prometheus's text format."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document."""
        return JSONResponse(self._openapi)


def _queue_of(settings: Settings) -> Storage | None:
    """Where requests of people wait: beside the lake's tables. None where no lake is named and the home is not that of
    the pipeline, which would never see them."""
    if settings.lake_url is None and settings.stream != "embedded":
        return None
    return Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)


class _App(Starlette):
    """The app, with a short way in for events, and for who asks for one person: layers of middleware and routing cost
    a sixth of a small request."""

    def __init__(self, ingest: Ingest, people: PeopleSegments, scores: SegmentScores, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ingest = ingest
        self._people = people
        self._scores = scores
        self.state.ingest = ingest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve = self._way_in(scope) if scope["type"] == "http" else None
        if serve is None:
            return await super().__call__(scope, receive, send)
        try:
            await serve(scope, receive, send)
        except Exception as error:
            scope["app"] = self
            await (await _fault(Request(scope), error))(scope, receive, send)
            raise

    def _way_in(self, scope: Scope) -> ASGIApp | None:
        """What takes events, the API's own or another protocol's, or asks for a person."""
        path = scope["path"]
        if path == OWN_EVENTS:
            return self._ingest.events if scope["method"] == "POST" else None
        if path == _SCORE:
            return self._scores.segment if scope["method"] == "POST" else None
        if path.startswith(_PERSON[0]) and path.endswith(_PERSON[1]) and scope["method"] == "GET":
            scope["path_params"] = {"id": path[len(_PERSON[0]) : -len(_PERSON[1])]}
            return self._people.one
        route = find_route(path)
        return partial(self._ingest.translate, route) if route else None


class _Endpoint:
    """An ASGI callable as a route's endpoint; Starlette would take a bare method for a request handler."""

    def __init__(self, serve: object) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)  # type: ignore[operator]


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    return _seen_by_pages(
        JSONResponse({"error": code, "detail": error.detail}, error.status_code, error.headers), request
    )


async def _fault(request: Request, error: Exception) -> Response:
    said = {"error": "internal_error", "detail": "the collector failed; send again"}
    return _seen_by_pages(JSONResponse(said, 500), request)


def _seen_by_pages(response: Response, request: Request) -> Response:
    """The response, with what lets the page that asked see it."""
    ingest: Ingest = request.app.state.ingest
    for name, value in ingest.cors(request.scope):
        response.headers.append(name.decode(), value.decode("latin-1"))
    return response
