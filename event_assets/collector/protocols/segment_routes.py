"""The addresses that the SDKs of Segment, RudderStack and Jitsu call, and what each is answered."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from event_assets.collector.pixel import GIF
from event_assets.collector.protocols.members import Members
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable
from event_assets.collector.protocols.segment import KINDS, NAME, events

_PROJECT = re.compile(r"(?:/v1)?/projects/([^/]+)/settings")


def _success(request: Request) -> Answer:
    return Answer(b'{"success":true}')


def _picture(request: Request) -> Answer:
    return Answer(GIF, "image/gif")


def _key(request: Request) -> str:
    """The key of the query, or of the body, where the SDKs of phones have it."""
    if given := request.parameter("writeKey"):
        return given
    try:
        return Members.of(request.body).text("writeKey") or ""
    except Unreadable:
        return ""


def _project_key(request: Request) -> str:
    found = _PROJECT.fullmatch(request.path)
    return unquote(found[1]) if found else ""


def _settings(request: Request) -> Answer:
    """What Segment's browser SDK and those of phones ask for first: to send here, and nowhere else."""
    protocol, _, host = request.base.partition("://")
    destination = {"apiKey": _project_key(request), "apiHost": f"{host}/v1", "protocol": protocol}
    everything = {"__default": {"enabled": True, "integrations": {}}}
    settings = {
        "integrations": {"Segment.io": {**destination, "unbundledIntegrations": [], "maybeBundledConfigIds": {}}},
        "plan": {"track": everything, "identify": everything, "group": everything},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
    }
    return Answer(msgspec.json.encode(settings))


def _source_config(request: Request) -> Answer:
    """What RudderStack's browser SDK asks for first."""
    silent = {name: {"enabled": False} for name in ("errors", "metrics")}
    source = {
        "id": NAME,
        "name": "event-assets",
        "writeKey": request.parameter("writeKey"),
        "enabled": True,
        "workspaceId": "event-assets",
        "config": {"statsCollection": silent},
        "destinations": [],
        "dataplanes": {},
    }
    return Answer(msgspec.json.encode({"source": source, "updatedAt": "1970-01-01T00:00:00Z"}))


_POST = Route(NAME, _success, events, _key)
_PIXEL = Route(NAME, _picture, events, _key, methods=("GET",))
_BATCHES = ("/v1/batch", "/v1/import", "/v1/b", "/b", "/beacon/v1/batch")
ROUTES = {
    **dict.fromkeys(_BATCHES, _POST),
    **{f"/v1/{name}": _POST for kind in KINDS for name in (kind, kind[0])},
    **{f"/api/s/{path}{kind}": _POST for kind in KINDS for path in ("", "s2s/")},
    **{f"{path}/{kind}": _PIXEL for kind in KINDS for path in ("/pixel/v1", "/v1/pixel")},
    "/sourceConfig": Route(NAME, _source_config, key=_key, methods=("GET",)),
}
PATTERNS = ((_PROJECT, Route(NAME, _settings, key=_project_key, methods=("GET",))),)
