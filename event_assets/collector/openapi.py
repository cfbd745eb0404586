"""The OpenAPI 3.1 document of the ingest API, made from the contract and the limits in force."""

from __future__ import annotations

from typing import Any, get_args

from event_assets import __version__
from event_assets.collector import openapi_people as people
from event_assets.collector import openapi_privacy as privacy
from event_assets.collector import openapi_scores as scores
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.pixel import CONSENT_FIELDS, FIELDS, PAGE_FIELDS
from event_assets.contract.event import json_schema
from event_assets.contract.rejections import Reason

_EXAMPLE: dict[str, Any] = {
    "event_id": "01935a3e-6f0e-7c4b-9d51-3f1b2a7c9e10",
    "event": "page_view",
    "anonymous_id": "a-7f3c",
    "session_id": "s-1",
    "page_view_id": "p-1",
    "occurred_at": "2026-11-22T10:00:00.000Z",
    "sent_at": "2026-11-22T10:00:01.000Z",
    "platform": "web",
    "page": {"url": "https://example.com/templates", "title": "Templates"},
    "properties": {"page_type": "templates"},
}
_MIXED_ANSWER = {
    "accepted": 1,
    "rejected": 1,
    "dropped": 0,
    "retry": 0,
    "results": [
        {"event_id": "01935a3e-6f0e-7c4b-9d51-3f1b2a7c9e10", "status": "accepted"},
        {
            "event_id": "01935a3e-6f0e-7c4b-9d51-3f1b2a7c9e11",
            "status": "rejected",
            "reason": "missing_field",
            "detail": "Object missing required field `platform`",
        },
    ],
}


