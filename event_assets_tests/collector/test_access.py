"""Keys, signatures, origins and rates: who may send, and how many."""

from __future__ import annotations

import base64
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.errors import RequestRefused
from event_assets.collector.keys import KeyFileError
from event_assets.collector.limits import CollectorLimits, TokenBuckets
from event_assets.collector.signatures import SignatureCheck, Signed, sign
from event_assets.settings import Settings
from event_assets.streams import EventStream
from event_assets_tests.collector.conftest import ORIGIN
from event_assets_tests.collector.serving import event, serving, written


def test_a_key_is_taken_from_each_place_where_clients_can_put_it(client: httpx.Client, key: str) -> None:
    del client.headers["x-write-key"]
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for headers in ({"x-write-key": key}, {"authorization": f"Bearer {key}"}, {"authorization": f"Basic {basic}"}):
        assert client.post("/v1/events", json=event(), headers=headers).status_code == 200
    assert client.post("/v1/events", json=event(), params={"write_key": key}).status_code == 200


@pytest.mark.parametrize("key", ["", "nonsense", "ea_000000000000_" + "0" * 40, "ea__", "ä", "Bearer"])
def test_a_request_without_a_known_key_is_unauthorised(client: httpx.Client, stream: EventStream, key: str) -> None:
    del client.headers["x-write-key"]
    for header in ((b"x-write-key", key.encode()), (b"authorization", b"Basic;" + key.encode())):
        answer = client.post("/v1/events", json=event(), headers=[header])
        assert (answer.status_code, answer.json()["error"]) == (401, "unknown_write_key")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert written(stream) == []


def test_a_revoked_key_ends_within_seconds_in_a_running_collector(
    client: httpx.Client, settings: Settings, key: str
) -> None:
    assert client.post("/v1/events", json=event()).status_code == 200
    assert WriteKeys.of(settings).revoke(key)
    deadline = time.monotonic() + 10
    while client.post("/v1/events", json=event()).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.post("/v1/events", json=event()).status_code == 401


def test_keys_are_hashed_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    keys = WriteKeys(tmp_path / "keys.json")
    key = keys.create("site", "web")
    text = (tmp_path / "keys.json").read_text()
    assert key not in text and key.rpartition("_")[2] not in text
    assert stat.S_IMODE(os.stat(tmp_path / "keys.json").st_mode) == 0o600
    found = keys.find(key)
    assert found is not None and (found.name, found.trusted) == ("site", False)
    assert keys.find(key[:-1]) is None and keys.find(key + "0") is None


def test_keys_made_by_two_managers_are_both_there(tmp_path: Path) -> None:
    one, other = WriteKeys(tmp_path / "keys.json"), WriteKeys(tmp_path / "keys.json")
    names = {one.create("a", "web"): "a", other.create("b", "ios"): "b", one.create("c", "web"): "c"}
    for manager in (one, other, WriteKeys(tmp_path / "keys.json")):
        manager.find("")
        time.sleep(0)
    fresh = WriteKeys(tmp_path / "keys.json")
    assert {key: source.name for key in names if (source := fresh.find(key))} == names


def test_revoking_a_key_twice_or_an_unknown_one_says_so(tmp_path: Path) -> None:
    keys = WriteKeys(tmp_path / "keys.json")
    key = keys.create("site", "web")
    assert keys.revoke(key) and not keys.revoke(key) and not keys.revoke("ea_ffffffffffff_0")
    assert keys.find(key) is None
    assert keys.sources()[0].revoked_at is not None


def test_a_damaged_file_of_keys_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        WriteKeys(tmp_path / "keys.json").find("ea_1_2")


