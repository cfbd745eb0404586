"""Payloads of Snowplow's trackers, and the events that they become."""

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

from event_assets.collector import WriteKeys
from event_assets.collector.protocols.protocol import Request, Unreadable
from event_assets.collector.protocols.router import find_route
from event_assets.collector.protocols.snowplow import events
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.event import Platform
from event_assets.streams import EventStream
from event_assets_tests.collector.conftest import ORIGIN
from event_assets_tests.collector.protocols.test_segment import JSON
from event_assets_tests.collector.serving import written
from event_assets_tests.examples import texts

Json = dict[str, Any]
DECODER = EventDecoder()
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
PAGE_VIEW: Json = {
    "e": "pv",
    "eid": "e-1",
    "url": "https://shop.example/p?utm_source=news",
    "page": "Page one",
    "refr": "https://search.example/",
    "duid": "d-1",
    "uid": "u-1",
    "sid": "s-1",
    "vid": "3",
    "aid": "shop",
    "tna": "sp",
    "tv": "js-4.10.1",
    "p": "web",
    "dtm": "1795871850161",
    "stm": "1795871850815",
    "res": "1280x720",
    "vp": "1200x700",
    "ds": "1200x3016",
    "lang": "en-US",
    "tz": "Europe/Vienna",
    "ua": "Mozilla/5.0",
    "ip": "203.0.113.7",
}


def entity(name: str, **data: Any) -> Json:
    return {"schema": f"{SNOWPLOW}/{name}/jsonschema/1-0-2", "data": data}


def contexts(*entities: Json) -> str:
    return json.dumps({"schema": f"{SNOWPLOW}/contexts/jsonschema/1-0-0", "data": entities})


def described(schema: str, data: Any) -> str:
    inner = {"schema": schema, "data": data}
    return json.dumps({"schema": f"{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": inner})


def one(platform: Platform = "web", **fields: Any) -> Json:
    payload = {name: value for name, value in {**PAGE_VIEW, **fields}.items() if value is not None}
    body = json.dumps({"schema": "iglu:payload_data", "data": [payload]}).encode()
    [text] = events(Request("POST", "/com.snowplowanalytics.snowplow/tp2", {}, {}, body), platform)
    event: Json = json.loads(text)
    return event


def test_a_page_view_has_its_fields_and_what_has_none_is_its_context() -> None:
    assert one() == {
        "event_id": "e-1",
        "event": "page_view",
        "anonymous_id": "d-1",
        "user_id": "u-1",
        "session_id": "s-1",
        "occurred_at": "2026-11-28T13:17:30.161000Z",
        "sent_at": "2026-11-28T13:17:30.815000Z",
        "ip": "203.0.113.7",
        "platform": "web",
        "app": {"id": "shop"},
        "page": {"url": PAGE_VIEW["url"], "title": "Page one", "referrer": "https://search.example/"},
        "screen": {"width": 1280, "height": 720},
        "viewport": {"width": 1200, "height": 700},
        "document": {"width": 1200, "height": 3016},
        "device": {"user_agent": "Mozilla/5.0", "locale": "en-US", "timezone": "Europe/Vienna"},
        "library": {"name": "snowplow-js", "version": "4.10.1"},
        "context": {"vid": "3", "tna": "sp"},
    }


def test_entities_go_to_the_fields_that_there_are_for_them_and_are_kept_otherwise() -> None:
    system = {"osType": "ios", "osVersion": "17.1", "deviceModel": "iPhone15,2", "deviceManufacturer": "Apple"}
    mobile = entity("mobile_context", **system, appleIdfa="ad-1", appleIdfv="v-1", carrier="T")
    session = entity("client_session", userId="d-2", sessionId="s-2")
    own = {"schema": "iglu:com.acme/user/jsonschema/1-0-0", "data": {"plan": "pro"}}
    event = one(co=contexts(own, entity("web_page", id="p-1"), session, mobile), p="mob", duid=None, sid=None)
    ids = (event["anonymous_id"], event["session_id"], event["page_view_id"], event["platform"])
    assert ids == ("d-2", "s-2", "p-1", "ios")
    assert event["device"] == {
        **one()["device"],
        "model": "iPhone15,2",
        "os": "ios",
        "os_version": "17.1",
        "manufacturer": "Apple",
        "id": "v-1",
        "advertising_id": "ad-1",
    }
    assert event["context"]["entities"] == [own, {**mobile, "data": {"carrier": "T"}}]


