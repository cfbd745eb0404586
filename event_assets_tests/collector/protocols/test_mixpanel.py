"""What Mixpanel's SDKs send, and the events that it becomes."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.mixpanel import events, profiles
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.streams import EventStream
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.examples import texts

Json = dict[str, Any]
DECODER = EventDecoder()
RECEIVED = "2026-11-28T12:48:00.000Z"
URL = "https://shop.example/p?utm_source=news"
PROPERTIES: Json = {
    "$os": "Linux",
    "$browser": "Chrome",
    "$referrer": "https://search.example/",
    "$referring_domain": "search.example",
    "$current_url": URL,
    "$screen_height": 720,
    "$screen_width": 1280,
    "mp_lib": "web",
    "$lib_version": "2.83.0",
    "$insert_id": "i-1",
    "time": 1795870060.435,
    "utm_source": "news",
    "utm_medium": "email",
    "distinct_id": "$device:d-1",
    "$device_id": "d-1",
    "current_page_title": "Page one",
    "current_url_path": "/p",
    "token": "k",
    "mp_sent_by_lib_version": "2.83.0",
    "plan": None,
}


def sent(said: Any, path: str = "/track") -> Request:
    return Request("POST", path, {}, {}, json.dumps(said).encode(), "", RECEIVED)


def one(name: str = "Order Completed", /, **properties: Any) -> Json:
    said = {name: value for name, value in {**PROPERTIES, **properties}.items() if value is not ...}
    [text] = events(sent([{"event": name, "properties": said}]), "web")
    made: Json = json.loads(text)
    return made


def of_profile(**said: Any) -> Json:
    [text] = profiles(sent({"$token": "k", **said}, "/engage"), "server")
    made: Json = json.loads(text)
    return made


def test_a_page_view_has_its_fields_and_the_last_campaign_is_no_campaign_of_its_own() -> None:
    assert one("$mp_web_page_view") == {
        "event_id": "i-1",
        "event": "page_view",
        "anonymous_id": "d-1",
        "occurred_at": "2026-11-28T12:47:40.435000Z",
        "sent_at": RECEIVED,
        "platform": "web",
        "page": {"url": URL, "title": "Page one", "referrer": "https://search.example/"},
        "screen": {"width": 1280, "height": 720},
        "device": {"os": "Linux"},
        "library": {"name": "mixpanel-browser", "version": "2.83.0"},
        "properties": {"plan": None},
        "context": {"utm_medium": "email", "$browser": "Chrome"},
    }


@pytest.mark.parametrize(
    ("said", "user", "device"),
    [
        ({"distinct_id": "$device:d-1", "$device_id": ...}, None, "d-1"),
        ({"distinct_id": "d-1", "$device_id": "d-1"}, None, "d-1"),
        ({"distinct_id": "u-1"}, "u-1", "d-1"),
        ({"distinct_id": "$device:d-1", "$user_id": "u-1"}, "u-1", "d-1"),
        ({"distinct_id": "u-1", "$device_id": ..., "$anon_distinct_id": "$device:d-1"}, "u-1", "d-1"),
        ({"distinct_id": ..., "$device_id": ..., "$identified_id": "u-1", "$anon_id": "d-1"}, "u-1", "d-1"),
        ({"distinct_id": 17, "$device_id": ...}, "17", None),
        ({"distinct_id": ..., "$device_id": ...}, None, "i-1"),
    ],
)
def test_a_distinct_id_is_a_user_unless_it_is_the_devices(said: Json, user: str | None, device: str | None) -> None:
    event = one(**said)
    assert (event.get("user_id"), event.get("anonymous_id")) == (user, device)


def test_the_new_id_of_an_alias_is_the_users() -> None:
    for name, said in (("$create_alias", {"alias": "u-1"}), ("$merge", {"$distinct_ids": ["u-1", "$device:d-1"]})):
        event = one(name, **said)
        assert (event["event"], event["user_id"], event["properties"]["previous_id"]) == ("alias", "u-1", "d-1")
    half = one("$create_alias", alias="u-1", distinct_id=..., plan=..., **{"$device_id": ...})
    assert (half["user_id"], half.get("properties")) == ("u-1", None), (
        "the plan refuses it, and it is known whose it is"
    )


def test_what_says_once_more_whose_an_event_is_stands_nowhere_else() -> None:
    named = {"$identified_id": "u-1", "$anon_id": "d-1", "$anon_distinct_id": "d-2", "$device_id": ..., "plan": ...}
    event = one("$identify", distinct_id="$device:d-1", **named)
    assert (event["user_id"], event["anonymous_id"]) == ("u-1", "d-2")
    assert event["properties"] == {"$anon_id": "d-1", "distinct_id": "$device:d-1"}, "another id of theirs stays"
    event = one("$identify", distinct_id="d-1", **{**named, "$anon_distinct_id": "d-1"})
    assert (event["anonymous_id"], event.get("properties")) == ("d-1", None)
    assert isinstance(DECODER.decode(json.dumps(one("$merge", **{"$distinct_ids": ["u-1"]})).encode()), Decoded)


def test_a_phone_tells_its_platform_and_its_session() -> None:
    said = {**PROPERTIES, "mp_lib": "swift", "$os": "iOS", "$model": "iPhone15,2", "$app_version_string": "1.2"}
    said |= {"$manufacturer": "Apple", "$current_url": None}
    message = {"event": "x", "properties": said, "$mp_metadata": {"$mp_event_id": "e", "$mp_session_id": "s-1"}}
    event = json.loads(events(sent(message), "web")[0])
    assert (event["platform"], event["session_id"], event["app"]) == ("ios", "s-1", {"version": "1.2"})
    assert event["device"] == {"model": "iPhone15,2", "os": "iOS", "manufacturer": "Apple"}
    assert event["campaign"] == {"source": "news", "medium": "email"}


def test_what_is_set_of_a_user_is_traits_and_what_is_done_otherwise_is_kept() -> None:
    person = {"$distinct_id": "u-1", "$set": {"$email": "a@b.example", "$os": "Linux", "plan": None}}
    event = of_profile(**person, **{"$add": {"logins": 1}, "$set_once": {"$name": "A", "came": "ad"}})
    assert (event["event"], event["user_id"]) == ("identify", "u-1")
    assert event["traits_once"] == {"name": "A", "came": "ad"}
    assert event["traits"] == {"email": "a@b.example", "plan": None}
    assert event["context"] == {"$add": {"logins": 1}, "$set": {"$os": "Linux"}}


def test_what_is_set_of_a_group_is_a_group_of_nobody() -> None:
    event = of_profile(**{"$group_key": "company", "$group_id": "g-1", "$set": {"name": "Initech"}})
    assert event["properties"] == {"group_type": "company", "group_key": "g-1"}
    assert (event["event"], event["group_id"], event["traits"]) == ("group", "company:g-1", {"name": "Initech"})
    assert event["anonymous_id"] == event["event_id"]
    assert isinstance(DECODER.decode(json.dumps(event).encode()), Decoded)


def test_the_same_event_has_one_id_and_events_that_say_no_time_have_one_each() -> None:
    timed, untimed = (
        [one(**{"$insert_id": ..., **said})["event_id"] for _ in range(2)] for said in ({}, {"time": ...})
    )
    assert timed[0] == timed[1] and untimed[0] != untimed[1]


@pytest.mark.parametrize("lines", [False, True])
def test_data_comes_as_a_form_in_base64_or_as_json(lines: bool) -> None:
    item = {"event": "x", "properties": PROPERTIES}
    said = f"{json.dumps(item)}\n{json.dumps(item)}" if lines else json.dumps([item, item])
    packed = base64.b64encode(said.encode()).decode()
    want = events(Request("POST", "/track", {}, {}, said.encode()), "web")
    assert len(want) == 2
    for form in ({"data": said}, {"verbose": 1, "data": packed}):
        assert events(Request("POST", "/track", {}, {}, urlencode(form).encode()), "web") == want
    assert events(Request("GET", "/track", {"data": [packed]}), "web") == want


@given(
    st.dictionaries(
        st.sampled_from(["event", "properties", "$mp_metadata", "$set", "$group_id", "$distinct_id"]), JSON
    ),
    st.dictionaries(st.sampled_from([*PROPERTIES, "$user_id", "alias", "$distinct_ids", "ip"]), JSON),
    st.sampled_from(["$identify", "$create_alias", "$merge", "x"]),
)
def test_nothing_sent_crashes_the_translator_and_what_it_gives_gets_a_verdict(
    fields: Json, properties: Json, name: str
) -> None:
    item = {"event": name, "properties": {**PROPERTIES, **properties}}
    request = sent([item, {**item, **fields}, fields, 17])
    for translate in (events, profiles):
        with contextlib.suppress(Unreadable):
            for text in translate(request, "web"):
                DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b"[" * 5_000)
@example(b"data=[" + b"[" * 5_000)
@example(b"data=e")
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    for path in ("/track", "/engage", "/import", "/record"):
        route = find_route(path)
        assert route is not None
        request = Request("POST", path, {}, {}, body)
        route.key(request)
        route.answer(request)
        route.is_anonymous(request)
        if route.events is not None:
            with contextlib.suppress(Unreadable):
                route.events(request, "web")


def test_each_endpoint_answers_with_what_its_sdk_takes_for_success(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    del client.headers["x-write-key"]
    item = {"event": "x", "properties": {**PROPERTIES, "token": key}}
    packed = base64.b64encode(json.dumps(item).encode()).decode()
    assert client.get("/track", params={"data": packed}).text == "1"
    assert client.post("/track/", data={"data": packed, "verbose": "1"}).json() == {"status": 1, "error": None}
    assert client.get("/track", params={"data": packed, "img": "1"}).headers["content-type"] == "image/gif"
    person = {"$token": key, "$distinct_id": "u-1", "$set": {"plan": "pro"}}
    assert client.post("/engage", data={"data": json.dumps(person)}).text == "1"
    told = client.post("/import", json=[item, {"properties": {"time": 1}}])
    assert told.json() == {"code": 200, "num_records_imported": 2, "status": "OK"}
    assert client.post("/track", data={"data": json.dumps({"event": "x"})}).status_code == 401
    lines = list(map(json.loads, written(stream)))
    assert len(lines) == 6 and len([line for line in lines if line.get("protocol") == "mixpanel"]) == 1


def test_no_address_is_kept_where_the_sdk_says_that_it_is_not_the_persons(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    for ip in ("0", "1"):
        client.post("/track", params={"ip": ip}, json={"event": f"x{ip}", "properties": PROPERTIES})
    kept = {event["event"]: "ip" in event for event in map(json.loads, written(stream))}
    assert kept == {"x0": False, "x1": True}
