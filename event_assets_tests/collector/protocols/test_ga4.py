"""What is sent by Google Analytics 4's Measurement Protocol, and the events that it becomes."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.ga4 import events
from event_assets.collector.protocols.members import session_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.contract.decoder import EventDecoder
from event_assets.streams import EventStream
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.examples import texts

Json = dict[str, Any]
DECODER = EventDecoder()
RECEIVED = "2026-11-28T12:48:00.000Z"
VIEW: Json = {
    "name": "page_view",
    "params": {
        "page_location": "https://shop.example/p",
        "page_title": "Page one",
        "page_referrer": "https://search.example/",
        "session_id": "1764331200",
        "engagement_time_msec": 100,
    },
}
SENT: Json = {
    "client_id": "c-1",
    "user_id": "u-1",
    "timestamp_micros": "1795870060435000",
    "user_properties": {"plan": {"value": "pro", "set_timestamp_micros": 1}},
    "user_data": {"sha256_email_address": ["0f"]},
    "consent": {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"},
    "device": {"language": "en-US", "screen_resolution": "1280x720", "category": "desktop"},
    "ip_override": "203.0.113.7",
    "events": [VIEW],
}


def made(**fields: Any) -> list[Json]:
    body = {name: value for name, value in {**SENT, **fields}.items() if value is not ...}
    query = {"measurement_id": ["G-1"], "api_secret": ["k"]}
    request = Request("POST", "/mp/collect", query, {}, json.dumps(body).encode(), "", RECEIVED)
    return [json.loads(text) for text in events(request, "server")]


def test_a_page_view_has_its_fields_and_a_session_of_its_client() -> None:
    [event] = made()
    assert event.pop("event_id").startswith("ga4-")
    assert event == {
        "event": "page_view",
        "user_id": "u-1",
        "anonymous_id": "c-1",
        "session_id": session_id_of("ga4", "c-1", "1764331200"),
        "occurred_at": "2026-11-28T12:47:40.435000Z",
        "sent_at": RECEIVED,
        "ip": "203.0.113.7",
        "platform": "server",
        "consent": {"marketing": True, "personalisation": False},
        "traits": {"plan": "pro"},
        "app": {"id": "G-1"},
        "page": {"url": "https://shop.example/p", "title": "Page one", "referrer": "https://search.example/"},
        "screen": {"width": 1280, "height": 720},
        "device": {"locale": "en-US"},
        "properties": {"engagement_time_msec": 100},
        "context": {"device": {"category": "desktop"}},
    }


def test_a_purchase_has_a_revenue_and_other_values_are_none() -> None:
    params = {"value": 12.5, "currency": "EUR", "transaction_id": "t-1"}
    purchase, cart = made(events=[{"name": name, "params": params} for name in ("purchase", "add_to_cart")])
    assert purchase["properties"] == {"revenue": 12.5, "currency": "EUR", "transaction_id": "t-1"}
    assert cart["properties"] == params


def test_an_event_about_a_campaign_or_a_group_says_which() -> None:
    params = {"source": "news", "medium": "email", "campaign": "spring", "campaign_id": "17"}
    came, joined, other = made(
        events=[
            {"name": "campaign_details", "params": params},
            {"name": "join_group", "params": {"group_id": "g-1"}},
            {"name": "x", "params": params},
        ]
    )
    assert came["campaign"] == {"source": "news", "medium": "email", "name": "spring"}
    assert came["properties"] == {"campaign_id": "17"}
    assert (joined["group_id"], "properties" in joined) == ("g-1", False)
    assert ("campaign" in other, other["properties"]) == (False, params)


def test_an_events_own_time_comes_first_and_a_phone_is_known_by_its_system() -> None:
    device = {"operating_system": "Android", "model": "Pixel 9", "brand": "Google"}
    own = {"name": "x", "timestamp_micros": 1795870061435000}
    [event] = made(client_id=..., app_instance_id="a-1", device=device, events=[own])
    assert event["occurred_at"] == "2026-11-28T12:47:41.435000Z"
    assert (event["platform"], event["anonymous_id"]) == ("android", "a-1")
    assert event["device"] == {"os": "Android", "model": "Pixel 9", "manufacturer": "Google"}


def test_what_was_sent_again_has_its_id_and_events_that_say_no_time_have_one_each() -> None:
    assert made() == made() and len({event["event_id"] for event in made(events=[VIEW, VIEW])}) == 2
    assert made(timestamp_micros=...)[0]["event_id"] != made(timestamp_micros=...)[0]["event_id"]


@given(st.dictionaries(st.sampled_from([*SENT, "non_personalized_ads", "app_instance_id"]), JSON), JSON, JSON)
def test_nothing_sent_crashes_the_translator_and_what_it_gives_gets_a_verdict(
    fields: Json, event: Any, params: Any
) -> None:
    body = {**SENT, "events": [VIEW, event, {"name": "x", "params": params}], **fields}
    with contextlib.suppress(Unreadable):
        for text in events(Request("POST", "/mp/collect", {}, {}, json.dumps(body).encode()), "web"):
            DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b'{"events":' + b"[" * 5_000)
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    for path in ("/mp/collect", "/debug/mp/collect"):
        route = find_route(path)
        assert route is not None
        request = Request("POST", path, {}, {}, body)
        route.key(request)
        route.answer(request)
        if route.events is not None:
            with contextlib.suppress(Unreadable):
                route.events(request, "web")


def test_what_is_sent_for_validation_is_judged_and_not_written(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    del client.headers["x-write-key"]
    query = {"measurement_id": "G-1", "api_secret": key}
    wrong = {**SENT, "events": [VIEW, {"name": ""}]}
    [message] = client.post("/debug/mp/collect", params=query, json=wrong).json()["validationMessages"]
    assert (message["fieldPath"], message["validationCode"]) == ("events[1]", "MISSING_FIELD")
    answer = client.post("/mp/collect", params=query, json=wrong)
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.post("/mp/collect", params={"api_secret": "no"}, json=SENT).status_code == 401
    assert len(written(stream)) == 2
