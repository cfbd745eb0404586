"""The tracking pixel: an event in a query string, for e-mails and pages without scripts."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from event_assets.contract.consent import PURPOSES

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent picture of one by one pixel."""

FIELDS = (
    "event_id",
    "event",
    "platform",
    "anonymous_id",
    "user_id",
    "session_id",
    "page_view_id",
    "occurred_at",
    "sent_at",
)
_ANSWERS = tuple(f"consent_{name}" for name in PURPOSES)
CONSENT_FIELDS = (*_ANSWERS, "consent_source", "consent_text_version")
PAGE_FIELDS = ("url", "title", "referrer")


def event_of(query: Mapping[str, Sequence[str]], platform: str) -> bytes:
    """The event that the parameters say, as JSON; every parameter without a name of its own is a property.

    The event is a `page_view` unless named, of the key's platform unless named, and gets an id unless it has one.
    `consent_analytics` and the others are `true` or `1`; anything else refuses.
    """
    values = {name: given[-1] for name, given in query.items() if name != "write_key"}
    event: dict[str, Any] = {"event_id": uuid.uuid4().hex, "event": "page_view", "platform": platform}
    event.update((name, values.pop(name)) for name in FIELDS if name in values)
    consent = {
        field.removeprefix("consent_"): given in ("true", "1") if field in _ANSWERS else given
        for field in CONSENT_FIELDS
        if (given := values.pop(field, None)) is not None
    }
    if consent:
        event["consent"] = consent
    page = {name: values.pop(name) for name in PAGE_FIELDS if name in values}
    if page:
        event["page"] = page
    if values:
        event["properties"] = values
    return msgspec.json.encode(event)
