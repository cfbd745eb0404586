"""Requests of other people's SDKs with a mark in each field by which they name people. No tests here."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from event_assets_tests.pipeline.test_refused_consent import MARK


def packed(said: Any) -> str:
    """As SDKs put JSON into a form or an address."""
    return base64.b64encode(json.dumps(said).encode()).decode()


SNOWPLOW: dict[str, Any] = {
    "e": "pv",
    "eid": "sp-1",
    "url": "https://x.example/",
    "page": f"{MARK}t",
    "duid": f"{MARK}a1",
    "tnuid": f"{MARK}a1",
    "uid": f"{MARK}u1",
    "sid": "s-1",
    "tv": "js-4",
    "p": "mob",
    "ip": "198.51.100.77",
}


def snowplow_of(key: str) -> dict[str, Any]:
    """Payloads of a tracker: a view, an event of a schema, one that says no event, and one that nobody can read."""
    schema = "iglu:com.snowplowanalytics.snowplow/{}/jsonschema/1-0-0"

    def said(name: str, data: Any) -> dict[str, Any]:
        return {"schema": schema.format(name), "data": data}

    entities = [
        said("client_session", {"userId": f"{MARK}a1", "sessionId": "s-1"}),
        said("mobile_context", {"deviceModel": MARK, "osType": "ios", "appleIdfa": MARK, "appleIdfv": f"{MARK}v"}),
    ]
    screen = said("unstruct_event", said("screen_view", {"name": f"{MARK}s"}))
    form = said("unstruct_event", {"schema": "iglu:com.acme/form/jsonschema/1-0-0", "data": {"email": f"{MARK}@x"}})
    view = {**SNOWPLOW, "aid": key, "co": json.dumps(said("contexts", entities))}
    return {
        "schema": schema.format("payload_data"),
        "data": [
            view,
            {**view, "eid": "sp-2", "e": "ue", "ue_pr": json.dumps(screen)},
            {**view, "eid": "sp-3", "e": "ue", "ue_px": packed(form)},
            {**view, "eid": "sp-4", "e": "none"},
            {**view, "eid": "sp-5", "e": "ue", "ue_px": packed(f"{MARK}@x")[:-3], "cx": packed(MARK)},
            [f"{MARK}u1"],
        ],
    }


def mixpanel_of(key: str) -> dict[str, Any]:
    """An event and a profile of a person."""
    who = {"distinct_id": f"{MARK}u1", "$device_id": f"{MARK}a1", "$user_id": f"{MARK}u1"}
    shown = {"current_page_title": MARK, "$model": MARK, "$ios_ifa": MARK, "ip": "198.51.100.77", "email": f"{MARK}@x"}
    times = {"time": 1795870060, "$insert_id": "mp-1"}
    return {
        "event": {"event": "a", "properties": {"token": key, **who, **shown, **times}},
        "profile": {
            "$token": key,
            "$distinct_id": f"{MARK}u1",
            "$device_id": f"{MARK}a1",
            "$ip": "198.51.100.77",
            "$set": {"$email": f"{MARK}@x", "$name": MARK},
            "$set_once": {"$name": MARK},
        },
    }


def of_others(key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests of other people's SDKs, in each way that they say who somebody is; sound ones and broken ones. Each is a
    path, and how it is posted."""
    user, device, mail = f"{MARK}u1", f"{MARK}a1", f"{MARK}@x"
    posthog = {"event": "a", "distinct_id": f"{MARK}u2", "properties": {"$set": {"email": mail}}}
    met = {"$anon_distinct_id": device, "$device_id": device, "$user_id": user, "distinct_id": user}
    known = {"event": "$identify", "distinct_id": user, "properties": {**met, "$set": {"email": mail}}}
    alias = {"event": "$create_alias", "distinct_id": device, "properties": {"distinct_id": device, "alias": user}}
    yield "/batch/", {"json": {"api_key": key, "batch": [posthog, known, alias, {**posthog, "event": 7}]}}

    spoken = {
        "idfa": MARK,
        "idfv": f"{MARK}v",
        "device_model": MARK,
        "ip": "198.51.100.77",
        "session_id": 1795870060435,
    }
    done = {"event_type": "a", "user_id": user, "device_id": device, "event_properties": {"email": MARK}, **spoken}
    told = {**done, "event_type": "$identify", "user_properties": {"$set": {"email": mail}, "$setOnce": {"name": MARK}}}
    alone = {"event_type": "a", "user_id": user, "session_id": 1795870060436, "user_properties": {"email": mail}}
    amplitude = [done, told, alone, {**done, "event_type": None}, f"{MARK}u1"]
    yield "/2/httpapi", {"json": {"api_key": key, "events": amplitude}}
    yield "/2/httpapi", {"content": json.dumps({"api_key": key, "events": amplitude})[:-3]}

    seen = {"session_id": "1795870060", "page_title": MARK, "page_location": "https://x.example/", "email": mail}
    ga4 = {
        "client_id": device,
        "user_id": user,
        "user_properties": {"email": {"value": mail}, "name": {"value": MARK, "set_timestamp_micros": 1}},
        "user_data": {"sha256_email_address": [MARK], "address": {"city": MARK}},
        "device": {"model": MARK},
        "ip_override": "198.51.100.77",
        "events": [{"name": "page_view", "params": seen}, {"name": None, "params": seen}, user],
    }
    for path in ("/mp/collect", "/debug/mp/collect"):
        for body in (ga4, {**ga4, "client_id": None}, {**ga4, "events": [{"name": "purchase"}], "user_id": None}):
            yield f"{path}?api_secret={key}", {"json": body}
        yield f"{path}?api_secret={key}", {"content": json.dumps(ga4)[:-3]}

    mixpanel = mixpanel_of(key)
    event, token = mixpanel["event"], {"token": key}
    named = {**token, "$identified_id": user, "$anon_id": device, "distinct_id": device}
    identify = {"event": "$identify", "properties": named}
    became = {"event": "$create_alias", "properties": {**token, "distinct_id": device, "alias": user}}
    half = {"event": "$create_alias", "properties": {**token, "alias": user}}
    merged = {"event": "$merge", "properties": {**token, "$distinct_ids": [user, f"$device:{device}"]}}
    before = {"event": "b", "properties": {**token, "distinct_id": f"$device:{device}", "$distinct_id": device}}
    broken = {**event, "event": None}
    listed = [event, identify, became, half, merged, before, broken]
    yield "/track", {"data": {"data": packed(listed)}}
    yield "/import", {"json": listed, "auth": (key, "")}
    yield "/track", {"content": json.dumps(listed)[:-3]}
    group = {"$token": key, "$group_key": "company", "$group_id": "acme", "$set": {"$email": mail}}
    yield "/engage", {"json": [mixpanel["profile"], {**mixpanel["profile"], "$time": "soon"}]}
    yield "/groups", {"json": [group]}

    yield "/com.snowplowanalytics.snowplow/tp2", {"json": snowplow_of(key)}
    yield f"/{key}/com.snowplowanalytics.snowplow/tp2", {"content": json.dumps(snowplow_of(key))[:-3]}
