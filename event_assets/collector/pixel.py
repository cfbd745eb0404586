"""The tracking pixel: an event in a query string, for e-mails and pages without scripts."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from event_assets.contract.event import Consent

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
CONSENT_FIELDS = tuple(f"consent_{name}" for name in Consent.__struct_fields__)
PAGE_FIELDS = ("url", "title", "referrer")


def event_of(query: Mapping[str, Sequence[str]], platform: str) -> bytes:
    """The event that the parameters say, as JSON; every parameter without a name of its own is a property.

    The event is a `page_view` unless named, of the key's platform unless named, and gets an id unless it has one.
    `consent_analytics`, `consent_marketing` and `consent_personalisation` are `true` or `1`; anything else refuses.
    """
    values = {name: given[-1] for name, given in query.items() if name != "write_key"}
    event: dict[str, Any] = {"event_id": uuid.uuid4().hex, "event": "page_view", "platform": platform}
    event.update((name, values.pop(name)) for name in FIELDS if name in values)
    consent = {
        field.removeprefix("consent_"): values.pop(field) in ("true", "1")
        for field in CONSENT_FIELDS
        if field in values
    }
    if consent:
        event["consent"] = consent
    page = {name: values.pop(name) for name in PAGE_FIELDS if name in values}
    if page:
        event["page"] = page
    if values:
        event["properties"] = values
    return msgspec.json.encode(event)
