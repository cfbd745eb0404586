"""Hostile bodies and a stream that does not answer: bounded in time and memory, never a wrong yes."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import zstandard

from event_assets.collector import WriteKeys
from event_assets.collector.compression import unpack
from event_assets.collector.errors import RequestRefused
from event_assets.collector.limits import MIB, CollectorLimits
from event_assets.settings import Settings
from event_assets.streams import EventStream, ShardMap
from event_assets_tests.collector.faults import FaultyStream
from event_assets_tests.collector.serving import event, serving, written

LIMITS = CollectorLimits()
ZEROS = bytes(100 * MIB)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate), ("zstd", zstandard.compress)],
)
def test_a_bomb_is_stopped_before_it_has_grown(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(ZEROS)
    tracemalloc.start()
    try:
        with pytest.raises(RequestRefused) as refused:
            unpack(bomb, encoding, LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert peak < 64 * MIB


def test_a_bomb_of_many_small_members_is_stopped_too() -> None:
    members = gzip.compress(bytes(MIB)) * 200
    with pytest.raises(RequestRefused) as refused:
        unpack(members, "gzip", LIMITS)
    assert refused.value.status == 413


def test_a_zstd_frame_that_asks_for_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(RequestRefused):
        unpack(packer.compress(b"x" * 100) + packer.flush(), "zstd", LIMITS)


def test_a_ratio_of_a_hundred_is_allowed_and_more_is_not() -> None:
    noise = bytes(range(256)) * 10
    allowed = gzip.compress(noise + bytes(60_000))
    assert len(unpack(allowed, "gzip", LIMITS)) == 62_560
    with pytest.raises(RequestRefused):
        unpack(gzip.compress(noise + bytes(2_000_000)), "gzip", LIMITS)


@pytest.mark.parametrize("text", [b"[" * MIB, b'{"a":' * 200_000, b"[" * 500_000 + b"]" * 500_000])
def test_deep_json_is_refused_and_the_collector_lives(client: httpx.Client, text: bytes) -> None:
    for kind in ("application/json", "application/x-ndjson", "text/plain"):
        answer = client.post("/v1/events", content=text[:MIB], headers={"content-type": kind})
        assert answer.status_code == 400
    assert client.post("/v1/events", json=event()).status_code == 200


@pytest.fixture
def faulty(stream: EventStream, settings: Settings) -> FaultyStream:
    stream.create(settings.stream_shards)
    return FaultyStream(stream)


@pytest.fixture
def faulty_client(settings: Settings, faulty: FaultyStream, keys: WriteKeys, key: str) -> Iterator[httpx.Client]:
    with serving(settings, faulty, keys, CollectorLimits(ip_requests_per_second=0, stream_seconds=3.0)) as client:
        client.headers["x-write-key"] = key
        yield client
        faulty.gate.set()


@pytest.mark.parametrize("failure", ["raise", "all"])
def test_no_event_is_accepted_that_the_stream_did_not_take(
    faulty_client: httpx.Client, faulty: FaultyStream, stream: EventStream, failure: str
) -> None:
    faulty.failing = failure
    answer = faulty_client.post("/v1/events", json=[event(1), event(2, platform="fridge")])
    assert answer.status_code == 503
    body = answer.json()
    assert (body["accepted"], body["rejected"], body["retry"]) == (0, 1, 1)
    assert body["results"][0] == {"event_id": "e-1", "status": "retry", "reason": "stream_unavailable"}
    assert written(stream) == []
    faulty.failing = None
    assert faulty_client.post("/v1/events", json=event(1)).status_code == 200


def test_each_event_is_told_apart_where_the_stream_takes_only_some(
    faulty_client: httpx.Client, faulty: FaultyStream, stream: EventStream
) -> None:
    faulty.failing = "a-2"
    shards = ShardMap(stream.shards())
    fails = [shards.record_key(f"a-{number}") == shards.record_key("a-2") for number in range(7)]
    assert not all(fails)
    answer = faulty_client.post("/v1/events", json=[event(number) for number in range(7)])
    assert answer.status_code == 503
    assert [result["status"] == "retry" for result in answer.json()["results"]] == fails
    taken = [f"e-{number}" for number in range(7) if not fails[number]]
    assert sorted(json.loads(line)["event_id"] for line in written(stream)) == taken


def test_a_stream_that_hangs_is_answered_for_with_503(faulty_client: httpx.Client, faulty: FaultyStream) -> None:
    faulty.gate.clear()
    answer = faulty_client.post("/v1/events", json=event(1))
    assert (answer.status_code, answer.json()["results"][0]["status"]) == (503, "retry")


def test_a_full_buffer_turns_requests_away_and_takes_them_again_later(
    settings: Settings, faulty: FaultyStream, keys: WriteKeys, key: str
) -> None:
    limits = CollectorLimits(ip_requests_per_second=0, buffer_bytes=300_000)
    batch = [event(n, properties={"text": "x" * 1_000}) for n in range(50)]
    with serving(settings, faulty, keys, limits) as client, ThreadPoolExecutor(8) as threads:
        client.headers["x-write-key"] = key
        faulty.gate.clear()
        answers = [threads.submit(client.post, "/v1/events", json=batch) for _ in range(8)]
        while not any(answer.done() for answer in answers):
            threading.Event().wait(0.01)
        faulty.gate.set()
        statuses = sorted(answer.result().status_code for answer in answers)
        assert statuses[0] == 200 and statuses[-1] == 503
        refused = next(answer.result() for answer in answers if answer.result().status_code == 503)
        assert refused.json()["error"] == "buffer_full"
        assert int(refused.headers["retry-after"]) >= 1
        assert client.post("/v1/events", json=batch).status_code == 200
        assert "collector_buffer_bytes 0.0" in client.get("/metrics").text


def test_many_requests_share_one_write(
    settings: Settings, faulty: FaultyStream, stream: EventStream, keys: WriteKeys, key: str
) -> None:
    with serving(settings, faulty, keys) as client, ThreadPoolExecutor(16) as threads:
        client.headers["x-write-key"] = key
        faulty.gate.clear()
        answers = [threads.submit(client.post, "/v1/events", json=event(n)) for n in range(16)]
        while "collector_buffer_bytes 0.0" in client.get("/metrics").text:
            threading.Event().wait(0.01)
        threading.Event().wait(0.3)
        faulty.gate.set()
        assert {answer.result().status_code for answer in answers} == {200}
        assert faulty.puts < 16
    assert len(written(stream)) == 16


def test_readiness_says_when_the_stream_is_out_of_reach(faulty_client: httpx.Client, faulty: FaultyStream) -> None:
    faulty.failing = "raise"
    answer = faulty_client.get("/v1/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "stream_unavailable", "detail": "the disk is gone"})
    assert int(answer.headers["retry-after"]) > 0
    assert faulty_client.get("/v1/health").status_code == 200
    faulty.failing = None
    while faulty_client.get("/v1/ready").status_code != 200:
        threading.Event().wait(0.05)


def test_readiness_says_why_writes_are_refused_though_the_stream_answers(
    faulty_client: httpx.Client, faulty: FaultyStream
) -> None:
    faulty.failing = "all"
    assert faulty_client.post("/v1/events", json=event(1)).status_code == 503
    ready = faulty_client.get("/v1/ready")
    assert (ready.status_code, ready.json()["detail"]) == (503, "InternalFailure: try again")
    faulty.failing = None
    assert faulty_client.post("/v1/events", json=event(1)).status_code == 200
    assert faulty_client.get("/v1/ready").status_code == 200


def test_a_stop_answers_what_is_in_flight(
    settings: Settings, faulty: FaultyStream, stream: EventStream, keys: WriteKeys, key: str
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with serving(settings, faulty, keys) as client:
            faulty.gate.clear()
            answer = threads.submit(
                httpx.post, f"{client.base_url}/v1/events", json=event(1), headers={"x-write-key": key}
            )
            while faulty.puts == 0:
                threading.Event().wait(0.01)
            threading.Timer(0.3, faulty.gate.set).start()
        assert answer.result().status_code == 200
    assert len(written(stream)) == 1
