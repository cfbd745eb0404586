"""What PostHog's SDKs capture, and the events that it becomes."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.protocols.posthog import events
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.contract.decoder import EventDecoder
from event_assets.streams import EventStream
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.examples import texts

Json = dict[str, Any]
DECODER = EventDecoder()
URL = "https://shop.example/p?utm_source=news&gclid=x1"
ON_PAGE: Json = {
    "distinct_id": "d-1",
    "$device_id": "d-1",
    "$is_identified": False,
    "$process_person_profile": True,
    "$current_url": URL,
    "$host": "shop.example",
    "$pathname": "/p",
    "title": "Page one",
    "$referrer": "https://search.example/",
    "$raw_user_agent": "Mozilla/5.0",
    "$os": "Linux",
    "$browser": "Chrome",
    "$browser_language": "en-US",
    "$timezone": "Europe/Vienna",
    "$screen_width": 1280,
    "$screen_height": 720,
    "$viewport_width": 1200,
    "$viewport_height": 700,
    "$lib": "web",
    "$lib_version": "1.449.2",
    "$session_id": "s-1",
    "$pageview_id": "p-1",
    "$window_id": "w-1",
    "$insert_id": "i-1",
    "$sdk_debug_retry_queue_size": 0,
    "token": "k",
    "utm_source": "news",
    "gclid": "x1",
    "fbclid": None,
    "plan": "pro",
}
AT = "2026-11-28T12:47:23.883Z"
SENT = "2026-11-28T12:47:23.968Z"
ON_SERVER = {"$lib": "posthog-python", "$lib_version": "7.91.1", "$is_server": True, "$os": "Linux"}


def one(event: str, properties: Json, *, more: Mapping[str, Any] = {}, **ids: Any) -> Json:
    item = {"uuid": "e-1", "event": event, "properties": properties, "timestamp": AT, **more, **ids}
    body = json.dumps({"api_key": "k", "batch": [item], "sent_at": SENT}).encode()
    [text] = events(Request("POST", "/e", {}, {}, body), "web")
    made: Json = json.loads(text)
    return made


def test_a_page_view_has_its_fields_its_properties_and_its_context() -> None:
    assert one("$pageview", ON_PAGE) == {
        "event_id": "e-1",
        "event": "page_view",
        "anonymous_id": "d-1",
        "session_id": "s-1",
        "page_view_id": "p-1",
        "occurred_at": "2026-11-28T12:47:23.883Z",
        "sent_at": SENT,
        "platform": "web",
        "page": {"url": URL, "title": "Page one", "referrer": "https://search.example/"},
        "screen": {"width": 1280, "height": 720},
        "viewport": {"width": 1200, "height": 700},
        "device": {"user_agent": "Mozilla/5.0", "os": "Linux", "locale": "en-US", "timezone": "Europe/Vienna"},
        "library": {"name": "posthog-js", "version": "1.449.2"},
        "properties": {"plan": "pro"},
        "context": {"$browser": "Chrome", "$process_person_profile": True, "$window_id": "w-1"},
    }


def test_a_distinct_id_is_a_user_only_where_the_event_says_so() -> None:
    def who(name: str, **properties: Any) -> tuple[str | None, str | None]:
        event = one(name, properties, distinct_id="x")
        return event.get("user_id"), event.get("anonymous_id")

    assert who("a") == (None, "x")
    assert who("a", **{"$device_id": "d", "$is_identified": True}) == ("x", "d")
    assert who("a", **{"$device_id": "d", "$user_id": "x"}) == ("x", "d")
    assert who("$identify", **{"$device_id": "d", "$anon_distinct_id": "before"}) == ("x", "before")
    assert who("a", **ON_SERVER) == ("x", None)
    assert who("a", **ON_SERVER, **{"$process_person_profile": False}) == (None, "x")


def test_the_other_events_have_the_names_of_the_contract() -> None:
    identify = one("$identify", {"$set": {"a": 1}, "$set_once": {"b": 2}}, distinct_id="u-1")
    assert (identify["event"], identify["traits"], identify["traits_once"]) == ("identify", {"a": 1}, {"b": 2})
    assert one("$set_once", ON_SERVER, more={"$set_once": {"b": 2}}, distinct_id="u-1")["traits_once"] == {"b": 2}
    assert one("$set", ON_SERVER, more={"$set": {"a": 1}}, distinct_id="u-1")["traits"] == {"a": 1}
    alias = one("$create_alias", {**ON_SERVER, "alias": "u-1"}, distinct_id="a-1")
    assert (alias["event"], alias["user_id"], alias["properties"]) == ("alias", "u-1", {"previous_id": "a-1"})
    in_node = one("$create_alias", {**ON_SERVER, "$lib": "posthog-node", "alias": "a-1"}, distinct_id="u-1")
    assert (in_node["user_id"], in_node["properties"]) == ("u-1", {"previous_id": "a-1"})
    said = {"$group_type": "company", "$group_key": "g-1", "$group_set": {"name": "Initech"}}
    group = one("$groupidentify", {**ON_SERVER, **said}, distinct_id="$company_g-1")
    assert group["properties"] == {"group_type": "company", "group_key": "g-1"}
    assert (group["group_id"], group["traits"]) == ("company:g-1", {"name": "Initech"})
    assert (group.get("user_id"), group["anonymous_id"]) == (None, group["event_id"])
    screen = one("$screen", {"$screen_name": "Cart", "$lib": "posthog-ios", "$os": "iOS"}, distinct_id="d")
    assert (screen["event"], screen["screen"], screen["platform"]) == ("screen_view", {"name": "Cart"}, "ios")
    error = one("$exception", {**ON_SERVER, "$exception_list": [{"type": "E"}]}, distinct_id="u")
    assert (error["event"], error["properties"]) == ("app_error", {"$exception_list": [{"type": "E"}]})
    assert "device" not in error


def test_what_happens_in_a_group_is_of_the_first_one_named() -> None:
    event = one("a", {**ON_PAGE, "$groups": {"company": "g-1"}})
    assert (event["group_id"], "$groups" in event["context"]) == ("company:g-1", False)
    several = {"company": "g-1", "project": "p"}
    event = one("a", {**ON_PAGE, "$groups": several})
    assert (event["group_id"], event["context"]["$groups"]) == ("company:g-1", several)


def test_a_server_says_the_campaign_without_a_page() -> None:
    event = one("a", {**ON_SERVER, "utm_source": "news", "utm_campaign": "spring"}, distinct_id="u")
    assert event["campaign"] == {"source": "news", "name": "spring"}


@given(
    st.dictionaries(st.sampled_from([*ON_PAGE, *ON_SERVER, "$set", "$group_set", "alias", "$ip"]), JSON),
    st.dictionaries(st.sampled_from(["uuid", "event", "timestamp", "distinct_id", "$set", "properties"]), JSON),
    st.sampled_from(["$pageview", "$identify", "$create_alias", "$groupidentify", "x"]),
)
def test_nothing_captured_crashes_the_translator_and_what_it_gives_gets_a_verdict(
    properties: Json, more: Json, name: str
) -> None:
    item = {"event": name, "properties": {**ON_PAGE, **properties}}
    body = json.dumps({"batch": [item, {**item, **more}, more]}).encode()
    with contextlib.suppress(Unreadable):
        for text in events(Request("POST", "/e", {}, {}, body), "web"):
            DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b"data=" + b"%ff" * 3)
@example(b'{"batch":[{"properties":"\\ud800"}]}')
@example(b'{"batch":' + b"[" * 5_000)
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    for path in ("/e", "/flags", "/batch/"):
        route = find_route(path)
        assert route is not None
        request = Request("POST", path, {}, {}, body)
        route.key(request)
        route.answer(request)
        with contextlib.suppress(Unreadable):
            events(request, "web")


def test_every_way_of_sending_is_taken(client: httpx.Client, stream: EventStream, key: str) -> None:
    del client.headers["x-write-key"]
    item = {"uuid": "e-1", "event": "a", "distinct_id": "d", "properties": {"token": key}}
    body = json.dumps({"api_key": key, "batch": [item], "sent_at": SENT}).encode()
    packed, form = gzip.compress(body), {"content-type": "application/x-www-form-urlencoded"}
    sent = [
        *[client.post(path, content=body) for path in ("/batch/", "/e/", "/i/v0/e/", "/capture/", "/capture")],
        client.post("/batch/", content=packed, headers={"content-encoding": "gzip"}),
        client.post("/e/?ip=1", content=packed, headers={"content-type": "text/plain"}),
        client.post("/e/?compression=base64", content=urlencode({"data": base64.b64encode(body)}), headers=form),
        client.post("/capture/", json={"api_key": key, **item}),
        client.post("/e/", json=[item]),
    ]
    assert [(answer.status_code, answer.json()) for answer in sent] == [(200, {"status": 1})] * len(sent)
    assert len(written(stream)) == len(sent)


def test_the_browser_sdk_finds_neither_flags_nor_recordings(
    client: httpx.Client, key: str, stream: EventStream
) -> None:
    del client.headers["x-write-key"]
    flags = client.post("/flags/?v=2", json={"token": key, "distinct_id": "d"}).json()
    assert (flags["flags"], flags["errorsWhileComputingFlags"]) == ({}, False)
    assert client.get(f"/array/{key}/config").json()["sessionRecording"] is False
    assert client.get(f"/array/{key}/config.js").headers["content-type"].startswith("text/javascript")
    assert client.post("/s/", json={"api_key": key, "event": "$snapshot"}).status_code == 200
    assert client.post("/flags/", json={"token": "ea_no_no"}).status_code == 401
    assert written(stream) == []
