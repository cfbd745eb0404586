"""The same visit, told by another SDK each: page views, sessions and persons come out the same."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyspark.sql import SparkSession

from event_assets.streams import EventStream
from event_assets_tests.collector.serving import written
from event_assets_tests.modelling import Model

Json = dict[str, Any]
PROTOCOLS = ("segment", "snowplow", "posthog", "amplitude", "mixpanel", "ga4")
URLS = ("https://shop.example/?utm_source=news&utm_medium=email", "https://shop.example/cart")
STEPS = ("landing", "cart", "identify", "order", "refused")


def at(step: str) -> dt.datetime:
    return dt.datetime(2026, 11, 22, 10, 0, STEPS.index(step), tzinfo=dt.UTC)


def segment(step: str) -> tuple[str, Json]:
    message = {"messageId": f"segment-{step}", "anonymousId": "segment-a", "timestamp": at(step).isoformat()}
    signed_in = {**message, "userId": "segment-u"}
    told: dict[str, Json] = {
        "landing": {**message, "type": "page", "properties": {"url": URLS[0]}},
        "cart": {**message, "type": "page", "properties": {"url": URLS[1]}},
        "identify": {**signed_in, "type": "identify", "traits": {"plan": "pro"}},
        "order": {**signed_in, "type": "track", "event": "order", "properties": {"revenue": 12.5, "currency": "EUR"}},
        "refused": {**signed_in, "type": "track", "event": ""},
    }
    return "/v1/batch", {"batch": [told[step]], "sentAt": at(step).isoformat()}


def snowplow(step: str) -> tuple[str, Json]:
    time = str(int(at(step).timestamp() * 1000))
    payload = {"eid": f"snowplow-{step}", "duid": "snowplow-a", "p": "web", "dtm": time, "stm": time}
    signed_in = {**payload, "uid": "snowplow-u"}
    order = {"schema": "iglu:com.acme/order/jsonschema/1-0-0", "data": {"revenue": 12.5, "currency": "EUR"}}
    told: dict[str, Json] = {
        "landing": {**payload, "e": "pv", "url": URLS[0]},
        "cart": {**payload, "e": "pv", "url": URLS[1]},
        "identify": {**signed_in, "e": "se", "se_ac": "identify"},
        "order": {
            **signed_in,
            "e": "ue",
            "ue_pr": json.dumps({"schema": "iglu:x/unstruct/jsonschema/1", "data": order}),
        },
        "refused": {**signed_in, "e": "ue"},
    }
    return "/com.snowplowanalytics.snowplow/tp2", {"schema": "iglu:payload_data", "data": [told[step]]}


def posthog(step: str) -> tuple[str, Json]:
    device = {"$device_id": "posthog-a", "$lib": "web"}
    item = {"uuid": f"posthog-{step}", "timestamp": at(step).isoformat(), "distinct_id": "posthog-a"}
    signed_in = {**item, "distinct_id": "posthog-u"}
    known = {**device, "$is_identified": True}
    told: dict[str, Json] = {
        "landing": {**item, "event": "$pageview", "properties": {**device, "$current_url": URLS[0]}},
        "cart": {**item, "event": "$pageview", "properties": {**device, "$current_url": URLS[1]}},
        "identify": {**signed_in, "event": "$identify", "properties": {**known, "$set": {"plan": "pro"}}},
        "order": {**signed_in, "event": "order", "properties": {**known, "revenue": 12.5, "currency": "EUR"}},
        "refused": {**signed_in, "event": None, "properties": known},
    }
    return "/batch/", {"batch": [told[step]], "sent_at": at(step).isoformat()}


def amplitude(step: str) -> tuple[str, Json]:
    time = int(at(step).timestamp() * 1000)
    item = {"insert_id": f"amplitude-{step}", "device_id": "amplitude-a", "platform": "Web", "time": time}
    signed_in = {**item, "user_id": "amplitude-u"}
    view = {**item, "event_type": "[Amplitude] Page Viewed"}
    money = {"revenue": 12.5, "currency": "EUR"}
    told: dict[str, Json] = {
        "landing": {**view, "event_properties": {"[Amplitude] Page Location": URLS[0]}},
        "cart": {**view, "event_properties": {"[Amplitude] Page Location": URLS[1]}},
        "identify": {**signed_in, "event_type": "$identify", "user_properties": {"$set": {"plan": "pro"}}},
        "order": {**signed_in, "event_type": "order", "event_properties": money},
        "refused": {**signed_in, "event_type": None},
    }
    return "/2/httpapi", {"events": [told[step]], "client_upload_time": at(step).isoformat()}


def mixpanel(step: str) -> tuple[str, Json]:
    device = {"$device_id": "mixpanel-a", "$insert_id": f"mixpanel-{step}", "time": at(step).timestamp()}
    before = {**device, "distinct_id": "$device:mixpanel-a"}
    signed_in = {**device, "distinct_id": "mixpanel-u"}
    told: dict[str, Json] = {
        "landing": {"event": "$mp_web_page_view", "properties": {**before, "$current_url": URLS[0]}},
        "cart": {"event": "$mp_web_page_view", "properties": {**before, "$current_url": URLS[1]}},
        "identify": {"event": "$identify", "properties": signed_in},
        "order": {"event": "order", "properties": {**signed_in, "revenue": 12.5, "currency": "EUR"}},
        "refused": {"event": None, "properties": signed_in},
    }
    return "/track", told[step]


def ga4(step: str) -> tuple[str, Json]:
    client: Json = {"client_id": "ga4-a", "timestamp_micros": int(at(step).timestamp() * 1e6)}
    signed_in = {**client, "user_id": "ga4-u"}
    told: dict[str, tuple[Json, Json]] = {
        "landing": (client, {"name": "page_view", "params": {"page_location": URLS[0]}}),
        "cart": (client, {"name": "page_view", "params": {"page_location": URLS[1]}}),
        "identify": (signed_in, {"name": "identify"}),
        "order": (signed_in, {"name": "purchase", "params": {"value": 12.5, "currency": "EUR"}}),
        "refused": (signed_in, {"name": None}),
    }
    who, event = told[step]
    return "/mp/collect", {**who, "events": [event]}


@pytest.mark.slow
def test_a_visit_is_one_session_of_one_person_whoever_tells_of_it(
    client: httpx.Client, stream: EventStream, spark: SparkSession, tmp_path: Path
) -> None:
    for tell in (segment, snowplow, posthog, amplitude, mixpanel, ga4):
        for step in STEPS:
            path, body = tell(step)
            for _ in range(2):  # the first answer was lost
                assert client.post(path, json=body).status_code == 200
    model = Model(spark, tmp_path)
    modelled = model.run(written(stream), first_day="2026-11-01")
    assert modelled.reconciliation.duplicates == len(PROTOCOLS) * 4
    assert dict(modelled.reconciliation.reasons) == {"missing_field": len(PROTOCOLS) * 2}
    views = model.rows("page_views", "anonymous_id", "url")
    assert [(row["anonymous_id"], row["url"]) for row in views] == sorted(
        (f"{name}-a", url) for name in PROTOCOLS for url in URLS
    )
    sessions = model.rows("sessions", "anonymous_id", "source", "medium")
    told = [(row["anonymous_id"], row["source"], row["medium"]) for row in sessions]
    assert told == sorted((f"{name}-a", "news", "email") for name in PROTOCOLS)
    ids: dict[str, set[str]] = {}
    for row in model.rows("identities", "person_id", "id"):
        ids.setdefault(row["person_id"], set()).add(row["id"])
    assert sorted(map(sorted, ids.values())) == sorted([f"{name}-a", f"{name}-u"] for name in PROTOCOLS)
    quarantined = model.rows("quarantined_events", "data")
    assert {json.loads(row["data"])["protocol"] for row in quarantined} == set(PROTOCOLS)