def test_what_says_once_more_whose_an_event_is_stands_nowhere_else() -> None:
    session = entity("client_session", userId="d-1", sessionId="s-1")
    event = one(co=contexts(session), tnuid="d-1", sid=None)
    assert (event["anonymous_id"], event["session_id"]) == ("d-1", "s-1")
    assert event["context"] == one()["context"]
    other = one(co=contexts(entity("client_session", userId="d-9", sessionId="s-1")), tnuid="n-1", sid=None)
    assert other["context"]["tnuid"] == "n-1" and other["context"]["entities"][0]["data"] == {"userId": "d-9"}


@pytest.mark.parametrize(("said", "platform"), [("tv", "tv"), ("cnsl", "console"), ("iot", "iot"), ("headset", "web")])
def test_a_television_a_console_and_a_thing_are_platforms(said: str, platform: str) -> None:
    assert one(p=said)["platform"] == platform


@pytest.mark.parametrize("padded", [True, False])
def test_a_self_describing_event_is_named_by_its_schema_whatever_it_is_packed_in(padded: bool) -> None:
    text = described("iglu:com.acme/order_completed/jsonschema/2-1-0", {"order_id": "ö1", "coupon": None})
    packed = base64.urlsafe_b64encode(text.encode()).decode()
    event = one(e="ue", ue_px=packed if padded else packed.rstrip("="))
    assert (event["event"], event["schema_version"]) == ("order_completed", 2)
    assert event["properties"] == {"order_id": "ö1", "coupon": None}
    assert event["context"]["schema"] == "iglu:com.acme/order_completed/jsonschema/2-1-0"
    assert one(e="ue", ue_pr=text)["properties"] == event["properties"]


def test_snowplows_own_events_have_the_names_of_the_contract() -> None:
    screen = one(e="ue", ue_pr=described(f"{SNOWPLOW}/screen_view/jsonschema/1-0-0", {"name": "Cart", "id": "x"}))
    assert (screen["event"], screen["screen"]["name"], screen["properties"]) == ("screen_view", "Cart", {"id": "x"})
    error = one(e="ue", ue_pr=described(f"{SNOWPLOW}/application_error/jsonschema/1-0-1", {"message": "m"}))
    assert error["event"] == "app_error"
    theirs = one(e="ue", ue_pr=described("iglu:com.acme/screen_view/jsonschema/1-0-0", {"name": "Cart"}))
    assert (theirs["event"], theirs["schema_version"]) == ("screen_view", 1)


def test_the_other_kinds_have_their_properties() -> None:
    struct = one(e="se", se_ca="shop", se_ac="add", se_la="p1", se_pr="qty", se_va="2")
    assert (struct["event"], struct["properties"]) == (
        "add",
        {"category": "shop", "label": "p1", "property": "qty", "value": 2},
    )
    order = one(e="tr", tr_id="o1", tr_tt="12.5", tr_cu="EUR")
    assert (order["event"], order["properties"]) == (
        "transaction",
        {"order_id": "o1", "revenue": 12.5, "currency": "EUR"},
    )
    ping = one(e="pp", pp_mix="0", pp_max="10", pp_miy="0", pp_may="400")
    assert (ping["event"], ping["scroll"]) == ("page_ping", {"x_max": 10, "y_max": 400})
    action = described(f"{SNOWPLOW}.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-2", {"type": "transaction"})
    said = {
        "schema": f"{SNOWPLOW}.ecommerce/transaction/jsonschema/1-0-0",
        "data": {"revenue": 12.5, "currency": "EUR"},
    }
    bought = one(e="ue", ue_pr=action, co=contexts(said))
    assert bought["properties"] == {"type": "transaction", "revenue": 12.5, "currency": "EUR"}
    assert bought["context"]["entities"] == [said]


def test_a_true_time_is_believed_of_a_trusted_source_and_kept_of_others() -> None:
    event = one(ttm="1764331200000")
    assert event["derived_at"] == event["context"]["ttm"] == "2025-11-28T12:00:00.000000Z"


