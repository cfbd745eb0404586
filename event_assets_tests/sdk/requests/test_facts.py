"""What a request tells of its visitor, and what it does not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets_sdk.requests.facts import Facts, Reading, fields_of

NOW = 1_795_341_600.0


def cookie(**known: Any) -> str:
    return f"other=1; ea={quote(json.dumps({f'ea.{name}': value for name, value in known.items()}))}"


def read(reading: Reading = Reading(), **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return fields_of(Facts("https://shop.example/cart?x=1", "10.0.0.1", named.get), reading, NOW)


def test_the_visitor_is_who_the_web_sdk_says() -> None:
    session = f"s {(NOW - 600) * 1000:.0f} {(NOW - 60) * 1000:.0f}"
    consent = '{"analytics":true,"marketing":false}'
    found = read(cookie=cookie(id="a", user="u", group="acme", session=session, consent=consent))
    del found["context"]
    assert found == {
        "anonymous_id": "a",
        "user_id": "u",
        "group_id": "acme",
        "session_id": "s",
        "consent": {"analytics": True, "marketing": False},
    }


def test_global_privacy_control_answers_what_the_visitor_did_not() -> None:
    answered = {"sell_or_share": False, "gpc": True}
    assert read(sec_gpc="1")["consent"] == answered and "consent" not in read(sec_gpc="0")
    chosen = read(sec_gpc="1", cookie=cookie(consent='{"analytics":true}'))
    assert chosen["consent"] == {"analytics": True, **answered}
    agreed = read(sec_gpc="1", cookie=cookie(consent='{"sell_or_share":true}'))
    assert agreed["consent"] == {"sell_or_share": True}


def test_a_session_that_is_over_is_none_and_an_opt_out_is_a_refusal() -> None:
    found = read(cookie=cookie(id="a", session=f"s 0 {(NOW - 1_801) * 1000:.0f}", out="1"))
    assert "session_id" not in found and found["consent"] == {"analytics": False}


def test_page_agent_and_address_are_those_of_the_request() -> None:
    assert read(user_agent="Mozilla", referer="https://search.example/")["context"] == {
        "page": {"url": "https://shop.example/cart?x=1", "referrer": "https://search.example/"},
        "ip": "10.0.0.1",
        "device": {"user_agent": "Mozilla"},
    }


@pytest.mark.parametrize(("proxies", "address"), [(0, "10.0.0.1"), (1, "5.5.5.5"), (2, "4.4.4.4"), (9, "10.0.0.1")])
def test_only_as_many_addresses_are_believed_as_there_are_proxies_of_ours(proxies: int, address: str) -> None:
    assert read(Reading(proxies), x_forwarded_for="1.1.1.1, 4.4.4.4, 5.5.5.5")["context"]["ip"] == address


@given(st.text() | st.text().map(lambda text: f"ea={quote(text, errors='replace')}"))
def test_no_cookie_breaks_a_request(text: str) -> None:
    assert set(read(cookie=text)) <= {"anonymous_id", "user_id", "group_id", "session_id", "consent", "context"}
