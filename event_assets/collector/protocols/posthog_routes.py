"""The addresses that PostHog's SDKs call, and what each is answered."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from event_assets.collector.protocols.forms import data_of
from event_assets.collector.protocols.posthog import NAME, events
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable

_ARRAY = re.compile(r"/array/([^/]+)/config(?:\.js)?")
_SCRIPT = Answer(b"/* no configuration of its own */", "text/javascript")
_CONFIG = {
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
    "autocapture_opt_out": True,
    "heatmaps": False,
    "surveys": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "hasFeatureFlags": False,
    "defaultIdentifiedOnly": True,
    "isAuthenticated": False,
    "toolbarParams": {},
    "config": {"enable_collect_everything": True},
}
_NO_FLAGS = {
    **_CONFIG,
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}


def _success(request: Request) -> Answer:
    return Answer(b'{"status":1}')


def _key(request: Request) -> str:
    """The key of the body, of its first event, or of the first event's properties."""
    try:
        said = msgspec.json.decode(data_of(request))
    except (Unreadable, ValueError, RecursionError):
        return ""
    return _named(said) or _named(_first(said)) or _named(_first(said).get("properties"))


def _first(said: Any) -> dict[str, Any]:
    """The first event of a list or a batch, or the one alone."""
    listed = said.get("batch", said) if isinstance(said, dict) else said
    first = listed[0] if isinstance(listed, list) and listed else listed
    return first if isinstance(first, dict) else {}


def _named(said: Any) -> str:
    if not isinstance(said, dict):
        return ""
    key = said.get("api_key") or said.get("token")
    return key if isinstance(key, str) else ""


def _key_of_array(request: Request) -> str:
    found = _ARRAY.fullmatch(request.path)
    return unquote(found[1]) if found else ""


def _config(request: Request) -> Answer:
    """What the browser SDK asks for first: nothing is recorded, tested or asked by surveys."""
    return _SCRIPT if request.path.endswith(".js") else Answer(msgspec.json.encode(_CONFIG))


def _flags(request: Request) -> Answer:
    """There are no feature flags here."""
    return Answer(msgspec.json.encode(_NO_FLAGS))


_CAPTURE = Route(NAME, _success, events, _key, methods=("POST", "GET"), too_fast=503)
_ASKS = Route(NAME, _flags, key=_key)
_RECORDING = Route(NAME, _success, key=_key)
"""Session recordings are not taken, and their SDK is told nothing of it: it would send them again."""
ROUTES = {
    **dict.fromkeys(("/batch/", "/e", "/i/v0/e", "/capture"), _CAPTURE),
    **dict.fromkeys(("/flags", "/decide"), _ASKS),
    "/s": _RECORDING,
}
PATTERNS = ((_ARRAY, Route(NAME, _config, key=_key_of_array, methods=("GET",))),)
