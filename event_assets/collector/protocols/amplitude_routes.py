"""The addresses that Amplitude's SDKs call, and what they take for success."""

from __future__ import annotations

import re

import msgspec

from event_assets.collector.protocols.amplitude import NAME, events
from event_assets.collector.protocols.members import Members
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable


def _success(request: Request) -> Answer:
    """Without `code` an SDK would send again, whatever the status."""
    try:
        listed = Members.of(request.body).seen("events")
    except Unreadable:
        listed = None
    count = len(listed) if isinstance(listed, list) else 1
    return Answer(msgspec.json.encode({"code": 200, "events_ingested": count, "payload_size_bytes": len(request.body)}))


def _key(request: Request) -> str:
    try:
        return Members.of(request.body).text("api_key") or ""
    except Unreadable:
        return ""


_POST = Route(NAME, _success, events, _key)
ROUTES = {"/2/httpapi": _POST, "/batch": _POST}
"""`/batch/`, with a slash, is PostHog's."""
PATTERNS: tuple[tuple[re.Pattern[str], Route], ...] = ()
