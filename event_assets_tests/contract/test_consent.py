"""What stays of an event whose person refused analytics, and that nothing else does."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.consent import (
    RECORD_OF_REFUSAL,
    is_stripped,
    may_refuse,
    path_alone,
    stripped,
    stripped_id,
    written,
)
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.event import Event
from event_assets_tests.contract.events import FULL, encode, line, valid_events

RECEIVED = dt.datetime(2026, 3, 1, 10, 11, 13, 100_000, dt.timezone(dt.timedelta(hours=1)))
HAPPENED = dt.datetime(2026, 3, 1, 9, 10, 59, 999_999, dt.UTC)
REFUSED = {"analytics": False, "marketing": True, "personalisation": None}
DECODER = EventDecoder()


def event_of(text: bytes) -> Event:
    decoded = DECODER.decode(text)
    assert isinstance(decoded, Decoded), decoded
    return decoded.event


def left_of(sent: dict[str, Any]) -> dict[str, Any]:
    """What is written of an event with this content, as JSON says it; what is null left out."""
    said = written(stripped(event_of(encode(sent)), RECEIVED, HAPPENED, "AT").event)
    left: dict[str, Any] = _without_null(json.loads(msgspec.json.encode(said)))
    return left


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(part) for name, part in value.items() if part is not None}
    return value


def test_name_minute_platform_app_path_country_and_the_consent_stay_and_nothing_else() -> None:
    left = left_of({**FULL, "consent": {**REFUSED, "source": "Jane"}, "email": "jane@mail.example"})
    assert is_stripped(left.pop("event_id"))
    assert is_stripped(left.pop("anonymous_id"))
    assert left == {
        "event": "page_view",
        "schema_version": 1,
        "platform": "web",
        "received_at": "2026-03-01T09:11:00Z",
        "derived_at": "2026-03-01T09:10:00Z",
        "app": FULL["app"],
        "page": {"url": "https://shop.example/cart"},
        "ip": "AT",
        "consent": {"analytics": False, "marketing": True},
    }


def test_the_record_of_a_refusal_keeps_who_refused_and_exactly_when() -> None:
    asked = {"source": "banner", "text_version": "2026-09"}
    left = left_of({**FULL, "event": RECORD_OF_REFUSAL, "consent": {**REFUSED, **asked}})
    assert left["consent"] == {"analytics": False, "marketing": True, **asked}
    properties = {"source": "banner", "policy_version": "2026-09", "other": "Jane"}
    told = left_of({**FULL, "event": RECORD_OF_REFUSAL, "consent": REFUSED, "properties": properties})
    assert told["consent"] == left["consent"]
    for name in ("event_id", "anonymous_id", "user_id"):
        assert left[name] == FULL[name]
    assert (left["received_at"], left["derived_at"]) == ("2026-03-01T09:11:13.100000Z", "2026-03-01T09:10:59.999999Z")
    assert not {"session_id", "page_view_id", "sequence", "properties", "traits", "device"} & left.keys()


@given(valid_events())
def test_a_stripped_event_keeps_the_contract_and_stripping_it_again_changes_nothing(sent: dict[str, Any]) -> None:
    once = stripped(event_of(encode({**sent, "consent": REFUSED})), RECEIVED, HAPPENED, "AT")
    again = event_of(msgspec.json.encode(written(once.event)))
    twice = stripped(again, once.received_at, once.derived_at, again.ip)
    assert (written(twice.event), twice[1:]) == (written(once.event), once[1:])


@given(valid_events(), valid_events())
def test_an_event_sent_again_has_the_same_id_and_another_one_has_not(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, later = event_of(encode(one)), event_of(encode({**one, "sent_at": "2026-03-01T10:11:19Z"}))
    assert stripped_id(first) == stripped_id(later)
    other = event_of(encode(two))
    whose = [(event.event_id, event.anonymous_id, event.user_id) for event in (first, other)]
    assert (stripped_id(first) == stripped_id(other)) is (whose[0] == whose[1])


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.example/cart?email=jane@mail.example#jane", "https://shop.example/cart"),
        ("https://jane:secret@shop.example:8443/a/b", "https://shop.example:8443/a/b"),
        ("https://shop.example/a;jsessionid=7/b;x=1?q", "https://shop.example/a/b"),
        ("https://shop.example/unsubscribe/jane@mail.example/now", "https://shop.example/unsubscribe/*/now"),
        ("https://shop.example/unsubscribe/jane%40mail.example", "https://shop.example/unsubscribe/*"),
        ("/cart?email=jane@mail.example", "/cart"),
        ("?email=jane@mail.example", None),
        ("mailto:jane@mail.example", None),
        ("file:///home/jane/diary.html", None),
        ("data:text/html,jane", None),
        ("https://[jane", None),
    ],
)
def test_of_a_page_only_its_path_stays(url: str, path: str | None) -> None:
    assert path_alone(url) == path


@pytest.mark.parametrize(
    "text",
    [
        line(consent={"analytics": False}),
        line(platform="toaster", consent={"marketing": True, "analytics": False}),
        line(consent={"analytics": "false"}),
        line(consent={"analytics": 0}),
        line(consent={"analytics": 1}),
        line(consent="denied"),
        line(consent=False),
        line(consent={"analytics": False})[:-1],
        line()[:-1] + b',"consent" : { "marketing":true, "analytics" : "no',
        line()[:-1] + b',"consent":{"analytics":true},"consent":{"analytics":false}}',
    ],
)
def test_a_broken_event_refuses_whatever_way_its_refusal_is_written(text: bytes) -> None:
    assert may_refuse(text)


@pytest.mark.parametrize(
    "text",
    [b"", b"[1]", b"7", line(), line(consent=None), line(consent={}), line(consent={"analytics": True})[:-1]],
)
def test_a_broken_event_that_says_nothing_of_a_refusal_is_none(text: bytes) -> None:
    assert not may_refuse(text)


@given(st.binary(max_size=30))
def test_any_bytes_refuse_or_do_not(text: bytes) -> None:
    assert may_refuse(b'{"consent":{"analytics":' + text) in (True, False)
