"""Messages of the Segment specification, and the events that they become."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.collector.protocols.segment import events
from event_assets.contract.decoder import EventDecoder, Rejection
from event_assets.contract.event import Platform
from event_assets.streams import EventStream
from event_assets_tests.collector.conftest import ORIGIN
from event_assets_tests.collector.faults import FaultyStream
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.examples import texts

Json = dict[str, Any]
TRACK: Json = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "anonymousId": "a-1",
    "userId": None,
    "timestamp": "2026-11-22T10:00:00.123Z",
    "properties": {"revenue": 12.50, "coupon": None},
    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
}
CALL: Json = {name: value for name, value in TRACK.items() if name != "event"}
PAGE: Json = {
    "type": "page",
    "messageId": "m-2",
    "anonymousId": "a-1",
    "userId": "u-1",
    "name": "P1",
    "category": "Docs",
    "timestamp": "2026-11-22T10:00:00.123Z",
    "integrations": {"Segment.io": True},
    "_metadata": {"bundled": ["Segment.io"]},
    "writeKey": "k",
    "properties": {
        "path": "/p",
        "referrer": "https://search.example/",
        "search": "?utm_source=news",
        "title": "Page one",
        "url": "https://shop.example/p?utm_source=news",
    },
    "context": {
        "page": {
            "path": "/p",
            "referrer": "https://search.example/",
            "search": "?utm_source=news",
            "title": "Page one",
            "url": "https://shop.example/p?utm_source=news",
            "tab_url": "https://shop.example/p?utm_source=news#x",
        },
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
        "userAgentData": {"mobile": False},
        "locale": "en-US",
        "timezone": "Europe/Vienna",
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        "campaign": {"source": "news"},
        "screen": {"width": 1280, "height": 720, "innerWidth": "1200", "innerHeight": 700, "density": 2},
        "sessionId": 1795870007644,
    },
}
PHONE: Json = {
    "os": {"name": "iOS", "version": "17.1"},
    "device": {
        "type": "ios",
        "model": "iPhone15,2",
        "manufacturer": "Apple",
        "advertisingId": "7A3C",
        "adTrackingEnabled": True,
    },
    "app": {"name": "Shop", "namespace": "example.shop", "version": "3.2.1", "build": "3210"},
    "network": {"wifi": True},
    "ip": "203.0.113.7",
}


def translated(body: Any, path: str = "/v1/batch", platform: Platform = "web", **headers: str) -> list[Any]:
    request = Request("POST", path, {}, headers, json.dumps(body).encode())
    return [json.loads(text) for text in events(request, platform)]


def one(message: Json, **more: Any) -> Json:
    event: Json
    [event] = translated({"batch": [{**message, **more}], "sentAt": "2026-11-22T10:00:01.000Z"})
    return event


def test_a_track_call_is_its_event() -> None:
    assert one(TRACK) == {
        "event_id": "m-1",
        "event": "Order Completed",
        "anonymous_id": "a-1",
        "occurred_at": "2026-11-22T10:00:00.123Z",
        "sent_at": "2026-11-22T10:00:01.000Z",
        "platform": "web",
        "library": {"name": "analytics-python", "version": "2.4.0"},
        "properties": {"revenue": 12.5, "coupon": None},
    }


def test_a_page_call_is_a_page_view_and_what_has_no_field_is_its_context() -> None:
    assert one(PAGE) == {
        "event_id": "m-2",
        "event": "page_view",
        "user_id": "u-1",
        "anonymous_id": "a-1",
        "session_id": "1795870007644",
        "occurred_at": "2026-11-22T10:00:00.123Z",
        "sent_at": "2026-11-22T10:00:01.000Z",
        "platform": "web",
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        "device": {
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
            "locale": "en-US",
            "timezone": "Europe/Vienna",
        },
        "screen": {"width": 1280, "height": 720},
        "viewport": {"width": 1200, "height": 700},
        "page": {
            "url": "https://shop.example/p?utm_source=news",
            "title": "Page one",
            "referrer": "https://search.example/",
        },
        "campaign": {"source": "news"},
        "properties": {"name": "P1", "category": "Docs"},
        "context": {
            "userAgentData": {"mobile": False},
            "page": {"tab_url": "https://shop.example/p?utm_source=news#x"},
            "screen": {"density": 2},
        },
    }


def test_of_a_page_what_the_call_says_comes_before_its_context_which_is_kept() -> None:
    event = one(PAGE, properties={"url": "https://shop.example/other", "path": "/elsewhere"})
    assert event["page"]["url"] == "https://shop.example/other"
    assert event["properties"]["path"] == "/elsewhere"
    assert event["context"]["page"]["url"] == "https://shop.example/p?utm_source=news"


def test_the_other_calls_have_their_events() -> None:
    screen = one(CALL, type="screen", name="Cart", properties={"x": 1})
    assert (screen["event"], screen["screen"], screen["properties"]) == (
        "screen_view",
        {"name": "Cart"},
        {"x": 1, "name": "Cart"},
    )
    identify = one(CALL, type="identify", userId=17, traits={"plan": "pro"}, properties=None)
    assert (identify["event"], identify["user_id"], identify["traits"]) == ("identify", "17", {"plan": "pro"})
    alias = one(CALL, type="alias", userId="u-1", previousId="a-0", properties=None)
    assert (alias["event"], alias["properties"]) == ("alias", {"previous_id": "a-0"})
    group = one(CALL, type="group", groupId="g-1", traits={"name": "Initech"}, properties={})
    assert (group["event"], group["group_id"], group["traits"]) == ("group", "g-1", {"name": "Initech"})
    assert "properties" not in group


def test_the_group_that_a_call_is_made_in_is_its_group() -> None:
    context = {"groupId": "g-1"}
    assert (one(TRACK, context=context)["group_id"], "context" in one(TRACK, context=context)) == ("g-1", False)
    assert one(CALL, type="group", context=context)["group_id"] == "g-1"
    other = one(CALL, type="group", groupId="g-2", context=context)
    assert (other["group_id"], other["context"]) == ("g-2", context)


def test_what_is_too_long_for_an_id_that_the_contract_can_do_without_is_kept_in_the_context() -> None:
    said = {"groupId": "g" * 129, "device": {"id": "d" * 128, "advertisingId": "a" * 129}}
    event = one(TRACK, context=said)
    assert event["device"] == {"id": "d" * 128}
    assert event["context"] == {"groupId": "g" * 129, "device": {"advertisingId": "a" * 129}}


def test_a_campaign_is_the_events_and_what_else_is_said_of_it_is_kept() -> None:
    said = {"source": "news", "medium": "email", "name": "spring", "term": "", "content": None, "id": 17}
    event = one(TRACK, context={"campaign": said})
    assert event["campaign"] == {"source": "news", "medium": "email", "name": "spring"}
    assert event["context"] == {"campaign": {"id": 17}}


def test_traits_are_the_persons_on_identify_alone() -> None:
    context = {"traits": {"email": "a@example.com"}}
    identify = one(CALL, type="identify", context=context)
    assert (identify["traits"], "context" in identify) == ({"email": "a@example.com"}, False)
    track = one(TRACK, context=context)
    assert ("traits" in track, track["context"]) == (False, context)
    both = one(CALL, type="identify", traits={"plan": "pro"}, context=context)
    assert (both["traits"], both["context"]) == ({"plan": "pro"}, context)


def test_a_phone_is_known_by_its_device_whatever_the_key_is_for() -> None:
    event = one(TRACK, context=PHONE)
    assert (event["platform"], event["ip"]) == ("ios", "203.0.113.7")
    assert event["app"] == {"id": "example.shop", "version": "3.2.1", "build": "3210"}
    assert event["device"] == {
        "model": "iPhone15,2",
        "os": "iOS",
        "os_version": "17.1",
        "manufacturer": "Apple",
        "advertising_id": "7A3C",
        "ad_tracking": True,
    }
    assert event["context"] == {"app": {"name": "Shop"}, "network": {"wifi": True}}
    assert one(TRACK, context={"os": {"name": "tvOS"}, "device": {"model": "TV"}})["platform"] == "tv"


@pytest.mark.parametrize(
    "said",
    [
        {"consent": {"categoryPreferences": {"Advertising": False, "Analytics": True, "house": False}}},
        {"consentManagement": {"allowedConsentIds": ["C0002"], "deniedConsentIds": ["C0004"]}},
    ],
)
def test_consent_is_understood_by_the_usual_names_and_what_advertising_uses_goes_without_it(said: Json) -> None:
    device = {**PHONE["device"], "id": "d-1", "token": "t-1", "name": "Mine"}
    event = one(TRACK, context={**PHONE, "device": device, **said})
    assert event["consent"] == {"analytics": True, "marketing": False}
    assert event["context"]["device"] == {"name": "Mine"}
    assert event["device"].keys().isdisjoint({"id", "advertising_id"})


def test_what_a_batch_says_holds_for_each_message_that_does_not() -> None:
    batch = {
        "batch": [TRACK, {**TRACK, "context": {"locale": "de"}}],
        "context": {"locale": "fr", "network": {"wifi": True}},
        "integrations": {"All": False},
    }
    first, second = translated(batch)
    assert (first["device"], second["device"]) == ({"locale": "fr"}, {"locale": "de"})
    assert second["context"] == {"network": {"wifi": True}, "integrations": {"All": False}}


def test_times_are_taken_in_each_way_that_clients_write_them() -> None:
    assert one(TRACK, originalTimestamp="2026-11-22T09:00:00+01:00")["occurred_at"] == "2026-11-22T09:00:00+01:00"
    assert one(TRACK, timestamp="2026-11-22T09:00:00")["occurred_at"] == "2026-11-22T09:00:00.000000Z"
    assert one(TRACK, timestamp="2016-12-31T23:59:60")["occurred_at"] == "2017-01-01T00:00:00.000000Z"
    assert one(TRACK, timestamp=1795870007644)["occurred_at"] == "2026-11-28T12:46:47.644000Z"
    assert one(TRACK, sentAt="2026-11-22T10:00:05Z")["sent_at"] == "2026-11-22T10:00:05Z"
    [event] = translated(TRACK, "/v1/track", sentat="2026-11-22T10:00:06Z")
    assert event["sent_at"] == "2026-11-22T10:00:06Z"


def test_a_message_without_an_id_gets_one_that_is_the_same_when_it_is_sent_again() -> None:
    message = {name: value for name, value in TRACK.items() if name != "messageId"}
    ids = [[event["event_id"] for event in translated({"batch": [message, message]})] for _ in range(2)]
    assert ids[0] == ids[1] and len({*ids[0]}) == 2


def test_the_empty_lists_of_php_are_empty_objects() -> None:
    event = one(TRACK, context=[], properties=[], integrations=[])
    assert event.keys().isdisjoint({"context", "properties"})


def test_a_message_that_is_no_object_stays_for_its_verdict() -> None:
    assert translated({"batch": [17, None, []]}) == [17, None, []]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts(max_size=8) | st.just("\0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=4), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(st.sampled_from([*TRACK, *PAGE, "traits", "previousId", "groupId", "sentAt"]), JSON)
CONTEXTS = st.dictionaries(
    st.sampled_from([*PAGE["context"], *PHONE, "consent", "consentManagement", "traits"]),
    JSON | st.dictionaries(st.sampled_from(["name", "type", "url", "width", "advertisingId"]), JSON),
)
DECODER = EventDecoder()


@given(message=MESSAGES, context=CONTEXTS, kind=st.sampled_from(["track", "page", "screen", "identify", "group", "x"]))
def test_no_message_crashes_the_translator_and_what_it_gives_gets_a_verdict(
    message: Json, context: Json, kind: str
) -> None:
    body = json.dumps({"batch": [{**PAGE, **message, "type": kind}, {**TRACK, "context": context}, message]}).encode()
    try:
        made = list(events(Request("POST", "/v1/batch", {}, {}, body), "web"))
    except Unreadable:
        return
    assert len(made) == 3
    for text in made:
        DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b'{"batch":[{"event":"\\ud800"}]}')
@example(b'{"batch":[{"event":"\xff"}],"sentAt":"\xff"}')
@example(b'{"batch":{}}')
@example(b'{"batch":' + b"[" * 5_000)
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    for path in ("/v1/batch", "/v1/t", "/v1/projects/x/settings"):
        route = find_route(path)
        assert route is not None
        request = Request("POST", path, {}, {}, body)
        route.key(request)
        route.answer(request)
        with contextlib.suppress(Unreadable):
            events(request, "web")


# Over HTTP -----------------------------------------------------------------------------------------------------------


def on(stream: EventStream) -> list[Json]:
    return [json.loads(line) for line in written(stream)]


def test_every_route_takes_a_message_and_answers_as_the_sdks_expect(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    del client.headers["x-write-key"]
    basic = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    batch = {"batch": [TRACK], "sentAt": "2026-11-22T10:00:01Z"}
    requests: list[tuple[str, Json, Json]] = [
        *[(path, batch, basic) for path in ("/v1/batch", "/v1/import", "/v1/b", "/v1/batch/")],
        *[(f"/v1/{name}", TRACK, basic) for name in ("t", "track")],
        ("/api/s/track", {**TRACK, "writeKey": "site:***"}, {"x-write-key": f"site:{key}"}),
        (f"/beacon/v1/batch?writeKey={key}", batch, {}),
        ("/v1/b", {**batch, "writeKey": key}, {"content-type": "text/plain"}),
    ]
    for path, body, headers in requests:
        answer = client.post(path, content=json.dumps(body), headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"success": True}), path
    form = {**basic, "content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}
    assert client.post("/v1/batch", content=gzip.compress(json.dumps(batch).encode()), headers=form).is_success
    assert client.get(f"/pixel/v1/track?writeKey={key}&event=Opened&anonymousId=a-1&mail=7").status_code == 200
    taken = on(stream)
    assert [event["event"] for event in taken].count("Order Completed") == len(requests) + 1
    [opened] = [event for event in taken if event["event"] == "Opened"]
    assert opened["properties"] == {"mail": "7"}


def test_the_browser_sdks_are_told_to_send_here(client: httpx.Client, key: str) -> None:
    del client.headers["x-write-key"]
    for path in (f"/v1/projects/{key}/settings", f"/projects/{key}/settings"):
        sent_to = client.get(path).json()["integrations"]["Segment.io"]
        assert sent_to["apiKey"] == key
        assert f"{sent_to['protocol']}://{sent_to['apiHost']}" == f"{str(client.base_url).rstrip('/')}/v1"
    source = client.get(f"/sourceConfig/?writeKey={key}&p=npm").json()["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == (key, True, [])


def test_a_refused_event_is_answered_as_taken_set_aside_and_counted(client: httpx.Client, stream: EventStream) -> None:
    nameless = {**TRACK, "event": "", "messageId": "m-9", "context": {"ip": "203.0.113.7"}}
    answer = client.post("/v1/batch", json={"batch": [TRACK, nameless, 17]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    lines = sorted(written(stream), key=lambda line: (line[:1] == b"[", b"protocol" in line))
    _, refused, no_object = lines
    verdict = DECODER.decode(refused)
    assert isinstance(verdict, Rejection) and (verdict.reason, verdict.event_id) == ("missing_field", "m-9")
    assert json.loads(refused)["protocol"] == "segment" and b"203.0.113.7" not in refused
    other = DECODER.decode(no_object)
    assert isinstance(other, Rejection) and other.reason == "not_an_object"
    metrics = client.get("/metrics").text
    assert 'collector_events_translated_total{protocol="segment",status="rejected"} 2.0' in metrics
    assert 'collector_events_rejected_total{protocol="segment",reason="missing_field"} 1.0' in metrics
    assert 'collector_rejected_bytes_total{protocol="segment",reason="missing_field"}' in metrics


def test_a_body_that_nobody_can_read_is_set_aside_whole(client: httpx.Client, stream: EventStream) -> None:
    for body in (b'{"batch": [', b'{"event_id":"a"},\n{"event_id":"b"}', b"\xff", b""):
        assert client.post("/v1/batch", content=body).status_code == 200
    assert client.post("/v1/batch", content=b"no gzip", headers={"content-encoding": "gzip"}).status_code == 200
    lines = written(stream)
    assert len(lines) == 5 and all(isinstance(DECODER.decode(line), Rejection) for line in lines)


def test_nothing_is_kept_of_a_refused_event_of_somebody_who_refused_analytics(
    client: httpx.Client, stream: EventStream
) -> None:
    refusing = {"consent": {"categoryPreferences": {"Analytics": False}}}
    client.post("/v1/batch", json={"batch": [{**TRACK, "event": None, "context": refusing}]})
    assert written(stream) == [b'{"dropped":"consent_refused"}']


def test_an_event_too_large_is_too_large_when_it_is_cleaned_too(client: httpx.Client, stream: EventStream) -> None:
    assert client.post("/v1/batch", json={"batch": [{**TRACK, "properties": {"a": ["x" * 9_000] * 40}}]}).is_success
    [line] = written(stream)
    verdict = DECODER.decode(line)
    assert isinstance(verdict, Rejection) and verdict.reason == "too_large" and len(line) <= 70_000


def test_an_unknown_key_is_the_only_one_turned_away_and_pages_see_why(client: httpx.Client) -> None:
    del client.headers["x-write-key"]
    for path, body in (("/v1/batch", {"batch": []}), ("/v1/b", {"batch": [], "writeKey": "ea_no_no"})):
        answer = client.post(path, json=body, headers={"origin": ORIGIN})
        assert answer.status_code == 401
        assert answer.json().keys() == {"error", "detail", "code", "message", "status"}
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert client.get("/v1/projects/ea_no_no/settings").status_code == 401


def test_while_the_stream_is_away_clients_are_asked_to_send_again(
    settings: Any, stream: EventStream, keys: Any, key: str
) -> None:
    faults = FaultyStream(stream)
    with serving(settings, faults, keys) as client:
        faults.failing = "all"
        answer = client.post("/v1/batch", json={"batch": [TRACK, 17]}, headers={"x-write-key": key, "origin": ORIGIN})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        faults.failing = None
        assert client.post("/v1/batch", json={"batch": [TRACK]}, headers={"x-write-key": key}).status_code == 200
    assert len(on(stream)) == 1


def test_a_preflight_grants_what_the_sdks_ask_for_on_every_route(client: httpx.Client) -> None:
    asked = "anonymousid,authorization,content-type,sentat,x-retry-count"
    for path in ("/v1/page", "/v1/b", "/sourceConfig/", "/api/s/track", "/v1/projects/k/settings", "/v1/events"):
        answer = client.options(
            path,
            headers={
                "origin": ORIGIN,
                "access-control-request-method": "POST",
                "access-control-request-headers": asked,
            },
        )
        assert answer.status_code == 204, path
        assert set(asked.split(",")) <= set(answer.headers["access-control-allow-headers"].split(", "))


def test_pages_see_that_there_is_no_such_route(client: httpx.Client) -> None:
    for method, path, status in (("GET", "/v1/batch", 405), ("POST", "/v1/nothing", 404), ("PUT", "/v1/events", 405)):
        answer = client.request(method, path, headers={"origin": ORIGIN})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)


def test_what_a_server_says_for_others_has_neither_its_address_nor_its_user_agent(
    client: httpx.Client, stream: EventStream, keys: Any
) -> None:
    backend = keys.create("backend", "server")
    client.post("/v1/batch", json={"batch": [TRACK]}, headers={"x-write-key": backend})
    client.post("/v1/batch", json={"batch": [TRACK]})
    by_server, by_page = sorted(on(stream), key=lambda event: "ip" in event)
    assert by_server.keys().isdisjoint({"ip", "device"}) and by_server["platform"] == "server"
    assert by_page.keys() >= {"ip", "device"}
