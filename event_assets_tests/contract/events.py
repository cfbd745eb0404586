"""Events for tests: one that keeps every rule, changed as a test needs it, and strategies that draw others.

No tests here.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, get_args

from hypothesis import strategies as st

from event_assets.contract.event import Platform
from event_assets.contract.placeholders import Placeholders
from event_assets_tests.examples import texts

FULL: dict[str, Any] = {
    "event_id": "0192f0c1-7b7e-7cc3-98c4-dc0c0c07398f",
    "event": "page_view",
    "schema_version": 1,
    "anonymous_id": "b7a1d3d0-6a1c-4a36-9a30-3f5ad0b5f5a1",
    "user_id": "u-17",
    "session_id": "s-1",
    "page_view_id": "pv-1",
    "group_id": "g-1",
    "install_id": "i-1",
    "sequence": 41,
    "occurred_at": "2026-03-01T10:11:12.123+01:00",
    "sent_at": "2026-03-01T10:11:13+01:00",
    "received_at": "2026-03-01T09:11:13.100Z",
    "derived_at": "2026-03-01T09:11:12.223Z",
    "platform": "web",
    "app": {"id": "shop", "version": "1.2.3", "build": "77"},
    "page": {"url": "https://shop.example/cart?x=1", "title": "Cart", "referrer": "https://search.example/"},
    "screen": {"name": "Home", "width": 1920, "height": 1080},
    "viewport": {"width": 1280, "height": 720.5},
    "document": {"width": 1280, "height": 4000},
    "scroll": {"x_max": 0, "y_max": 2200},
    "campaign": {"source": "news", "medium": "email", "name": "spring", "term": "shoes", "content": "top"},
    "device": {
        "user_agent": "Mozilla/5.0",
        "model": "Pixel 9",
        "os": "Android",
        "os_version": "16",
        "locale": "de-AT",
        "timezone": "Europe/Vienna",
        "manufacturer": "Google",
        "id": "d-1",
        "advertising_id": "7a3c",
        "ad_tracking": False,
    },
    "ip": "203.0.113.0",
    "consent": {"analytics": True, "marketing": True, "personalisation": False},
    "properties": {"page_type": "cart", "site_id": "site-1"},
    "traits": {"plan": "free"},
    "traits_once": {"first_plan": "free"},
    "context": {"network": {"wifi": True}},
    "library": {"name": "web", "version": "0.1.0"},
}
"""Every field of the contract, each with a value that keeps its rule."""

SMALL: dict[str, Any] = {"event_id": "e-1", "event": "Order Completed", "anonymous_id": "a-1", "platform": "web"}
"""The required fields alone."""


def line(**changes: Any) -> bytes:
    """The small event as JSON with these fields changed; `...` leaves a field out."""
    return encode({name: value for name, value in {**SMALL, **changes}.items() if value is not ...})


def encode(event: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def with_text(name: str, text: bytes) -> bytes:
    """The small event with one more field whose JSON text is given byte for byte."""
    return line()[:-1] + b',"' + name.encode() + b'":' + text + b"}"


ids = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=8), inner, max_size=3),
    max_leaves=6,
)
instants = st.datetimes(timezones=st.integers(-840, 840).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))).filter(
    lambda at: 1 < at.year < 9999
)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128).filter(
    lambda text: text not in Placeholders()
)


@st.composite
def valid_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event that keeps the contract, with any of the optional fields."""
    event: dict[str, Any] = {
        "event_id": draw(ids),
        "event": draw(names),
        "platform": draw(st.sampled_from(get_args(Platform))),
        "anonymous_id": draw(names),
    }
    for name in draw(st.sets(st.sampled_from(sorted(set(FULL) - set(event))))):
        event[name] = FULL[name]
    if draw(st.booleans()):
        event["occurred_at"] = draw(instants).isoformat()
    if draw(st.booleans()):
        event["properties"] = draw(st.dictionaries(texts(max_size=8), json_values, max_size=4))
    if draw(st.booleans()):
        event["session_id"] = draw(st.none() | names)
    return event
