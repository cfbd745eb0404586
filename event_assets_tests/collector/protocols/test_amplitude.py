"""What Amplitude's SDKs send, and the events that it becomes."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.amplitude import events
from event_assets.collector.protocols.members import session_id_of
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.streams import EventStream
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.examples import texts

Json = dict[str, Any]
DECODER = EventDecoder()
URL = "https://shop.example/p?utm_source=news"
SENT: Json = {
    "user_id": "u-1",
    "device_id": "d-1",
    "session_id": 1764331200000,
    "time": 1795870079500,
    "platform": "Web",
    "language": "en-US",
    "ip": "$remote",
    "insert_id": "i-1",
    "event_type": "[Amplitude] Page Viewed",
    "event_id": 2,
    "library": "amplitude-ts/2.48.1",
    "user_agent": "Mozilla/5.0",
    "event_properties": {
        "utm_source": "news",
        "referrer": "https://search.example/",
        "referring_domain": "search.example",
        "[Amplitude] Page Domain": "shop.example",
        "[Amplitude] Page Location": URL,
        "[Amplitude] Page Path": "/p",
        "[Amplitude] Page Title": "Page one",
        "[Amplitude] Page View ID": "p-1",
        "plan": None,
    },
}


def one(**fields: Any) -> Json:
    item = {name: value for name, value in {**SENT, **fields}.items() if value is not ...}
    body = {"api_key": "k", "events": [item], "client_upload_time": "2026-11-28T12:47:59.796Z"}
    [text] = events(Request("POST", "/2/httpapi", {}, {}, json.dumps(body).encode()), "server")
    made: Json = json.loads(text)
    return made


def test_a_page_view_has_its_fields_and_a_session_of_its_device() -> None:
    assert one() == {
        "event_id": "i-1",
        "event": "page_view",
        "user_id": "u-1",
        "anonymous_id": "d-1",
        "session_id": session_id_of("amplitude", "d-1", "1764331200000"),
        "page_view_id": "p-1",
        "occurred_at": "2026-11-28T12:47:59.500000Z",
        "sent_at": "2026-11-28T12:47:59.796Z",
        "platform": "web",
        "page": {"url": URL, "title": "Page one", "referrer": "https://search.example/"},
        "device": {"user_agent": "Mozilla/5.0", "locale": "en-US"},
        "library": {"name": "amplitude-ts", "version": "2.48.1"},
        "properties": {"plan": None},
    }


def test_what_is_set_of_a_person_is_traits_and_what_is_done_otherwise_is_kept() -> None:
    operations = {"$set": {"plan": "pro"}, "$setOnce": {"came": "ad"}, "$add": {"logins": 1}}
    event = one(event_type="$identify", event_properties=..., user_properties=operations)
    assert (event["event"], event["traits"], event["traits_once"]) == ("identify", {"plan": "pro"}, {"came": "ad"})
    assert event["context"] == {"user_properties": {"$add": {"logins": 1}}}
    plain = one(event_properties=..., user_properties={"plan": "pro"})
    assert (plain["traits"], "context" in plain) == ({"plan": "pro"}, False)


def test_a_group_of_nobody_stands_for_itself() -> None:
    said: Json = {"groups": {"company": "g-1"}, "group_properties": {"$set": {"name": "Initech"}}}
    nobody = {"user_id": ..., "device_id": ..., "session_id": -1, "event_properties": ...}
    event = one(event_type="$groupidentify", **said, **nobody)
    assert event["properties"] == {"group_type": "company", "group_key": "g-1"}
    assert (event["group_id"], event["traits"]) == ("company:g-1", {"name": "Initech"})
    assert event["anonymous_id"] == event["event_id"] and "session_id" not in event
    assert isinstance(DECODER.decode(json.dumps(event).encode()), Decoded)


def test_an_event_is_of_the_first_of_its_groups_and_the_others_are_kept() -> None:
    assert (one(groups={"company": 17})["group_id"], "context" in one(groups={"company": 17})) == ("company:17", False)
    several = {"company": ["g-1", "g-2"], "project": "p"}
    event = one(groups=several)
    assert (event["group_id"], event["context"]) == ("company:g-1", {"groups": several})
    assert "group_id" not in one(groups={"company": None, "team": "g" * 128})


def test_a_phone_tells_its_maker_and_the_ids_that_advertisers_know_it_by() -> None:
    event = one(platform="iOS", device_manufacturer="Apple", idfa="ad-1", idfv="d-1")
    assert event["device"].items() >= {"manufacturer": "Apple", "id": "d-1", "advertising_id": "ad-1"}.items()


def test_money_is_the_property_revenue_however_it_is_said() -> None:
    assert one(event_properties={"$price": 12.5, "$quantity": 2})["properties"]["revenue"] == 25.0
    assert one(event_properties={"$revenue": 12.5, "$currency": "EUR"})["properties"] == {
        "revenue": 12.5,
        "currency": "EUR",
    }
    assert one(event_properties={}, revenue=12.5)["properties"] == {"revenue": 12.5}


@given(
    st.dictionaries(st.sampled_from([*SENT, "user_properties", "groups", "group_properties", "revenue"]), JSON),
    st.dictionaries(st.sampled_from([*SENT["event_properties"], "$price", "$quantity", "$revenue"]), JSON),
    st.sampled_from(["$identify", "$groupidentify", "x"]),
)
def test_nothing_sent_crashes_the_translator_and_what_it_gives_gets_a_verdict(
    fields: Json, properties: Json, name: str
) -> None:
    item = {**SENT, "event_type": name, "event_properties": {**SENT["event_properties"], **properties}}
    body = json.dumps({"events": [item, {**item, **fields}, fields, 17]}).encode()
    with contextlib.suppress(Unreadable):
        for text in events(Request("POST", "/2/httpapi", {}, {}, body), "web"):
            DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b'{"events":' + b"[" * 5_000)
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    route = find_route("/2/httpapi")
    assert route is not None
    request = Request("POST", "/2/httpapi", {}, {}, body)
    route.key(request)
    route.answer(request)
    with contextlib.suppress(Unreadable):
        events(request, "web")


def test_the_answer_says_200_in_its_body_too(client: httpx.Client, stream: EventStream, key: str) -> None:
    del client.headers["x-write-key"]
    for path in ("/2/httpapi", "/batch"):
        answer = client.post(path, json={"api_key": key, "events": [SENT, 17]})
        assert (answer.status_code, answer.json()["code"], answer.json()["events_ingested"]) == (200, 200, 2)
    assert client.post("/2/httpapi", json={"api_key": "ea_no_no", "events": []}).status_code == 401
    assert len(written(stream)) == 4