def openapi_document(limits: CollectorLimits) -> dict[str, Any]:
    """The document as JSON-able values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "event-assets ingest API",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": (
                "Takes behavioural events. An event is answered `accepted` only once the stream has it.\n\n"
                "Pages of a browser, this one too, send with a key that allows their origin: "
                "`event-assets keys create NAME --platform web --origin https://www.example.com`."
            ),
        },
        "paths": {
            "/v1/events": {"post": _events(limits)},
            "/v1/pixel.gif": {"get": _pixel()},
            "/v1/people/{id}/segments": {"get": people.one()},
            "/v1/people/segments": {"post": people.several(limits.body_bytes)},
            "/v1/segment": {"post": scores.segment()},
            "/v1/privacy/requests": {"post": privacy.ask()},
            "/v1/privacy/requests/{id}": {"get": privacy.state()},
            "/v1/health": {"get": _probe("Whether the process answers", "health", {"200": _status("Alive")})},
            "/v1/ready": {"get": _probe("Whether events can be taken", "ready", _READY)},
            "/metrics": {"get": _probe("Prometheus metrics", "metrics", _METRICS)},
        },
        "components": {
            "schemas": _schemas(limits),
            "securitySchemes": {
                "writeKey": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "The write key is the user name."},
                "query": {"type": "apiKey", "in": "query", "name": "write_key"},
                "readKey": {"type": "apiKey", "in": "header", "name": "X-Read-Key"},
                "privacyKey": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
            },
        },
    }


_SECURITY: list[dict[str, list[str]]] = [{"writeKey": []}, {"bearer": []}, {"basic": []}, {"query": []}]


def _events(limits: CollectorLimits) -> dict[str, Any]:
    one_or_many = {
        "oneOf": [
            {"$ref": "#/components/schemas/Event"},
            {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Event"},
                "minItems": 1,
                "maxItems": limits.events,
            },
        ]
    }
    text = {"schema": {"type": "string", "minLength": 1}}
    examples = {"one": {"value": _EXAMPLE}, "many": {"value": [_EXAMPLE]}}
    return {
        "tags": ["Events"],
        "operationId": "sendEvents",
        "summary": "Send events",
        "description": (
            "One event, an array of events, or one event a line (NDJSON). `text/plain` is taken for `sendBeacon`, "
            "with the key in the query, and the type of forms for `curl -d`: what counts is that the body is JSON. "
            "It may be compressed with gzip, deflate or zstd and then has a `Content-Encoding`. "
            f"At most {limits.events} events, {limits.body_bytes} bytes as sent, "
            f"{limits.unpacked_bytes} unpacked. Servers may sign: `X-Write-Key: ea_<id>`, `X-Timestamp` (Unix "
            "seconds), `X-Nonce` and `X-Signature` = hex HMAC-SHA-256, keyed with the write key, over method, "
            "path, query, Content-Encoding (empty if none), timestamp, nonce and body as sent, joined by line feeds."
            "\n\n"
            "On 503 send the events whose status is `retry` again, under the same `event_id`."
        ),
        "security": _SECURITY,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": one_or_many, "examples": examples},
                "application/x-ndjson": text,
                "text/plain": text,
                "application/x-www-form-urlencoded": text,
            },
        },
        "responses": {
            "200": _verdicts("Every event is on the stream, or its place, because consent was refused."),
            "207": _verdicts("Some events are on the stream, some were rejected."),
            "400": _refused("No event was taken: the body cannot be read, or every event was rejected.", verdicts=True),
            **_REFUSALS,
            "408": _refused("The body did not arrive in time."),
            "413": _refused("The body is too large, or has too many events."),
            "415": _refused("The content type or the content encoding is not taken."),
            "503": _unavailable(),
        },
    }


def _pixel() -> dict[str, Any]:
    names = [*FIELDS, *CONSENT_FIELDS, *PAGE_FIELDS]
    return {
        "tags": ["Events"],
        "operationId": "sendPixel",
        "summary": "Send one event by a picture's address",
        "description": (
            "For e-mails and pages without scripts. The event is a `page_view` unless named. Parameters that are not "
            "listed become properties. A consent is `true` or `1`; any other value refuses."
        ),
        "security": [{"query": []}, {"writeKey": []}],
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names],
        "responses": {
            "200": {
                "description": "The event is on the stream; a transparent picture of one pixel.",
                "content": {"image/gif": {"schema": {"type": "string", "contentMediaType": "image/gif"}}},
            },
            "400": _refused("The event was rejected.", verdicts=True),
            **_REFUSALS,
            "503": _unavailable(),
        },
    }


def _json(schema: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema, **more}}}


def _verdicts(description: str) -> dict[str, Any]:
    return _json({"$ref": "#/components/schemas/Verdicts"}, description, example=_MIXED_ANSWER)


def _refused(description: str, *, verdicts: bool = False) -> dict[str, Any]:
    refusal: dict[str, Any] = {"$ref": "#/components/schemas/Refusal"}
    if verdicts:
        refusal = {"oneOf": [refusal, {"$ref": "#/components/schemas/Verdicts"}]}
    return _json(refusal, description)


def _unavailable() -> dict[str, Any]:
    described = "The stream did not take the events, or the collector holds all it can. Send again."
    return {**_refused(described, verdicts=True), "headers": _RETRY_AFTER}


_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}
_REFUSALS = {
    "401": _refused("The write key is missing, unknown or revoked, or the signature does not fit."),
    "403": _refused("The key does not allow this web origin."),
    "429": {**_refused("Too many requests from this address, or events with this key."), "headers": _RETRY_AFTER},
}


def _probe(summary: str, operation: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"tags": ["Operations"], "operationId": operation, "summary": summary, "responses": responses}


def _status(description: str, *more: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in ("status", *more)}
    return _json({"type": "object", "required": ["status"], "properties": properties}, description)


_READY = {
    "200": _status("Events can be taken; a `warning` is a fault that is not in the way yet", "warning"),
    "503": {**_status("No event can be taken; `detail` says why, and the way out", "detail"), "headers": _RETRY_AFTER},
}
_METRICS = {
    "200": {"description": "Prometheus's text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def _schemas(limits: CollectorLimits) -> dict[str, Any]:
    event = json_schema()
    definitions = event.pop("$defs")
    return {
        **{name: _within_components(schema) for name, schema in definitions.items()},
        "Verdict": {
            "type": "object",
            "required": ["event_id", "status"],
            "properties": {
                "event_id": {"type": ["string", "null"], "description": "null where it could not be read"},
                "status": {"enum": ["accepted", "rejected", "dropped", "retry"]},
                "reason": {"enum": [*get_args(Reason), "consent_refused", "stream_unavailable"]},
                "detail": {"type": "string"},
            },
        },
        "Verdicts": {
            "type": "object",
            "required": ["accepted", "rejected", "dropped", "retry", "results"],
            "properties": {
                **{name: {"type": "integer", "minimum": 0} for name in ("accepted", "rejected", "dropped", "retry")},
                "results": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Verdict"},
                    "maxItems": limits.events,
                    "description": "One per event, in the order sent.",
                },
            },
        },
        **people.schemas(),
        **scores.schemas(),
        **privacy.schemas(),
        "Refusal": {
            "type": "object",
            "required": ["error", "detail"],
            "properties": {
                **{name: {"type": "string"} for name in ("error", "detail", "code", "message")},
                "status": {"type": "integer", "const": 0},
            },
        },
    }


def _within_components(value: Any) -> Any:
    """The schema with its references pointing to where OpenAPI keeps schemas."""
    if isinstance(value, dict):
        return {
            name: part.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _within_components(part)
            for name, part in value.items()
        }
    return [_within_components(part) for part in value] if isinstance(value, list) else value
