"""Requests of other protocols: what they list is bounded before it is made."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.errors import RequestRefused
from event_assets.collector.protocols.protocol import Request
from event_assets.collector.protocols.router import find_route
from event_assets.collector.translation import MOST_EVENTS, events_of
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import serving, written

MIB = 1024 * 1024
LARGE = {"said": "x" * (MIB // 2)}
SHARED = {
    "/v1/batch": {"context": LARGE, "batch": [{"type": "track", "event": "a"}]},
    "/mp/collect": {"client_id": "c", "user_properties": {"a": {"value": LARGE}}, "events": [{"name": "a"}]},
    "/batch": {"said": LARGE, "batch": [{"event": "a"}]},
    "/2/httpapi": {"said": LARGE, "events": [{"event_type": "a"}]},
    "/com.snowplowanalytics.snowplow/tp2": {"said": LARGE, "data": [{"e": "pv"}]},
}


def request(path: str, body: Any) -> Request:
    return Request("POST", path, {}, {}, json.dumps(body).encode(), "", "2026-11-28T12:48:00.000Z")


@pytest.mark.parametrize("path", SHARED)
def test_what_a_body_says_once_for_all_its_events_is_not_multiplied_without_bound(path: str) -> None:
    body = {name: said * 4_000 if isinstance(said, list) else said for name, said in SHARED[path].items()}
    sent, route = request(path, body), find_route(path)
    assert route is not None
    refused = []
    tracemalloc.start()
    try:
        events_of(route, sent, "web", MIB)
    except RequestRefused as fault:
        refused.append((fault.status, fault.code))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused in ([], [(413, "body_too_large")])
    assert peak < 32 * MIB


def test_ids_that_are_hashes_hold_no_body_for_each_event() -> None:
    route = find_route("/mp/collect")
    assert route is not None
    listed = [{"name": f"event-{number}"} for number in range(MOST_EVENTS)]
    sent = request("/mp/collect", {"client_id": "c", "timestamp_micros": "1795870060435000", "events": listed})
    tracemalloc.start()
    made = events_of(route, sent, "server", MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len({json.loads(text)["event_id"] for text in made}) == MOST_EVENTS
    assert peak < 16 * MIB


def test_no_more_events_are_made_than_a_request_may_have() -> None:
    route = find_route("/v1/batch")
    assert route is not None
    sent = request("/v1/batch", {"context": {"a": 1}, "batch": [{"type": "track", "event": "a"}] * (MOST_EVENTS + 1)})
    with pytest.raises(RequestRefused, match=str(MOST_EVENTS)):
        events_of(route, sent, "web", MIB)


def test_of_what_is_sent_for_validation_the_first_events_are_judged(client: httpx.Client, key: str) -> None:
    path = f"/debug/mp/collect?api_secret={key}"
    answer = client.post(path, json={"client_id": "c", "events": [{"name": ""}] * 500})
    assert len(answer.json()["validationMessages"]) == 25


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/batch",
            b'{"writeKey":"KEY","batch":[{"type":"track","event":"a","userId":"u","messageId":"1","properties":P}]}',
        ),
        ("/i/v0/e", b'{"api_key":"KEY","batch":[{"event":"a","distinct_id":"u","uuid":"1","properties":P}]}'),
        (
            "/2/httpapi",
            b'{"api_key":"KEY","events":[{"event_type":"a","user_id":"u","insert_id":"1","event_properties":P}]}',
        ),
        ("/track", b'data=[{"event":"a","properties":{"token":"KEY","distinct_id":"u","$insert_id":"1","more":P}}]'),
    ],
)
def test_a_number_that_json_has_not_is_none_and_costs_no_other_event(
    settings: Settings, keys: WriteKeys, stream: EventStream, path: str, body: bytes
) -> None:
    """SDKs for Python write them."""
    said = b'{"a":NaN,"b":[-Infinity,1],"text":"NaN, \\" Infinity"}'
    with serving(settings, stream, keys) as client:
        kind = "application/x-www-form-urlencoded" if body.startswith(b"data") else "application/json"
        sent = body.replace(b"KEY", keys.create("app", "server").encode()).replace(b"P}", said + b"}")
        assert client.post(path, content=sent, headers={"content-type": kind}).status_code == 200
    [event] = map(json.loads, written(stream))
    found = event["properties"].get("more", event["properties"])
    assert found.get("a") is None and (found["b"], found["text"]) == ([None, 1], 'NaN, " Infinity')