def test_an_event_of_nobody_stands_for_itself() -> None:
    event = one(duid=None, uid=None, sid=None)
    assert event["anonymous_id"] == event["event_id"]
    assert isinstance(DECODER.decode(json.dumps(event).encode()), Decoded)


def test_an_app_id_that_is_a_write_key_is_no_application() -> None:
    assert "app" not in one(aid="ea_0123456789ab_0123456789")


@given(
    st.dictionaries(
        st.sampled_from([*PAGE_VIEW, "co", "cx", "ue_pr", "ue_px", "se_va", "pp_max", "ttm"]),
        JSON | st.builds(lambda inner: json.dumps({"schema": "iglu:a/b/c/1-0-0", "data": inner}), JSON),
    ),
    st.sampled_from(["pv", "ue", "se", "tr", "ti", "pp", "x"]),
)
def test_no_payload_crashes_the_translator_and_what_it_gives_gets_a_verdict(fields: Json, kind: str) -> None:
    body = json.dumps({"data": [{**PAGE_VIEW, **fields, "e": kind}, fields]}).encode()
    with contextlib.suppress(Unreadable):
        for text in events(Request("POST", "/com.snowplowanalytics.snowplow/tp2", {}, {}, body), "web"):
            DECODER.decode(text)


@given(st.binary(max_size=60) | texts().map(lambda text: json.dumps(text).encode()))
@example(b'{"data":[{"ue_px":"\\ud800","co":"{","res":"1x"}]}')
@example(b'{"data":' + b"[" * 5_000)
def test_no_body_raises_anything_but_the_translators_own_refusal(body: bytes) -> None:
    route = find_route("/com.snowplowanalytics.snowplow/tp2")
    assert route is not None
    request = Request("POST", "/com.snowplowanalytics.snowplow/tp2", {}, {}, body)
    route.key(request)
    with contextlib.suppress(Unreadable):
        events(request, "web")


def test_the_key_is_found_in_the_path_the_header_or_the_application_id(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    del client.headers["x-write-key"]
    tp2 = "/com.snowplowanalytics.snowplow/tp2"
    body = {"data": [{**PAGE_VIEW, "ip": None}]}
    with_key = {"data": [{**PAGE_VIEW, "aid": key}]}
    for path, headers, sent in (
        (f"/{key}{tp2}", {}, body),
        (f"/com.example/{key}", {}, body),
        ("/com.example/track", {"x-write-key": key}, body),
        (tp2, {}, with_key),
    ):
        answer = client.post(path, json=sent, headers=headers)
        assert (answer.status_code, answer.text) == (200, "ok"), path
    for path in (f"/{key}/i?{urlencode(PAGE_VIEW)}", f"/i?{urlencode({**PAGE_VIEW, 'aid': key})}"):
        picture = client.get(path)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
    assert len(written(stream)) == 6
    assert client.post(tp2, json=body, headers={"origin": ORIGIN}).status_code == 401
    assert client.get("/r/tp2?u=https://thief.example").status_code == 404


def test_all_that_a_tracker_kept_while_the_collector_was_away_is_taken_at_once(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    kept = [{**PAGE_VIEW, "eid": f"e-{number}", "duid": f"d-{number % 50}", "ip": None} for number in range(10_000)]
    body = json.dumps({"data": kept})
    assert len(body) > 3 * 1024 * 1024
    answer = client.post("/com.snowplowanalytics.snowplow/tp2", content=body, headers={"x-write-key": key}, timeout=120)
    assert answer.status_code == 200
    assert len({json.loads(line)["event_id"] for line in written(stream)}) == 10_000


def test_an_anonymous_tracker_leaves_no_address(client: httpx.Client, stream: EventStream, keys: WriteKeys) -> None:
    tp2 = "/com.snowplowanalytics.snowplow/tp2"
    client.post(tp2, json={"data": [PAGE_VIEW]}, headers={"sp-anonymous": "*"})
    [line] = written(stream)
    assert "ip" not in json.loads(line)
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "sp-anonymous",
    }
    allowed = client.options(tp2, headers=asked)
    assert "sp-anonymous" in allowed.headers["access-control-allow-headers"]
    assert allowed.headers["access-control-allow-credentials"] == "true"
