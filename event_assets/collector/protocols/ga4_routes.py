"""The addresses of Google Analytics 4's Measurement Protocol, and what each is answered."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

import msgspec

from event_assets.collector.protocols.ga4 import NAME, events
from event_assets.collector.protocols.protocol import Answer, Request, Route, Unreadable
from event_assets.contract.decoder import EventDecoder, Rejection

_decoder = EventDecoder()
_MOST_JUDGED = 25
"""The events that the protocol allows in a request."""


def _success(request: Request) -> Answer:
    return Answer(b"")


def _key(request: Request) -> str:
    return request.parameter("api_secret")


def _validated(request: Request) -> Answer:
    """What is wrong with each of the first events by the contract; nothing is written."""
    try:
        messages = list(_messages(request))
    except Unreadable as error:
        messages = [_message("events", str(error), "INVALID_BODY")]
    return Answer(msgspec.json.encode({"validationMessages": messages}))


def _messages(request: Request) -> list[dict[str, str]]:
    verdicts = [_decoder.decode(text) for text in islice(events(request, "server"), _MOST_JUDGED)]
    return [
        _message(f"events[{place}]", verdict.detail, verdict.reason.upper())
        for place, verdict in enumerate(verdicts)
        if isinstance(verdict, Rejection)
    ]


def _message(path: str, description: str, code: str) -> dict[str, str]:
    return {"fieldPath": path, "description": description, "validationCode": code}


_POST = Route(NAME, _success, events, _key)
ROUTES = {"/mp/collect": _POST, "/debug/mp/collect": replace(_POST, answer=_validated, events=None)}
PATTERNS: tuple[tuple[re.Pattern[str], Route], ...] = ()
