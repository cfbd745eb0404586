"""The addresses that Mixpanel's SDKs call, and what they take for success."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from event_assets.collector.pixel import GIF
from event_assets.collector.protocols.forms import data_of, said
from event_assets.collector.protocols.mixpanel import NAME, events, profiles, texts
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable

_TOKEN = re.compile(rb'"\$?token"\s*:\s*"(ea_[0-9a-f]+_[0-9a-f]+)"')


def _success(request: Request) -> Answer:
    """`1`, or what a client that asks for words takes for it."""
    if said(request, "verbose") == "1":
        return Answer(b'{"status":1,"error":null}')
    return Answer(GIF, "image/gif") if said(request, "img") == "1" else Answer(b"1")


def _imported(request: Request) -> Answer:
    """The same for an import, with the number of events."""
    try:
        count = len(texts(request))
    except Unreadable:
        count = 0
    words = {"status": 1, "error": None} if said(request, "verbose") == "1" else {"status": "OK"}
    return Answer(msgspec.json.encode({"code": 200, "num_records_imported": count, **words}))


def _key(request: Request) -> str:
    """The token of the first event that has one."""
    try:
        found = _TOKEN.search(data_of(request))
    except Unreadable:
        found = None
    return found[1].decode() if found else said(request, "token") or said(request, "api_key")


def _is_told(request: Request) -> bool:
    """Whether the client says that its address is not the person's."""
    return said(request, "ip") == "0"


_TRACK = Route(NAME, _success, events, _key, methods=("POST", "GET"), is_anonymous=_is_told, too_fast=503)
_PROFILES = replace(_TRACK, events=profiles)
_RECORDING = Route(NAME, _success, key=_key)
"""Session recordings are not taken, and their SDK is told nothing of it: it would send them again."""
ROUTES = {
    "/track": _TRACK,
    **dict.fromkeys(("/engage", "/groups"), _PROFILES),
    "/import": replace(_TRACK, answer=_imported, methods=("POST",)),
    "/record": _RECORDING,
}
PATTERNS: tuple[tuple[re.Pattern[str], Route], ...] = ()
