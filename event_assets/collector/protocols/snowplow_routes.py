"""The addresses that Snowplow's trackers call, with a write key in the path where there is no other place for it.

`/KEY/com.snowplowanalytics.snowplow/tp2` is a collector's address with a path, and `/com.example/KEY` a POST path of
one's own, which blockers do not know. There is no redirect: what it would lead to is anybody's to say.
"""

from __future__ import annotations

import re
from dataclasses import replace

from event_assets.collector.pixel import GIF
from event_assets.collector.protocols.members import Members
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable
from event_assets.collector.protocols.snowplow import NAME, events

_KEY = re.compile(r"ea_[0-9a-f]+_[0-9a-f]+")
_TP2 = "/com.snowplowanalytics.snowplow/tp2"
_KEY_FIRST = re.compile(r"/(ea_\w+)" + re.escape(_TP2))
_KEY_FIRST_GET = re.compile(r"/(ea_\w+)/i")
_OWN_PATH = re.compile(r"/[\w-]+\.[\w.-]+/[\w.-]+")


def _ok(request: Request) -> Answer:
    return Answer(b"ok", "text/plain")


def _picture(request: Request) -> Answer:
    return Answer(GIF, "image/gif")


def _key(request: Request) -> str:
    """The key of the path, else the `aid` (the application id) of the first event."""
    for part in request.path.split("/"):
        if _KEY.fullmatch(part):
            return part
    if given := request.parameter("aid"):
        return given
    try:
        data = Members.of(request.body).seen("data")
    except Unreadable:
        return ""
    first = data[0] if isinstance(data, list) and data else None
    said = first.get("aid") if isinstance(first, dict) else None
    return said if isinstance(said, str) else ""


def _is_told(request: Request) -> bool:
    return "sp-anonymous" in request.headers


_POST = Route(NAME, _ok, events, _key, is_anonymous=_is_told)
_GET = replace(_POST, answer=_picture, methods=("GET",))
ROUTES = {_TP2: _POST, "/i": _GET}
PATTERNS = ((_KEY_FIRST, _POST), (_KEY_FIRST_GET, _GET), (_OWN_PATH, _POST))
