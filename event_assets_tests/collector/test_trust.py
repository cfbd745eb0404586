"""What a key is believed of its events, one by one: addresses, user agents, times; whoever's SDK sends them."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector import WriteKeys
from event_assets.collector.keys import TRUSTS, Trust
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import event, written

Json = dict[str, Any]
AT = dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
IP, KEPT, AGENT, OWN_IP, OWN_AGENT = "198.51.100.7", "198.51.100.0", "Phone/1", "127.0.0.0", "Relay/1"
TIME = AT.isoformat()
MILLISECONDS = int(AT.timestamp() * 1000)
SETS: tuple[tuple[Trust, ...], ...] = ((), ("ip",), ("user_agent",), ("time",), ("ip", "time"), TRUSTS)


class Said(NamedTuple):
    """One event of an SDK that says all that it can: its path, its body, and what it has no field for."""

    path: str
    body: Json
    without: tuple[Trust, ...] = ("time",)


def sayings(name: str) -> dict[str, Said]:
    """By protocol an event with this id."""
    segment = {"messageId": name, "type": "track", "event": "x", "anonymousId": "a", "timestamp": TIME}
    posthog = {"uuid": name, "event": "x", "distinct_id": "a", "timestamp": TIME}
    snowplow = {"eid": name, "duid": "a", "p": "web", "e": "se", "se_ac": "x", "dtm": str(MILLISECONDS)}
    amplitude = {"insert_id": name, "device_id": "a", "event_type": "x", "platform": "Web", "time": MILLISECONDS}
    mixpanel = {"$insert_id": name, "$device_id": "a", "distinct_id": "$device:a", "time": AT.timestamp()}
    ga4 = {"client_id": "a", "timestamp_micros": MILLISECONDS * 1000, "ip_override": IP, "user_agent": AGENT}
    native = event(event_id=name, ip=IP, device={"user_agent": AGENT}, received_at=TIME, derived_at=TIME)
    context = {"ip": IP, "userAgent": AGENT}
    return {
        "native": Said("/v1/events", native, ()),
        "native beside what is not known": Said("/v1/events", {**native, "unknown": 1}, ()),
        "segment": Said("/v1/batch", {"batch": [{**segment, "context": context}], "sentAt": TIME}),
        "snowplow": Said(
            "/com.snowplowanalytics.snowplow/tp2",
            {"schema": "iglu:payload_data", "data": [{**snowplow, "ua": AGENT, "ttm": str(MILLISECONDS)}]},
            ("ip",),
        ),
        "posthog": Said(
            "/batch/", {"batch": [{**posthog, "properties": {"$ip": IP, "$raw_user_agent": AGENT}}], "sent_at": TIME}
        ),
        "amplitude": Said("/2/httpapi", {"events": [{**amplitude, "ip": IP, "user_agent": AGENT}]}),
        "mixpanel": Said("/track", {"event": "x", "properties": {**mixpanel, "ip": IP, "$user_agent": AGENT}}),
        "ga4": Said("/mp/collect", {**ga4, "events": [{"name": "x"}]}),
    }


@pytest.mark.parametrize("believed", SETS, ids="+".join)
def test_a_key_is_believed_what_it_is_trusted_with_and_nothing_else_whoever_sends(
    client: httpx.Client, stream: EventStream, keys: WriteKeys, believed: tuple[Trust, ...]
) -> None:
    key = keys.create("relay", "web", trusts=believed)
    headers = {"x-write-key": key, "user-agent": OWN_AGENT}
    for protocol in sayings(""):
        path, body, without = sayings(protocol)[protocol]
        before = {*written(stream)}
        assert client.post(path, json=body, headers=headers).status_code == 200
        [line] = {*written(stream)} - before
        found = msgspec.json.decode(line)
        told = (IP if "ip" not in without else None) and KEPT
        assert found.get("ip") == (told if "ip" in believed else OWN_IP), protocol
        # Who speaks for itself may say what it is; a relay says only what it is trusted with.
        is_own = bool(believed) and "user_agent" not in believed
        assert found["device"]["user_agent"] == (OWN_AGENT if is_own else AGENT), protocol
        is_dated = "time" in believed and "time" not in without
        assert (found.get("derived_at") is not None) == is_dated, protocol
        if is_dated:
            assert dt.datetime.fromisoformat(found["derived_at"]) == AT, protocol
        is_receipt = is_dated and protocol.startswith("native")
        assert dt.datetime.fromisoformat(found["received_at"]).year == (
            2024 if is_receipt else dt.datetime.now(dt.UTC).year
        )


@pytest.mark.parametrize("believed", SETS, ids="+".join)
def test_nor_is_it_believed_of_what_is_set_aside_or_of_whom_refused(
    client: httpx.Client, stream: EventStream, keys: WriteKeys, believed: tuple[Trust, ...]
) -> None:
    headers = {"x-write-key": keys.create("relay", "web", trusts=believed), "user-agent": OWN_AGENT}
    broken = {"messageId": "m", "type": "track", "event": "", "anonymousId": "a", "timestamp": TIME}
    context = {"ip": IP, "userAgent": AGENT}
    body = {"batch": [{**broken, "context": context}]}
    assert client.post("/v1/batch", json=body, headers=headers).status_code == 200
    [line] = written(stream)
    aside = msgspec.json.decode(line)
    assert "ip" not in aside and "derived_at" not in aside
    if believed and "user_agent" not in believed:
        assert "user_agent" not in aside.get("device", {})
    refused = event(event="consent_changed", consent={"analytics": False}, derived_at=TIME, received_at=TIME)
    assert client.post("/v1/events", json=refused, headers=headers).status_code == 200
    [line] = {*written(stream)} - {line}
    kept = msgspec.json.decode(line)
    assert (dt.datetime.fromisoformat(kept["derived_at"]) == AT) == ("time" in believed)


def test_only_who_may_date_events_is_held_to_the_clock(client: httpx.Client, keys: WriteKeys) -> None:
    ahead = event(derived_at="2100-01-01T00:00:00Z")
    verdicts = {}
    for believed in SETS:
        headers = {"x-write-key": keys.create("relay", "server", trusts=believed)}
        answer = client.post("/v1/events", json=[ahead], headers=headers).json()
        verdicts[believed] = answer["rejected"]
    assert verdicts == {believed: int("time" in believed) for believed in SETS}


def test_the_command_makes_such_a_key_and_shows_what_it_is_believed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(settings.home))

    def run(*arguments: str, status: int = 0) -> str:
        ended = CliRunner().invoke(app, ["keys", *arguments])
        assert ended.exit_code == status, ended.output
        return ended.output

    run("create", "edge", "--platform", "server", "--trusts", "ip", "--trusts", "user_agent")
    run("create", "backend", "--platform", "server", "--trusted")
    shown = {each["name"]: (each["trusted"], each["trusts"]) for each in msgspec.json.decode(run("list", "--json"))}
    assert shown == {"edge": (False, ["ip", "user_agent"]), "backend": (True, ["ip", "time", "user_agent"])}
    assert "say one of them" in " ".join(run("create", "x", "--trusted", "--trusts", "ip", status=2).split())
    run("create", "x", "--trusts", "location", status=2)
    run("create", "x", "--reads", "vip", "--trusts", "ip", status=2)
