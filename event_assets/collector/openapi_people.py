"""The part of the OpenAPI document that is about people's segments."""

from __future__ import annotations

from typing import Any

from event_assets.collector.people import LONGEST_ID, MOST_IDS

_ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_SECURITY: list[dict[str, list[str]]] = [{"readKey": []}, {"bearer": []}]
_AS_OF = {"type": "string", "format": "date-time", "description": "When who is in which segment was made"}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}


def one() -> dict[str, Any]:
    """`GET /v1/people/{id}/segments`."""
    return {
        "tags": ["People"],
        "operationId": "segmentsOfPerson",
        "summary": "Which segments somebody is in now",
        "description": (
            "By any id of theirs: a user id, or an anonymous id. Only the segments that the read key may be told of. "
            "Of an id that nobody has there are none."
        ),
        "security": _SECURITY,
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": _ID}],
        "responses": {"200": _json("Person", "Their segments, by name."), **_refusals()},
    }


def several(most_bytes: int) -> dict[str, Any]:
    """`POST /v1/people/segments`."""
    asked = {
        "type": "object",
        "required": ["ids"],
        "additionalProperties": False,
        "properties": {"ids": {"type": "array", "items": _ID, "minItems": 1, "maxItems": MOST_IDS}},
    }
    return {
        "tags": ["People"],
        "operationId": "segmentsOfPeople",
        "summary": "Which segments several people are in now",
        "description": f"Up to {MOST_IDS} ids and {most_bytes} bytes. The answer has them in the order asked for.",
        "security": _SECURITY,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": _json("People", "Their segments, by name."),
            **_refusals(),
            "408": _json("Refusal", "The body did not arrive in time."),
            "413": _json("Refusal", "The body is too large."),
        },
    }


def schemas() -> dict[str, Any]:
    """What the answers are made of."""
    segments = {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["segment", "since"],
            "properties": {"segment": {"type": "string"}, "since": {"type": "string", "format": "date"}},
        },
    }
    person = {"type": "object", "required": ["id", "segments"], "properties": {"id": _ID, "segments": segments}}
    return {
        "Person": {
            "type": "object",
            "required": ["id", "segments", "as_of"],
            "properties": {**person["properties"], "as_of": _AS_OF},  # type: ignore[dict-item]
        },
        "People": {
            "type": "object",
            "required": ["people", "as_of"],
            "properties": {"people": {"type": "array", "items": person, "maxItems": MOST_IDS}, "as_of": _AS_OF},
        },
    }


def _refusals() -> dict[str, Any]:
    return {
        "400": _json("Refusal", "The ids cannot be read, or are too many."),
        "401": _json("Refusal", "The read key is missing, unknown, revoked, or cannot read."),
        "403": _json("Refusal", "The key does not allow this web origin."),
        "429": _later("Too many requests from this address, or people with this key."),
        "503": _later("Who is in which segment is not known now."),
    }


def _later(description: str) -> dict[str, Any]:
    return {**_json("Refusal", description), "headers": _RETRY_AFTER}


def _json(schema: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