def test_a_page_of_another_origin_is_forbidden_and_one_of_its_own_reads_the_answer(client: httpx.Client) -> None:
    answer = client.post("/v1/events", json=event(), headers={"origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "origin"
    answer = client.post("/v1/events", json=event(), headers={"origin": "https://thief.example"})
    assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_reads_refusals_too(client: httpx.Client) -> None:
    answer = client.post("/v1/events", content=b"[]", headers={"origin": ORIGIN})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, ORIGIN)


def test_a_preflight_is_answered_for_origins_that_some_key_allows(client: httpx.Client) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-write-key,content-encoding"}
    answer = client.options("/v1/events", headers={"origin": ORIGIN, **asked})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert {"x-write-key", "content-encoding", "content-type"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert client.options("/v1/events", headers={"origin": "https://thief.example", **asked}).status_code == 403


def test_a_key_for_every_origin_allows_each_by_name(settings: Settings, keys: WriteKeys, stream: EventStream) -> None:
    key = keys.create("open", "web", allowed_origins=("*",))
    with serving(settings, stream, keys) as client:
        headers = {"origin": "https://any.example", "x-write-key": key}
        answer = client.post("/v1/events", json=event(), headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://any.example"


@pytest.mark.parametrize("allowed", [("*",), ("null",), ("*", "null")])
def test_credentials_are_for_origins_that_a_key_names(
    settings: Settings, keys: WriteKeys, stream: EventStream, allowed: tuple[str, ...]
) -> None:
    open_key = keys.create("open", "web", allowed_origins=allowed)
    asked = {"access-control-request-method": "POST"}
    with serving(settings, stream, keys) as client:
        for origin in ("null", "https://any.example") if "*" in allowed else ("null",):
            headers = {"origin": origin, "x-write-key": open_key}
            for answer in (
                client.post("/v1/events", json=event(), headers=headers),
                client.options("/v1/events", headers={"origin": origin, **asked}),
            ):
                assert answer.headers["access-control-allow-origin"] == origin
                assert "access-control-allow-credentials" not in answer.headers
        keys.create("site of its own", "web", allowed_origins=(ORIGIN,))
    with serving(settings, stream, keys) as client:
        answer = client.options("/v1/events", headers={"origin": ORIGIN, **asked})
    assert answer.headers["access-control-allow-credentials"] == "true"


def signed(
    key: str,
    body: bytes,
    at: float | None = None,
    nonce: str = "nonce-0001",
    request: tuple[str, str, bytes, str] = ("POST", "/v1/events", b"", ""),
) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    return {
        "x-write-key": key.rpartition("_")[0],
        "x-timestamp": timestamp,
        "x-nonce": nonce,
        "x-signature": sign(key, timestamp, nonce, Signed(*request, body)),
    }


def test_a_signed_source_is_heard_once_per_nonce_and_only_with_its_signature(
    settings: Settings, keys: WriteKeys, stream: EventStream
) -> None:
    key = keys.create("backend", "server", signed=True)
    body = json.dumps(event(1)).encode()
    with serving(settings, stream, keys) as client:
        headers = signed(key, body)
        assert client.post("/v1/events", content=body, headers=headers).status_code == 200
        again = client.post("/v1/events", content=body, headers=headers)
        assert (again.status_code, again.json()["error"]) == (401, "bad_signature")
        forged = client.post(
            "/v1/events", content=body.replace(b"e-1", b"e-2"), headers=signed(key, body, nonce="n" * 8)
        )
        assert forged.status_code == 401
        late = client.post("/v1/events", content=body, headers=signed(key, body, time.time() - 400, "n" * 9))
        assert late.status_code == 401
        assert client.post("/v1/events", content=body, headers={"x-write-key": key}).status_code == 401
        pixel = {"anonymous_id": "a"}
        unsigned = client.get("/v1/pixel.gif", params=pixel, headers={"x-write-key": key})
        assert unsigned.status_code == 401
    assert len(written(stream)) == 1


BODY = Signed("POST", "/v1/events", b"", "", b"body")


@pytest.mark.parametrize(
    "sent",
    [
        ("POST", "/v1/events", {"content-encoding": "gzip"}, ""),
        ("POST", "/v1/events", {}, "?a=1"),
        ("GET", "/v1/pixel.gif", {}, ""),
    ],
)
def test_a_signature_is_for_one_method_path_query_and_encoding(
    settings: Settings, keys: WriteKeys, stream: EventStream, sent: tuple[str, str, dict[str, str], str]
) -> None:
    key = keys.create("backend", "server", signed=True)
    method, path, headers, query = sent
    body = b"" if method == "GET" else json.dumps(event(1)).encode()
    with serving(settings, stream, keys) as client:
        answer = client.request(method, path + query, content=body, headers={**signed(key, body), **headers})
    assert (answer.status_code, answer.json()["error"]) == (401, "bad_signature")
    assert written(stream) == []


@pytest.mark.parametrize("part", Signed._fields)
def test_no_part_of_a_request_can_be_another_under_the_same_signature(part: str) -> None:
    said: Any = b"other" if isinstance(getattr(BODY, part), bytes) else "other"
    other = BODY._replace(**{part: said})
    with pytest.raises(RequestRefused, match="X-Signature does not fit"):
        SignatureCheck(lambda: 1e6).check("id", "secret", signed_headers(1e6), other)
    SignatureCheck(lambda: 1e6).check("id", "secret", signed_headers(1e6), BODY)


def test_a_key_that_signs_signs_pixels_too(settings: Settings, keys: WriteKeys, stream: EventStream) -> None:
    key = keys.create("mailer", "server", signed=True)
    with serving(settings, stream, keys) as client:
        query = b"anonymous_id=a&campaign=spring"
        headers = signed(key, b"", request=("GET", "/v1/pixel.gif", query, ""))
        forged = client.get("/v1/pixel.gif?anonymous_id=b&campaign=spring", headers=headers)
        assert (forged.status_code, forged.json()["error"]) == (401, "bad_signature")
        answer = client.get("/v1/pixel.gif?" + query.decode(), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert len(written(stream)) == 1


def test_a_key_that_signs_signs_what_other_sdks_send_too(
    settings: Settings, keys: WriteKeys, stream: EventStream
) -> None:
    key = keys.create("backend", "server", signed=True)
    body = json.dumps({"type": "track", "event": "a", "messageId": "m", "anonymousId": "a"}).encode()
    headers = signed(key, body, request=("POST", "/v1/track", b"", ""))
    with serving(settings, stream, keys) as client:
        forged = client.post("/v1/track", content=body.replace(b'"a"', b'"b"'), headers=headers)
        assert (forged.status_code, written(stream)) == (401, [])
        assert client.post("/v1/track", content=body, headers=headers).status_code == 200
    assert len(written(stream)) == 1


def test_nonces_are_forgotten_once_their_window_is_over() -> None:
    now = [1_000_000.0]
    check = SignatureCheck(lambda: now[0])
    check.check("id", "secret", signed_headers(now[0]), BODY)
    with pytest.raises(RequestRefused, match="used before"):
        check.check("id", "secret", signed_headers(now[0]), BODY)
    check.check("other", "secret", signed_headers(now[0]), BODY)
    now[0] += 601
    check.check("id", "secret", signed_headers(now[0]), BODY)


def signed_headers(at: float) -> dict[str, str]:
    timestamp = str(int(at))
    return {"x-timestamp": timestamp, "x-nonce": "n" * 8, "x-signature": sign("secret", timestamp, "n" * 8, BODY)}


@pytest.mark.parametrize(
    "broken", [{"x-timestamp": "now"}, {"x-timestamp": "²"}, {"x-nonce": "short"}, {"x-signature": "ä"}]
)
def test_a_signature_with_a_broken_part_is_refused(broken: dict[str, str]) -> None:
    with pytest.raises(RequestRefused) as refused:
        SignatureCheck(lambda: 1e6).check("id", "secret", {**signed_headers(1e6), **broken}, BODY)
    assert refused.value.status == 401


def test_a_key_over_its_rate_is_told_when_to_come_back(
    settings: Settings, keys: WriteKeys, stream: EventStream
) -> None:
    key = keys.create("slow", "web", events_per_second=5)
    with serving(settings, stream, keys) as client:
        client.headers["x-write-key"] = key
        assert client.post("/v1/events", json=[event(n) for n in range(10)]).status_code == 200
        answer = client.post("/v1/events", json=[event(n) for n in range(10)])
        assert (answer.status_code, answer.json()["error"]) == (429, "key_rate")
        assert 1 <= int(answer.headers["retry-after"]) <= 3
        assert 'collector_requests_throttled_total{by="key"} 1.0' in client.get("/metrics").text
    assert len(written(stream)) == 10


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/batch/", {"batch": [{"event": "x", "distinct_id": "a"}]}, 503),
        ("/track", [{"event": "x", "properties": {"distinct_id": "a"}}], 503),
        ("/v1/batch", {"batch": [{"type": "track", "event": "x", "anonymousId": "a"}]}, 429),
    ],
)
def test_an_sdk_that_would_drop_what_is_over_a_rate_is_told_of_it_by_the_status_that_it_sends_again_after(
    settings: Settings, keys: WriteKeys, stream: EventStream, path: str, body: Any, status: int
) -> None:
    key = keys.create("slow", "web", events_per_second=0.01)
    with serving(settings, stream, keys) as client:
        client.headers["x-write-key"] = key
        assert client.post(path, json=body).status_code == 200
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (status, "key_rate")
        assert 90 <= int(answer.headers["retry-after"]) <= 100


def test_an_address_over_its_rate_is_told_when_to_come_back(
    settings: Settings, keys: WriteKeys, stream: EventStream, key: str
) -> None:
    limits = CollectorLimits(ip_requests_per_second=1, burst_seconds=3)
    with serving(settings, stream, keys, limits) as client:
        client.headers["x-write-key"] = key
        statuses = [client.post("/v1/events", json=event()).status_code for _ in range(5)]
        assert (statuses[0], statuses[-1]) == (200, 429)
        assert client.post("/v1/events", json=event(), headers={"x-forwarded-for": "203.0.113.9"}).status_code == 200


def test_a_bucket_fills_with_time_and_takes_more_than_its_size_as_a_debt() -> None:
    now = [0.0]
    buckets = TokenBuckets(CollectorLimits(burst_seconds=2), lambda: now[0])
    assert buckets.take("a", 25, rate=10) == 0
    assert buckets.take("a", 1, rate=10) == pytest.approx(0.6)
    assert buckets.take("b", 20, rate=10) == 0
    now[0] = 0.6
    assert buckets.take("a", 1, rate=10) == 0


def test_buckets_stay_few_however_many_addresses_ask() -> None:
    now = [0.0]
    buckets = TokenBuckets(CollectorLimits(buckets=100), lambda: now[0])
    for address in range(1_000):
        now[0] += 0.001
        assert buckets.take(str(address), 1, rate=10) == 0
    assert len(buckets) <= 100


@pytest.mark.parametrize("part", ["id", "key_hash"])
def test_a_key_whose_id_or_hash_was_damaged_is_not_taken_for_another(tmp_path: Path, part: str) -> None:
    path = tmp_path / "keys.json"
    WriteKeys(path).create("shop", "web")
    path.write_text(path.read_text().replace(f'"{part}": "', f'"{part}": "~'))
    with pytest.raises(
        KeyFileError, match=r"keys\.json is not a file of write keys \(the key 'shop' has an id or a hash"
    ):
        WriteKeys(path).sources()


def test_a_rate_is_shared_equally_by_as_many_processes_as_there_are() -> None:
    now = [0.0]
    buckets = TokenBuckets(CollectorLimits(burst_seconds=1, processes=4), lambda: now[0])
    assert [buckets.take("key", 1, 8.0) for _ in range(3)] == [0, 0, 0.5]
