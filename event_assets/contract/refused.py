"""A line that stands for an event that breaks a rule, with the reason: written where its bytes may not be kept as they
came, so that they could not be judged a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from event_assets.contract.decoder import Rejection
from event_assets.contract.rejections import Reason

_HEAD = b'{"refused":'


class _Why(msgspec.Struct, omit_defaults=True):
    reason: Reason
    detail: str
    event_id: str | None = None
    event: str | None = None


class _Line(msgspec.Struct):
    refused: _Why


_line = msgspec.json.Decoder(_Line)


def refused_line(why: Rejection, fields: Mapping[str, Any]) -> bytes:
    """The line: why, and what is kept of the event.

    >>> refused_line(Rejection("missing_field", "event is required", "e-1"), {"event_id": "e-1"})
    b'{"refused":{"reason":"missing_field","detail":"event is required","event_id":"e-1"},"event_id":"e-1"}'
    """
    return msgspec.json.encode({"refused": _Why(*why), **{n: kept for n, kept in fields.items() if n != "refused"}})


def rejection_of(line: bytes) -> Rejection | None:
    """Why the event that a line stands for was refused; None of every other line."""
    if not line.startswith(_HEAD):
        return None
    try:
        why = _line.decode(line).refused
    except (ValueError, RecursionError):
        return None
    return Rejection(why.reason, why.detail, why.event_id, why.event)
