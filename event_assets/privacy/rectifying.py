"""Corrects what is said of a person: by an event, as all that is said of anybody. So it comes into every table by the
usual way, stays when tables are made again, and the history tells from when it holds.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

LIBRARY = "event-assets-privacy"
"""By what library a correction says that it was made, so that it is told from what apps say."""


def correction(user_id: str, traits: Mapping[str, Any], now: dt.datetime) -> bytes:
    """The `identify` event that corrects traits of a user from now on; a trait that is None is taken back."""
    at = now.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    event = {
        "event_id": str(uuid.uuid4()),
        "event": "identify",
        "user_id": user_id,
        "platform": "server",
        "occurred_at": at,
        "sent_at": at,
        "traits": dict(traits),
        "library": {"name": LIBRARY, "version": "1"},
    }
    return msgspec.json.encode(event)
