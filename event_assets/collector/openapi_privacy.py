"""The part of the OpenAPI document that is about what people ask for."""

from __future__ import annotations

from typing import Any

from event_assets.collector.privacy_requests import LONGEST_NAME, MOST_NAMES

_NAMES = {
    "type": "array",
    "maxItems": MOST_NAMES,
    "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
}
_CHOICE = {"type": "string", "enum": ["keep", "erase"]}
_SECURITY: list[dict[str, list[str]]] = [{"privacyKey": []}]
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}
_HEADERS = [
    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": description}
    for name, description in (
        ("X-Timestamp", "Unix seconds"),
        ("X-Nonce", "8 to 64 characters, each used once"),
        ("X-Signature", "Hex HMAC-SHA-256 of the request with the key"),
    )
]


def ask() -> dict[str, Any]:
    """`POST /v1/privacy/requests`."""
    asked = {
        "type": "object",
        "required": ["kind"],
        "additionalProperties": False,
        "properties": {
            "kind": {"type": "string", "enum": ["erasure", "access"]},
            **dict.fromkeys(("user_ids", "anonymous_ids", "emails"), _NAMES),
            "device_events": _CHOICE,
            "linked_users": {**_CHOICE, "type": ["string", "null"], "enum": ["keep", "erase", None]},
        },
    }
    return {
        "tags": ["Privacy"],
        "operationId": "askForPerson",
        "summary": "Ask for a person to be erased, or to be given their data",
        "description": (
            f"From 1 to {MOST_NAMES} names of one person. It is queued; a run takes it up. Several processes that "
            "are sent the same signed request queue it once."
        ),
        "security": _SECURITY,
        "parameters": _HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "202": _json("PrivacyRequest", "It is queued."),
            "400": _json("Refusal", "The body cannot be read, or names nobody or too many."),
            **_refusals(),
            "408": _json("Refusal", "The body did not arrive in time."),
            "413": _json("Refusal", "The body is too large."),
        },
    }


def state() -> dict[str, Any]:
    """`GET /v1/privacy/requests/{id}`."""
    id_ = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64, "minLength": 1}}
    return {
        "tags": ["Privacy"],
        "operationId": "stateOfRequest",
        "summary": "How far a request is",
        "description": "Of requests that the same key made.",
        "security": _SECURITY,
        "parameters": [id_, *_HEADERS],
        "responses": {
            "200": _json("PrivacyRequest", "How far it is."),
            "400": _json("Refusal", "The request cannot be read."),
            "404": _json("Refusal", "This key made no such request."),
            **_refusals(),
        },
    }


def schemas() -> dict[str, Any]:
    """What the answers are made of."""
    states = ["queued", "refused", "open", "held", "waiting", "incomplete", "done"]
    return {
        "PrivacyRequest": {
            "type": "object",
            "required": ["id", "kind", "state", "due"],
            "properties": {
                "id": {"type": "string"},
                "kind": {"type": "string", "enum": ["erasure", "access"]},
                "state": {"type": "string", "enum": states},
                "due": {"type": "string", "format": "date"},
                "note": {"type": "string"},
            },
        }
    }


def _refusals() -> dict[str, Any]:
    return {
        "401": _json("Refusal", "The key is missing, unknown, revoked or of another scope, or the signature is wrong."),
        "403": _json("Refusal", "A page of the web may not ask."),
        "429": {**_json("Refusal", "Too many requests from this address or with this key."), "headers": _RETRY_AFTER},
        "503": {**_json("Refusal", "Requests cannot be kept or read now."), "headers": _RETRY_AFTER},
    }


def _json(schema: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
