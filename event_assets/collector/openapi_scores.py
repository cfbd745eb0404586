"""The part of the OpenAPI document that is about scores of models."""

from __future__ import annotations

from typing import Any

from event_assets.collector.people import LONGEST_ID
from event_assets.collector.scores import LONGEST_EVENT, MOST_EVENTS, MOST_TIMES

_ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_SECURITY: list[dict[str, list[str]]] = [{"readKey": []}, {"bearer": []}]
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}


def segment() -> dict[str, Any]:
    """`POST /v1/segment`."""
    today = {
        "type": "object",
        "description": "By name of event how many there were today, in UTC, as far as who asks saw them",
        "maxProperties": MOST_EVENTS,
        "propertyNames": {"minLength": 1, "maxLength": LONGEST_EVENT},
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": MOST_TIMES},
    }
    asked = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "model": {"type": "string", "description": "Name of the model; where the key may ask one only, not needed"},
            "user_id": {"anyOf": [_ID, {"type": "null"}]},
            "anonymous_id": {"anyOf": [_ID, {"type": "null"}]},
            "today": today,
        },
    }
    return {
        "tags": ["People"],
        "operationId": "segmentByModel",
        "summary": "Where a model puts somebody now",
        "description": (
            "By what they did before today, as any id of theirs tells, and by what they did today. Of somebody unknown "
            "by today alone. Where no model is better than the rule of its file, the rule says the segment, and there "
            "is no score. Somebody who refused personalisation is in the last segment, `by` is `default`, and the "
            "reason is `consent.personalisation`."
        ),
        "security": _SECURITY,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": _json("ScoredSegment", "The segment, the score and the most telling reasons."),
            "400": _json("Refusal", "The body cannot be read."),
            "401": _json("Refusal", "The read key is missing, unknown, revoked, or cannot read."),
            "403": _json("Refusal", "The key does not allow this web origin."),
            "404": _json("Refusal", "There is no such model that the key may ask."),
            "408": _json("Refusal", "The body did not arrive in time."),
            "413": _json("Refusal", "The body is too large."),
            "429": _later("Too many requests from this address, or with this key."),
            "503": _later("No model is known now."),
        },
    }


def schemas() -> dict[str, Any]:
    """What the answers are made of."""
    reason = {
        "type": "object",
        "required": ["feature", "value", "effect"],
        "properties": {
            "feature": {"type": "string"},
            "value": {"type": ["number", "string", "null"]},
            "effect": {"type": "number", "description": "In log-odds, from the mean of those it learned from"},
        },
    }
    return {
        "ScoredSegment": {
            "type": "object",
            "required": ["model", "segment", "score", "by", "reasons", "trained_to", "as_of"],
            "properties": {
                "model": {"type": "string"},
                "segment": {"type": "string"},
                "score": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
                "by": {"enum": ["model", "rule", "default"]},
                "reasons": {"type": "array", "items": reason},
                "trained_to": {"type": ["string", "null"], "format": "date"},
                "as_of": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When what is known of people was put here",
                },
            },
        }
    }


def _later(description: str) -> dict[str, Any]:
    return {**_json("Refusal", description), "headers": _RETRY_AFTER}


def _json(schema: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}
